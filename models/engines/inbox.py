"""Where a rank gets the shards that Spark's tasks bring: Arrow batches over a connection, nothing row by row."""

from __future__ import annotations

import hmac
import json
import secrets
import socket
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa

from models.engines.worker import say
from models.tensors import Shard, Tensors
from textmill.places import Place

BUFFER = 1 << 20
TAKEN = b"\n"
_AHEAD = 1
"""Shards taken in before they are wanted."""
_LONGEST_HEADER = 1 << 12

Key = tuple[int, int]
"""Epoch, and the place in the rank's order of shards."""


class Inbox:
    """Listens on `host`; a connection brings one shard and gets `TAKEN` for it.

    No two ranks can block each other: tasks bring the ranks' first shards first, then their second ones, and every
    rank takes a shard in while it still trains on the one before.
    """

    def __init__(self, host: str) -> None:
        self.token = secrets.token_hex()
        self._server = socket.create_server((host, 0))
        self._tables: dict[Key, pa.Table] = {}
        self._wanted: Key = (0, 0)
        self._changed = threading.Condition()
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def address(self) -> tuple[str, int]:
        """Where shards are brought to."""
        found: tuple[str, int] = self._server.getsockname()[:2]
        return found

    def take(self, key: Key) -> pa.Table:
        """The shard `key`, waited for: how long is the driver's to decide, which ends this process."""
        with self._changed:
            self._wanted = key
            self._changed.notify_all()
            self._changed.wait_for(lambda: key in self._tables)
            return self._tables.pop(key)

    def _serve(self) -> None:
        while True:
            connection, _ = self._server.accept()
            threading.Thread(target=self._receive, args=(connection,), daemon=True).start()

    def _receive(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb", buffering=BUFFER) as stream:
            key = self._announced(stream.readline(_LONGEST_HEADER))
            if key is None:
                return
            with self._changed:
                self._changed.wait_for(lambda: key <= (self._wanted[0], self._wanted[1] + _AHEAD))
            table = pa.ipc.open_stream(stream).read_all()
            with self._changed:
                if key >= self._wanted:  # else it was brought before, by a task that Spark started again
                    self._tables[key] = table
                    self._changed.notify_all()
            connection.sendall(TAKEN)

    def _announced(self, header: bytes) -> Key | None:
        """Which shard comes; None from a stranger."""
        try:
            said = json.loads(header)
            known = hmac.compare_digest(str(said["token"]), self.token)
            return (int(said["epoch"]), int(said["place"])) if known else None
        except (ValueError, TypeError, KeyError):
            return None


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
    inbox = Inbox(host)
    say(serves={"address": inbox.address, "token": inbox.token})
    return Fed(folder, inbox)
