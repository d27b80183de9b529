"""YAML as definitions use it: plain data, each mistake a problem with its line, whatever the text is.

Words such as `on` and dates such as 2026-01-01 are strings, as in YAML 1.2. What aliases stand for is counted, and
nesting is, so that a short text can't become a huge value.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from textmill.errors import DefinitionError, InputError, Problem

Keys = tuple[str | int, ...]
Settle = Callable[[yaml.Node], None]
DEEPEST = 64
"""Levels of lists and mappings inside each other."""
_MOST_BYTES = 8 << 20
_MOST_OF_ALIASES = 20_000
"""Values that aliases may stand for beyond those that are written."""
_MOST_BITS = 63
_TAG = "tag:yaml.org,2002:"
_TAGS = frozenset(f"{_TAG}{name}" for name in ("str", "int", "float", "bool", "null", "seq", "map"))
_BOMS = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}


class _Wrong(yaml.MarkedYAMLError):
    """YAML that is valid and not meant."""

    def __init__(self, problem: str, mark: Any) -> None:
        super().__init__(problem=problem, problem_mark=mark)


class _Loader(yaml.SafeLoader):
    """SafeLoader with limits, without merge keys, dates and other types of YAML 1.1."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.level, self.written = 0, 0
        self.sizes: dict[int, tuple[int, int]] = {}
        """By node: the values that it stands for, and its levels."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        """The next node; raises where it is too much or of a kind that definitions don't have."""
        event = self.peek_event()
        self.level += 1
        if self.level > DEEPEST:
            raise _Wrong(f"more than {DEEPEST} levels inside each other", event.start_mark)
        node = super().compose_node(parent, index)
        self.level -= 1
        if isinstance(event, yaml.AliasEvent):
            if id(node) not in self.sizes:
                raise _Wrong(f"*{event.anchor} stands inside of what it stands for", event.start_mark)
            return node
        if isinstance(node, yaml.ScalarNode):
            node.value = _paired(node)
        self.written += 1
        self.sizes[id(node)] = self._measured(node)
        return node

    def _measured(self, node: yaml.Node) -> tuple[int, int]:
        if node.tag not in _TAGS:
            raise _Wrong(f"the tag {node.tag.replace(_TAG, '!!')} is not one of definitions", node.start_mark)
        inner = [self.sizes[id(one)] for one in _inside(node)]
        size, levels = 1 + sum(size for size, _ in inner), 1 + max((levels for _, levels in inner), default=0)
        if size > self.written + _MOST_OF_ALIASES:
            raise _Wrong(f"its aliases stand for more than {_MOST_OF_ALIASES:,} values", node.start_mark)
        if levels > DEEPEST:
            raise _Wrong(f"its aliases make more than {DEEPEST} levels inside each other", node.start_mark)
        return size, levels

    def construct_object(self, node: Any, deep: bool = False) -> Any:
        """The value of a node; a scalar that its tag does not fit is a problem like any other."""
        try:
            value = super().construct_object(node, deep)
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise _Wrong(f"{_shown(node)} is no {node.tag.removeprefix(_TAG)}", node.start_mark) from error
        if isinstance(value, int) and value.bit_length() > _MOST_BITS:
            raise _Wrong(f"{_shown(node)} is too large: whole numbers have {_MOST_BITS} bits", node.start_mark)
        return value


def _inside(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        return [one for pair in node.value for one in pair]
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []


def _paired(node: yaml.ScalarNode) -> str:
    r"""The text, in which JSON may have written one character as two escapes, such as \ud83d\ude42."""
    try:
        return str(node.value).encode("utf-16-le", "surrogatepass").decode("utf-16-le")
    except UnicodeDecodeError as error:
        raise _Wrong("one of its escapes is half of a character (\\ud800 to \\udfff)", node.start_mark) from error


def _shown(node: yaml.Node) -> str:
    text = str(node.value)
    return repr(text if len(text) <= 40 else f"{text[:39]}…")


_RESOLVED = {f"{_TAG}{name}" for name in ("int", "float", "null")}
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag in _RESOLVED]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
# `on` and `off`, `yes` and `no` are words: engine options have a key `on`.
_Loader.add_implicit_resolver(f"{_TAG}bool", re.compile("true|True|TRUE|false|False|FALSE"), list("tTfF"))


def text_of(path: Path) -> str:
    """The text of a file. Raises InputError where there is none, DefinitionError where it can't be read or is no UTF-8."""
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such definition file") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in its name
        said = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise _failed(path, 1, f"can't be read: {said}") from error
    if len(content) > _MOST_BYTES:
        raise _failed(path, 1, f"is larger than {_MOST_BYTES >> 20} MiB: a definition names its data by paths")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        named = _BOMS.get(content[:2], "")
        message = f"is {named}: save it as UTF-8" if named else f"is not UTF-8 text (byte {error.start})"
        raise _failed(path, line, message) from error


def _failed(file: object, line: int, message: str) -> DefinitionError:
    return DefinitionError([Problem(f"{file}:{line}", "", message)])


def parse(file: str, text: str, settle: Settle = lambda node: None) -> tuple[Any, dict[Keys, int]]:
    """The value that a text is, and the line of each of its keys. Raises DefinitionError, with `file:line`.

    `settle` may change the tags of nodes before they become values.
    """
    try:
        return _parsed(file, text, settle)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        said = str(error.problem) if isinstance(error, _Wrong) else f"is not valid YAML: {error.problem}"
        raise _failed(file, mark.line + 1 if mark else 1, said) from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise _failed(file, line, f"is not valid YAML: U+{error.character:04X} is not allowed in it") from error


def _parsed(file: str, text: str, settle: Settle) -> tuple[Any, dict[Keys, int]]:
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None, {}
        lines: dict[Keys, int] = {}
        problems: list[Problem] = []
        _note_lines(node, (), file, lines, problems)
        if problems:
            raise DefinitionError(problems)
        settle(node)
        return _apart(loader.construct_document(node)), lines
    finally:
        loader.dispose()


def _note_lines(node: yaml.Node, keys: Keys, file: str, lines: dict[Keys, int], problems: list[Problem]) -> None:
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key_node, value_node in node.value:
            key, line = str(key_node.value), key_node.start_mark.line + 1
            told = None if key not in seen else "is given twice"
            if key == "<<" and not key_node.style:
                told = "merge keys are not of YAML 1.2: write the keys, or an alias for the whole mapping"
            if told:
                problems.append(Problem(f"{file}:{line}", ".".join(map(str, (*keys, key))), told))
            seen.add(key)
            lines[(*keys, key)] = line
            _note_lines(value_node, (*keys, key), file, lines, problems)
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            lines[(*keys, index)] = item.start_mark.line + 1
            _note_lines(item, (*keys, index), file, lines, problems)


def _apart(value: Any) -> Any:
    """The value without parts that aliases share, so that one can be replaced alone."""
    if isinstance(value, dict):
        return {key: _apart(inner) for key, inner in value.items()}
    return [_apart(inner) for inner in value] if isinstance(value, list) else value
