"""Where a rank gets the shards that Spark's tasks bring: Arrow batches over a connection, nothing row by row."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from models.engines.worker import say
from models.tensors import Shard, Tensors
from textmill.doors import Door, token_for
from textmill.places import Place

BUFFER = 1 << 20
TAKEN = b"\n"
TOKEN = "TEXTMILL_INBOX_TOKEN"
"""The variable by which a rank's process gets the token of its inbox."""
_AHEAD = 1
"""Shards taken in before they are wanted."""

Key = tuple[int, int]
"""Epoch, and the place in the rank's order of shards."""


def token_of(training: str, rank: int) -> str:
    """The token of a rank's inbox, which both ends make of the training's: it is not sent."""
    return token_for(training, f"inbox {rank}")


class Inbox:
    """Listens on `host`; a connection that knows `token` brings one shard and gets `TAKEN` for it.

    No two ranks can block each other: tasks bring the ranks' first shards first, then their second ones, and every
    rank takes a shard in while it still trains on the one before.
    """

    def __init__(self, host: str, token: str) -> None:
        self._tables: dict[Key, pa.Table] = {}
        self._wanted: Key = (0, 0)
        self._changed = threading.Condition()
        self._door = Door(host, token, self._welcome)

    @property
    def address(self) -> tuple[str, int]:
        """Where shards are brought to."""
        return self._door.address

    def take(self, key: Key) -> pa.Table:
        """The shard `key`, waited for: how long is the driver's to decide, which ends this process."""
        with self._changed:
            self._wanted = key
            self._changed.notify_all()
            self._changed.wait_for(lambda: key in self._tables)
            return self._tables.pop(key)

    def _welcome(self, connection: socket.socket, greeting: dict[str, Any]) -> None:
        key = greeting.get("epoch"), greeting.get("place")
        if not all(type(number) is int for number in key):
            raise ValueError("no shard")
        threading.Thread(target=self._receive, args=(connection, key), daemon=True).start()

    def _receive(self, connection: socket.socket, key: Key) -> None:
        with connection, connection.makefile("rb", buffering=BUFFER) as stream:
            with self._changed:
                self._changed.wait_for(lambda: key <= (self._wanted[0], self._wanted[1] + _AHEAD))
            table = pa.ipc.open_stream(stream).read_all()
            with self._changed:
                if key >= self._wanted:  # else it was brought before, by a task that Spark started again
                    self._tables[key] = table
                    self._changed.notify_all()
            connection.sendall(TAKEN)


@dataclass(frozen=True)
class Fed(Tensors):
    """Tensors whose shards of train come to an inbox; the description and the shards of valid are read."""

    inbox: Inbox

    def stream(self, files: Sequence[Place], epoch: int) -> Iterator[Shard]:
        """Asks for the epoch once, and gives the shards as they come."""
        say(wants=epoch)
        for place, file in enumerate(files):
            yield self.shard(self.inbox.take((epoch, place)), file)


def opened(folder: Place, host: str) -> Fed:
    """The tensors of a rank on `host`, which tells the driver where to bring its shards."""
    inbox = Inbox(host, os.environ[TOKEN])
    say(serves=inbox.address)
    return Fed(folder, inbox)
