"""Declared parameters as lines for people: name, default, range, meaning."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from pipelines import console

_LIMITS = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
_MANY = 12


def described(params: type[BaseModel]) -> list[dict[str, Any]]:
    """Every parameter with its `name`, `default`, `range` and `description`; those of a group as `group.name`."""
    schema = params.model_json_schema(by_alias=True)
    return list(_described(schema, schema.get("$defs", {}), ""))


def show(params: list[dict[str, Any]]) -> None:
    """One line for each; defaults as a definition would write them."""
    rows = [(param["name"], _written(param["default"]), param["range"]) for param in params]
    widths = [max([len(row[column]) for row in rows] + [8]) for column in range(3)]
    for row, param in zip(rows, params, strict=True):
        cells = "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True))
        console.say(f"  {cells}  {param['description']}".rstrip())


def _written(default: Any) -> str:
    return default if isinstance(default, str) else json.dumps(default, ensure_ascii=False).replace('"', "")


def _described(schema: Mapping[str, Any], groups: Mapping[str, Any], before: str) -> Iterator[dict[str, Any]]:
    required = schema.get("required", ())
    for name, given in schema.get("properties", {}).items():
        if (group := _group(given, groups)) is not None:
            if name not in required and given.get("default") is None:
                told = given.get("description", "")
                yield {"name": f"{before}{name}", "default": None, "range": "mapping or null", "description": told}
            yield from _described(group, groups, f"{before}{name}.")
            continue
        default = "required" if name in required else given.get("default")
        told = given.get("description", "")
        yield {"name": f"{before}{name}", "default": default, "range": _range(given), "description": told}


def _group(given: Mapping[str, Any], groups: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The parameters that one parameter stands for."""
    options = [given, *given.get("anyOf", ()), *given.get("allOf", ())]
    names = [option["$ref"].rpartition("/")[2] for option in options if "$ref" in option]
    found = groups.get(names[0]) if len(names) == 1 else None
    return found if found is not None and "properties" in found else None


def _range(given: Mapping[str, Any]) -> str:
    """The values that a JSON Schema allows, in a few signs."""
    if "anyOf" in given:
        return " or ".join(dict.fromkeys(_range(option) for option in given["anyOf"]))
    if "enum" in given:
        words = list(map(str, given["enum"]))
        return " | ".join([*words[:_MANY], *(["…"] if len(words) > _MANY else [])])
    limits = [f"{sign} {given[key]}" for key, sign in _LIMITS.items() if key in given]
    of = f" of {_range(given['items'])}" if "items" in given else ""
    return " ".join([given.get("type", "any").replace("object", "mapping") + of, *limits])
