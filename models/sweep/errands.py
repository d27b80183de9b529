"""What a caller of the server of trials says: one line of JSON, read as it arrives."""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass, field
from typing import Any

from textmill.lines import Lines, parsed

_PIECE = 1 << 16


@dataclass
class Calling:
    """A connection whose errand is not there yet."""

    connection: socket.socket
    since: float = field(default_factory=time.monotonic)
    lines: Lines = field(default_factory=Lines)

    def errand(self) -> dict[str, Any] | None:
        """The errand, once all of it has arrived. Raises ValueError where it is none, OSError where the caller is gone."""
        piece = self.connection.recv(_PIECE)
        if not piece:
            raise ConnectionError("hung up")
        line = next(iter(self.lines.feed(piece)), None)
        return None if line is None else _errand(parsed(line))


def _errand(given: dict[str, Any]) -> dict[str, Any]:
    """With what the server itself reads of it; the rest is the trial's."""
    kinds = {"log": str, "seconds": int | float | None, "memory": int | None}
    if not all(key in given and isinstance(given[key], kind) for key, kind in kinds.items()):
        raise ValueError("no errand")
    return given
