"""Watching the process of a rank from its parent, which learns at once, from the operating system, how it ended."""

from __future__ import annotations

import json
import os
import selectors
import socket
import subprocess
from collections.abc import Callable, Mapping
from typing import Any

_BEAT_SECONDS = 1.0
_PIECE = 1 << 16


class Watch:
    """Passes a process's lines on by `tell` until it ends, with a sign of life each second.

    What is said over the connection `driver`, or its end, ends the watch.
    """

    def __init__(
        self, process: subprocess.Popen[bytes], tell: Callable[..., None], driver: socket.socket | None = None
    ) -> None:
        self.process, self.tell = process, tell
        self.rest: dict[str, bytes] = {"stdout": b"", "stderr": b""}
        self.selector = selectors.DefaultSelector()
        for name in self.rest:
            self.selector.register(getattr(process, name), selectors.EVENT_READ, name)
        if driver is not None:
            self.selector.register(driver, selectors.EVENT_READ, "driver")

    def until_it_ends(self) -> int | None:
        """The exit status, negative for a signal; None where the driver wants no more."""
        while any(key.data != "driver" for key in self.selector.get_map().values()):
            ready = self.selector.select(_BEAT_SECONDS)
            if any(key.data == "driver" for key, _ in ready):
                return None  # it says nothing but that: by a byte, or by being gone
            for key, _ in ready:
                self._read(key)
            if not ready:
                self.tell(alive=True)
        return self.process.wait()

    def _read(self, key: selectors.SelectorKey) -> None:
        piece = os.read(key.fd, _PIECE)
        if not piece:
            self.selector.unregister(key.fileobj)
        *lines, self.rest[key.data] = (self.rest[key.data] + piece).split(b"\n")
        if not piece and self.rest[key.data]:
            lines.append(self.rest[key.data])
        for line in lines:
            self.tell(**_message(line, key.data))


def _message(line: bytes, stream: str) -> Mapping[str, Any]:
    if stream == "stdout" and line.startswith(b"{"):
        return json.loads(line)  # type: ignore[no-any-return]
    return {"log": line.decode(errors="replace")}
