"""pydantic's findings as problems of a definition: where they stand, in words, with a suggestion."""

from __future__ import annotations

import typing
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from pipelines.source import Keys, Tree
from textmill.errors import Problem
from textmill.words import did_you_mean

Model = TypeVar("Model", bound=BaseModel)


def validate(model: type[Model], data: Any, tree: Tree, at: Keys, problems: list[Problem]) -> Model | None:
    """`data` (which stands at `at` in `tree`) as a `model`; None, and all that is wrong in `problems`, if it isn't."""
    if not isinstance(data, dict):
        problems.append(tree.problem(at, f"must be a mapping, not {_kind(data)}"))
        return None
    try:
        return model.model_validate(data)
    except ValidationError as error:
        problems.extend(_problem(model, finding, tree, at) for finding in error.errors(include_url=False))
        return None


def _problem(model: type[BaseModel], finding: Any, tree: Tree, at: Keys) -> Problem:
    keys: Keys = tuple(key for key in finding["loc"] if key != "[key]")
    where = (*at, *_written(keys, finding["type"], tree, at))
    match finding["type"]:
        case "extra_forbidden":
            holder = _model_at(model, keys[:-1])
            known = [field.alias or name for name, field in holder.model_fields.items()] if holder else []
            return tree.problem(where, f"unknown key{did_you_mean(str(keys[-1]), known)}")
        case "missing":
            return tree.problem(where, "is required")
        case "value_error":
            return tree.problem(where, str(finding["ctx"]["error"]))
        case "literal_error":
            return tree.problem(where, f"'{finding['input']}' is not one of {finding['ctx']['expected']}")
        case "union_tag_invalid":
            ctx = finding["ctx"]
            return tree.problem((*where, "kind"), f"'{ctx['tag']}' is not one of {ctx['expected_tags']}")
        case "union_tag_not_found":
            return tree.problem(where, "says no `kind`")
        case "string_pattern_mismatch":
            return tree.problem(where, f"'{finding['input']}' does not fit the pattern {finding['ctx']['pattern']}")
    return tree.problem(where, _sentence(finding))


def _written(keys: Keys, kind: str, tree: Tree, at: Keys) -> Keys:
    """The keys that are in the file: pydantic also tells which of several models a mapping was taken for."""
    found: list[Any] = []
    here = _inside(tree.data, at)
    for number, key in enumerate(keys, 1):
        is_missing = number == len(keys) and kind == "missing"
        if isinstance(here, dict) and key not in here and not is_missing:
            continue
        found.append(key)
        here = _inside(here, (key,))
    return tuple(found)


def _inside(data: Any, keys: Keys) -> Any:
    for key in keys:
        try:
            data = data[key]
        except (KeyError, IndexError, TypeError):
            return None
    return data


def _sentence(finding: Any) -> str:
    text = finding["msg"][0].lower() + finding["msg"][1:]
    given = finding["input"]
    return text if isinstance(given, dict | list) else f"{text}, not {given!r}"


def _kind(value: Any) -> str:
    if value is None:
        return "empty"
    return "a list" if isinstance(value, list) else f"'{value}'"


def _chosen(place: Any, kind: Any) -> type[BaseModel] | None:
    """The model among several whose field `kind` says that it is meant."""
    if isinstance(place, type) and issubclass(place, BaseModel):
        field = place.model_fields.get("kind")
        return place if field is not None and field.default == kind else None
    return next((found for inner in typing.get_args(place) if (found := _chosen(inner, kind))), None)


def _model_at(model: type[BaseModel], keys: Keys) -> type[BaseModel] | None:
    """The model that describes what stands at `keys` inside a `model`."""
    place: Any = model
    for key in keys:
        if isinstance(place, type) and issubclass(place, BaseModel):
            by_alias = {field.alias or name: field.annotation for name, field in place.model_fields.items()}
            place = by_alias.get(str(key))
        elif typing.get_origin(place) is dict:
            place = typing.get_args(place)[1]
        elif chosen := _chosen(place, key):
            place = chosen
            continue
        for inner in typing.get_args(place):
            if isinstance(inner, type) and issubclass(inner, BaseModel) and typing.get_origin(place) is not dict:
                place = inner
    return place if isinstance(place, type) and issubclass(place, BaseModel) else None
