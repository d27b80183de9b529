"""A definition's YAML as plain data that remembers where every key came from."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipelines import yamltext
from pipelines.yamltext import Keys
from textmill.errors import DefinitionError, InputError, Problem

__all__ = ["FROM_COMMAND_LINE", "Keys", "Tree", "override", "read", "walk"]

FROM_COMMAND_LINE = "--set"


@dataclass
class Tree:
    """Plain data (dicts, lists, scalars) of a definition and the line of each of its keys."""

    file: str
    data: dict[str, Any]
    lines: dict[Keys, int] = field(default_factory=dict)
    overridden: set[Keys] = field(default_factory=set)

    def where(self, keys: Keys) -> str:
        """`file:line` of the key, or of the nearest enclosing key that has a line; `--set` if it came from there."""
        for length in range(len(keys), -1, -1):
            if keys[:length] in self.overridden:
                return FROM_COMMAND_LINE
            if keys[:length] in self.lines:
                return f"{self.file}:{self.lines[keys[:length]]}"
        return f"{self.file}:1"

    def problem(self, keys: Keys, message: str) -> Problem:
        """A problem at `keys`, with its place."""
        return Problem(self.where(keys), ".".join(str(key) for key in keys), message)


def read(path: Path) -> Tree:
    """Read the YAML file `path`.

    Raises InputError where there is no such file and DefinitionError where it is not a YAML mapping.
    """
    data, lines = yamltext.parse(str(path), yamltext.text_of(path))
    if not isinstance(data, dict):
        raise DefinitionError([Problem(f"{path}:1", "", "a definition is a mapping that starts with `name:`")])
    return Tree(str(path), data, lines)


def override(tree: Tree, assignments: Sequence[str]) -> Tree:
    """The tree with every `a.b=value` of `assignments` applied; values are read as YAML scalars, lists or mappings.

    Raises InputError for an assignment without `=` or through something that is not a mapping.
    """
    data = copy.deepcopy(tree.data)
    overridden = set(tree.overridden)
    for assignment in assignments:
        dotted, equals, text = assignment.partition("=")
        if not equals or not dotted:
            raise InputError(f"--set {assignment}: write KEY=VALUE, for example --set train.bigru.epochs=3")
        keys = tuple(dotted.split("."))
        if len(keys) > yamltext.DEEPEST:
            raise InputError(f"--set {keys[0]}.{keys[1]}…: more than {yamltext.DEEPEST} levels inside each other")
        _assign(data, keys, _value(assignment, text))
        overridden.add(keys)
    return Tree(tree.file, data, tree.lines, overridden)


def _value(assignment: str, text: str) -> Any:
    try:
        return yamltext.parse(FROM_COMMAND_LINE, text)[0]
    except DefinitionError as error:
        raise InputError(f"--set {assignment}: the value {'; '.join(one.message for one in error.problems)}") from error


def _assign(data: dict[str, Any], keys: tuple[str, ...], value: Any) -> None:
    place: Any = data
    for depth, key in enumerate(keys[:-1]):
        place = place.setdefault(key, {})
        if not isinstance(place, dict):
            raise InputError(f"--set {'.'.join(keys)}: {'.'.join(keys[: depth + 1])} is not a mapping")
    place[keys[-1]] = value


def walk(data: Any, keys: Keys = ()) -> list[tuple[Keys, Any]]:
    """All scalars of `data` with their keys."""
    if isinstance(data, Mapping):
        return [leaf for key, value in data.items() for leaf in walk(value, (*keys, str(key)))]
    if isinstance(data, list):
        return [leaf for index, value in enumerate(data) for leaf in walk(value, (*keys, index))]
    return [(keys, data)]
