"""What the entries of a sweep or a search try, each value validated where it stands, before anything starts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from models.sweep import space
from models.sweep.space import Axis, Entry, Point, Range
from pipelines.model import Draw
from pipelines.source import Keys, Tree
from pipelines.validation import validate
from textmill.errors import InputError, Problem


def points(
    entries: Sequence[Entry], draw: Draw | None, seed: int, keys: Keys, tree: Tree, problems: list[Problem]
) -> list[Point]:
    """All combinations, or as many as are to be drawn; what is wrong goes to `problems`."""
    try:
        return space.grid(entries) if draw is None else space.draws(entries, draw.n, seed)
    except InputError as error:
        problems.append(tree.problem((*keys, "trials" if draw is None else "draw"), str(error)))
        return []


def axes(
    given: Mapping[str, Any], declared: type[Any], keys: Keys, tree: Tree, problems: list[Problem]
) -> dict[str, Axis]:
    """The axes of parameters, in the order given. Each value is validated among the first ones of the others."""
    found: dict[str, Axis] = {}
    for name, said in given.items():
        try:
            found[name] = space.axis(said)
        except ValueError as error:
            problems.append(tree.problem((*keys, name), str(error)))
    first = {name: axis.samples()[0] for name, axis in found.items()}
    base: list[Problem] = []
    model = validate(declared, first, tree, keys, base)
    problems += [replace(problem, message=_hinted(problem.message)) for problem in base]
    if model is None and not any(len(axis.samples()) > 1 for axis in found.values()):
        return found
    return {name: _checked(name, axis, first, declared, keys, tree, base, problems) for name, axis in found.items()}


def _checked(
    name: str, axis: Axis, first: Mapping[str, Any], declared: type[Any], keys: Keys, tree: Tree, base: list[Problem],
    problems: list[Problem],
) -> Axis:  # fmt: skip
    """The axis with its values as the declared types have them, so that 1 and 1.0 are the same."""
    values = []
    for index, value in enumerate(axis.samples()):
        found: list[Problem] = []
        model = validate(declared, {**first, name: value}, tree, keys, found)
        listed = not isinstance(axis, Range) and len(axis.samples()) > 1
        for problem in found:
            if problem not in base and index:
                message = _hinted(problem.message)
                problems.append(tree.problem((*keys, name, index) if listed else (*keys, name), message))
        values.append(value if model is None else model.canonical()[_alias(declared, name)])
    return Range(values[0], values[1], axis.log) if isinstance(axis, Range) else space.Choices(tuple(values))


def _hinted(message: str) -> str:
    """A list stands for values to try, which surprises who means one value that is a list."""
    listed = "valid tuple" in message or "valid list" in message
    return f"{message} (a list holds values to try, so write a list of lists)" if listed else message


def _alias(declared: type[Any], name: str) -> str:
    return declared.model_fields[name].alias or name if name in declared.model_fields else name
