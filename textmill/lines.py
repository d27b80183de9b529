"""Lines of JSON from another process: cut at a length, read to a depth, so that no line can end who reads it."""

from __future__ import annotations

import json
import re
from typing import Any

LONGEST = 1 << 20
"""Bytes of a line."""
DEEPEST = 32
"""Levels of lists and objects in a line."""
_MARKS = re.compile(r'\\.|["\[\]{}]', re.DOTALL)


class Lines:
    """What arrives piece by piece, given back line by line."""

    def __init__(self, longest: int = LONGEST, cut: bool = False) -> None:
        """`cut`: a line that is longer comes in parts, as a log may have it; else it is an error."""
        self.longest, self.cut, self._rest = longest, cut, bytearray()

    @property
    def rest(self) -> bytes:
        """What no line's end has come for."""
        return bytes(self._rest)

    def feed(self, piece: bytes) -> list[bytes]:
        """The lines that `piece` ends, without their ends. Raises ValueError where one is too long."""
        self._rest += piece
        if b"\n" not in piece and len(self._rest) <= self.longest:
            return []  # bytes that come one by one are not looked through again and again
        *lines, rest = self.rest.split(b"\n")
        if self.cut:
            *parts, rest = self._parts(rest)
            lines = [part for line in lines for part in self._parts(line)] + parts
        elif any(len(line) > self.longest for line in (*lines, rest)):
            raise ValueError(f"a line of more than {self.longest:,} bytes")
        self._rest = bytearray(rest)
        return lines

    def _parts(self, line: bytes) -> list[bytes]:
        return [line[at : at + self.longest] for at in range(0, len(line), self.longest)] or [line]


def parsed(line: bytes, deepest: int = DEEPEST) -> dict[str, Any]:
    """The object in a line of UTF-8. Raises ValueError where there is none, or one that is nested too deeply."""
    text = line.decode("utf-8")
    if depth(text) > deepest:  # json would raise a RecursionError, or end the interpreter
        raise ValueError(f"JSON of more than {deepest} levels")
    found = json.loads(text)
    if not isinstance(found, dict):
        raise ValueError(f"{type(found).__name__} where an object belongs")
    return found


def depth(text: str) -> int:
    """How deeply lists and objects are nested in JSON; brackets in strings do not count."""
    if text.count("[") + text.count("{") <= 1:
        return 1
    level = deepest = 0
    in_string = False
    for mark in _MARKS.findall(text):
        if mark == '"':
            in_string = not in_string
        elif not in_string and mark in "[{":
            level += 1
            deepest = max(deepest, level)
        elif not in_string and mark in "]}":
            level -= 1
    return deepest
