"""The connections over which the ranks of a training report to the driver: both ends."""

from __future__ import annotations

import json
import queue
import secrets
import selectors
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from models.engines.messages import Message, message
from models.subprocesses import tail
from textmill.doors import Door, knock
from textmill.lines import Lines

_TAIL = 20
_PIECE = 1 << 16
_MOST_RANKS = 1 << 16


@dataclass
class Rank:
    """What is known of a rank that has reported."""

    number: int
    host: str
    log: Path
    connection: socket.socket
    heard: float
    """When it last said anything."""
    lines: Lines = field(default_factory=Lines)
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
        self._selector = selectors.DefaultSelector()
        self._arrived: queue.SimpleQueue[Rank] = queue.SimpleQueue()
        self._door = Door(self.host, self.token, self._welcome)

    @property
    def address(self) -> tuple[str, int]:
        """Where ranks report."""
        return self._door.address

    def heard(self, seconds: float) -> Iterator[tuple[Rank, Message]]:
        """What ranks say within `seconds`; {"gone": why} for one that hung up or fell silent without having ended."""
        self._seat()
        for key, _ in self._selector.select(seconds):
            yield from self._read(key.data)
        for rank in self.ranks.values():
            quiet = time.monotonic() - rank.heard
            if rank.ended is None and quiet > self.silence:
                yield rank, {"gone": f"no sign of life for {quiet:.0f} s"}

    def close(self) -> None:
        """Hang up: whatever ranks still run end by that."""
        self._door.close()
        while not self._arrived.empty():
            self._arrived.get().connection.close()
        for key in list(self._selector.get_map().values()):
            key.fileobj.close()  # type: ignore[union-attr]
        self._selector.close()

    def _welcome(self, connection: socket.socket, greeting: dict[str, Any]) -> None:
        """In the door's thread, so that ranks get in while the training's is busy."""
        number, host = greeting.get("rank"), greeting.get("host")
        if type(number) is not int or not 0 <= number < _MOST_RANKS or not isinstance(host, str):
            raise ValueError("not a rank")
        self._arrived.put(Rank(number, host, self.log_of(number), connection, time.monotonic()))

    def _seat(self) -> None:
        while not self._arrived.empty():
            rank = self._arrived.get()
            if rank.number in self.ranks:  # Spark's second attempt at a task whose rank is lost
                rank.connection.close()
                continue
            rank.heard = time.monotonic()
            self.ranks[rank.number] = rank
            self._selector.register(rank.connection, selectors.EVENT_READ, rank)

    def _read(self, rank: Rank) -> Iterator[tuple[Rank, Message]]:
        try:
            piece = rank.connection.recv(_PIECE)
        except OSError:
            piece = b""
        rank.heard = time.monotonic()
        try:
            for line in rank.lines.feed(piece):
                yield from self._understood(rank, message(line))
        except ValueError as error:
            yield from self._hang_up(rank, f"a message that nobody understands ({error})")
            return
        if not piece:
            yield from self._hang_up(rank, "a connection that broke")

    def _hang_up(self, rank: Rank, why: str) -> Iterator[tuple[Rank, Message]]:
        self._selector.unregister(rank.connection)
        rank.connection.close()
        if rank.ended is None:
            yield rank, {"gone": why}

    def _understood(self, rank: Rank, said: Message) -> Iterator[tuple[Rank, Message]]:
        if "log" in said:
            with rank.log.open("a", encoding="utf-8", errors="backslashreplace") as log:
                log.write(said["log"] + "\n")
        elif "ended" in said:
            rank.ended = said["ended"]
            yield rank, said
        elif "alive" not in said:
            yield rank, said


def connected(driver: tuple[str, int], token: str, rank: int) -> socket.socket:
    """A rank's connection to the driver's listener. Raises OSError where it is not taken in."""
    return knock(driver, token, {"rank": rank, "host": socket.gethostname()})


def tell(driver: socket.socket, **said: Any) -> None:
    """Send a message."""
    driver.sendall(json.dumps(said).encode() + b"\n")
