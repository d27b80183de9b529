"""A definition's YAML as plain data that remembers where every key came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from pipelines import yamltext
from pipelines.yamltext import Keys
from textmill.errors import DefinitionError, Problem

__all__ = ["FROM_COMMAND_LINE", "Keys", "Tree", "read", "walk"]

FROM_COMMAND_LINE = "--set"
_NOT_STRINGS = {f"tag:yaml.org,2002:{kind}" for kind in ("int", "float", "bool")}


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

    def names(self, section: str) -> tuple[str, ...]:
        """The entries of a section as they are written, also those with faults; none where it is no mapping."""
        entries = self.data.get(section)
        return tuple(map(str, entries)) if isinstance(entries, dict) else ()

    def problem(self, keys: Keys, message: str) -> Problem:
        """A problem at `keys`, with its place."""
        return Problem(self.where(keys), ".".join(str(key) for key in keys), message)


def read(path: Path) -> Tree:
    """Read the YAML file `path`.

    Raises InputError where there is no such file and DefinitionError where it is not a YAML mapping.
    """
    data, lines = yamltext.parse(str(path), yamltext.text_of(path), _as_written)
    if not isinstance(data, dict):
        raise DefinitionError([Problem(f"{path}:1", "", "a definition is a mapping that starts with `name:`")])
    return Tree(str(path), data, lines)


def _as_written(node: yaml.Node) -> None:
    """`vars` are put into strings: 007 there is no 7, and true no True."""
    sections = node.value if isinstance(node, yaml.MappingNode) else []
    for given in (value for key, value in sections if key.value == "vars" and isinstance(value, yaml.MappingNode)):
        for _, value in given.value:
            if isinstance(value, yaml.ScalarNode) and value.tag in _NOT_STRINGS:
                value.tag = "tag:yaml.org,2002:str"


def walk(data: Any, keys: Keys = ()) -> list[tuple[Keys, Any]]:
    """All scalars of `data` with their keys."""
    if isinstance(data, Mapping):
        return [leaf for key, value in data.items() for leaf in walk(value, (*keys, str(key)))]
    if isinstance(data, list):
        return [leaf for index, value in enumerate(data) for leaf in walk(value, (*keys, index))]
    return [(keys, data)]
