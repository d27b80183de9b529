"""A definition's YAML as plain data that remembers where every key came from."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from textmill.errors import DefinitionError, InputError, Problem

Keys = tuple[str | int, ...]
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


class _Loader(yaml.SafeLoader):
    """SafeLoader in which `on` and `off`, `yes` and `no` are words, as in YAML 1.2: engine options have a key `on`."""


_BOOLEAN = "tag:yaml.org,2002:bool"
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != _BOOLEAN]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(_BOOLEAN, re.compile("true|True|TRUE|false|False|FALSE"), list("tTfF"))


def read(path: Path) -> Tree:
    """Read the YAML file `path`.

    Raises InputError where there is no such file and DefinitionError where it is not a YAML mapping.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such definition file") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: is not UTF-8 text (byte {error.start})") from error
    try:
        return _parse(str(path), text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise DefinitionError([Problem(f"{path}:{line}", "", f"is not valid YAML: {error.problem}")]) from error


def _parse(file: str, text: str) -> Tree:
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        if not isinstance(node, yaml.MappingNode):
            raise DefinitionError([Problem(f"{file}:1", "", "a definition is a mapping that starts with `name:`")])
        lines: dict[Keys, int] = {}
        problems: list[Problem] = []
        _note_lines(node, (), file, lines, problems)
        if problems:
            raise DefinitionError(problems)
        return Tree(file, loader.construct_document(node), lines)
    finally:
        loader.dispose()


def _note_lines(node: yaml.Node, keys: Keys, file: str, lines: dict[Keys, int], problems: list[Problem]) -> None:
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key_node, value_node in node.value:
            key, line = str(key_node.value), key_node.start_mark.line + 1
            if key in seen:
                problems.append(Problem(f"{file}:{line}", ".".join(map(str, (*keys, key))), "is given twice"))
            seen.add(key)
            lines[(*keys, key)] = line
            _note_lines(value_node, (*keys, key), file, lines, problems)
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            lines[(*keys, index)] = item.start_mark.line + 1
            _note_lines(item, (*keys, index), file, lines, problems)


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
        _assign(data, keys, _value(assignment, text))
        overridden.add(keys)
    return Tree(tree.file, data, tree.lines, overridden)


def _value(assignment: str, text: str) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise InputError(f"--set {assignment}: the value is not valid YAML") from error


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
