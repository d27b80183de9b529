"""What a rank says of itself: one JSON object a line, on its standard output and over its connection to the driver."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any

from models.engines.base import Progress
from textmill.lines import parsed

_LOG_BYTES = 1 << 16
"""Of a line of a log in one message, which has at most six times as many: longer lines come in several."""

Message = dict[str, Any]


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _object(value: Any) -> bool:
    return isinstance(value, dict)


def _progress(value: Any) -> bool:
    return _object(value) and value.keys() == {each.name for each in fields(Progress)} and all(map(_number, value.values()))


def _address(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and isinstance(value[0], str) and _integer(value[1])


def _lost(value: Any) -> bool:
    """Of a Lost."""
    return (
        _object(value) and value.keys() == {"rank", "host", "status", "tail", "peer"} and _integer(value["rank"])
        and isinstance(value["host"], str) and isinstance(value["status"], str) and isinstance(value["peer"], bool)
        and isinstance(value["tail"], list) and all(isinstance(line, str) for line in value["tail"])
    )  # fmt: skip


_KINDS: dict[str, Callable[[Any], bool]] = {
    "progress": _progress,
    "done": _object,
    "log": lambda value: isinstance(value, str),
    "alive": lambda value: isinstance(value, bool),
    "ended": _integer,
    "serves": _address,
    "wants": _integer,
    "lost": _lost,
}


def message(line: bytes) -> Message:
    """The message in a line: one key of those above, with a value that fits. Raises ValueError."""
    found = parsed(line)
    for kind, value in found.items():
        if kind not in _KINDS or not _KINDS[kind](value):
            raise ValueError(f"{kind!r} is no message of a rank, or not with this value")
    if len(found) != 1:
        raise ValueError(f"{len(found)} messages in one line")
    return found


def output(line: bytes) -> list[Message]:
    """What a line of a rank's standard output says: a message, or else a line of its log, for models of users print too."""
    try:
        if line.startswith(b"{"):
            return [message(line)]
    except ValueError:
        pass
    return log(line)


def log(line: bytes) -> list[Message]:
    """A line of a rank's log."""
    parts = [line[at : at + _LOG_BYTES] for at in range(0, len(line), _LOG_BYTES)] or [line]
    return [{"log": part.decode(errors="replace")} for part in parts]
