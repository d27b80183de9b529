"""The driver's end of the connections over which the ranks of a training tell how they are."""

from __future__ import annotations

import hmac
import json
import secrets
import selectors
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from models.subprocesses import tail

_TAIL = 20
_PIECE = 1 << 16
_HELLO_BYTES = 1 << 12

Message = dict[str, Any]


@dataclass
class Rank:
    """What is known of a rank that has reported."""

    number: int
    host: str
    log: Path
    connection: socket.socket
    heard: float
    """When it last said anything."""
    rest: bytes = b""
    ended: int | None = None
    """Exit status, negative for a signal."""

    def tail(self) -> list[str]:
        """The last lines of its log."""
        return tail(self.log, _TAIL)


@dataclass
class Listener:
    """Listens on `host`; what ranks log is appended to the file that `log_of` names for each."""

    host: str
    log_of: Callable[[int], Path]
    silence: float
    """Seconds without a word after which a rank counts as lost."""
    token: str = field(default_factory=secrets.token_hex)
    ranks: dict[int, Rank] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._socket = socket.create_server((self.host, 0))
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._socket, selectors.EVENT_READ)

    @property
    def address(self) -> tuple[str, int]:
        """Where ranks report."""
        return self.host, self._socket.getsockname()[1]

    def heard(self, seconds: float) -> Iterator[tuple[Rank, Message]]:
        """What ranks say within `seconds`; {"gone": why} for one that hung up or fell silent without having ended."""
        for key, _ in self._selector.select(seconds):
            if key.fileobj is self._socket:
                self._welcome()
            else:
                yield from self._read(key.data)
        for rank in self.ranks.values():
            quiet = time.monotonic() - rank.heard
            if rank.ended is None and quiet > self.silence:
                yield rank, {"gone": f"no sign of life for {quiet:.0f} s"}

    def close(self) -> None:
        """Hang up: whatever ranks still run end by that."""
        for key in list(self._selector.get_map().values()):
            key.fileobj.close()  # type: ignore[union-attr]
        self._selector.close()

    def _welcome(self) -> None:
        connection, _ = self._socket.accept()
        connection.settimeout(2)
        try:
            with connection.makefile("rb", buffering=0) as lines:
                hello = json.loads(lines.readline(_HELLO_BYTES))
            known = hmac.compare_digest(str(hello["token"]), self.token) and int(hello["rank"]) not in self.ranks
        except (OSError, ValueError, TypeError, KeyError):
            known = False
        if not known:  # a stranger, or Spark's second attempt at a task whose rank is lost
            connection.close()
            return
        rank = Rank(int(hello["rank"]), str(hello["host"]), self.log_of(hello["rank"]), connection, time.monotonic())
        self.ranks[rank.number] = rank
        self._selector.register(connection, selectors.EVENT_READ, rank)

    def _read(self, rank: Rank) -> Iterator[tuple[Rank, Message]]:
        try:
            piece = rank.connection.recv(_PIECE)
        except OSError:
            piece = b""
        rank.heard = time.monotonic()
        *lines, rank.rest = (rank.rest + piece).split(b"\n")
        for line in lines:
            yield from self._understood(rank, json.loads(line))
        if not piece:
            self._selector.unregister(rank.connection)
            rank.connection.close()
            if rank.ended is None:
                yield rank, {"gone": "a connection that broke"}

    def _understood(self, rank: Rank, message: Message) -> Iterator[tuple[Rank, Message]]:
        if "log" in message:
            with rank.log.open("a", encoding="utf-8") as log:
                log.write(message["log"] + "\n")
        elif "ended" in message:
            rank.ended = int(message["ended"])
            yield rank, message
        elif "alive" not in message:
            yield rank, message
