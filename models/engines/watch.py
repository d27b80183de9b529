"""Watching the process of a rank from its parent, which learns at once, from the operating system, how it ended."""

from __future__ import annotations

import json
import os
import selectors
import socket
import subprocess
import time
from collections.abc import Callable, Mapping
from typing import Any

_BEAT_SECONDS = 1.0
_PIECE = 1 << 16
_LONGEST_LINE = 1 << 20


class Watch:
    """Passes a process's lines on by `tell` until it ends, with a sign of life each second.

    What it has started may hold its output open: that is not waited for.

    What is said over the connection `driver`, or its end, ends the watch.
    """

    def __init__(
        self, process: subprocess.Popen[bytes], tell: Callable[..., None], driver: socket.socket | None = None
    ) -> None:
        self.process, self.tell = process, tell
        streams = {"stdout": process.stdout, "stderr": process.stderr}
        self.rest: dict[str, bytes] = {name: b"" for name, stream in streams.items() if stream is not None}
        self.selector = selectors.DefaultSelector()
        for name in self.rest:
            self.selector.register(streams[name], selectors.EVENT_READ, name)  # type: ignore[arg-type]
        if driver is not None:
            self.selector.register(driver, selectors.EVENT_READ, "driver")

    def until_it_ends(self) -> int | None:
        """The exit status, negative for a signal; None where the driver wants no more."""
        ended: float | None = None
        while any(key.data != "driver" for key in self.selector.get_map().values()):
            ready = self.selector.select(_BEAT_SECONDS)
            if any(key.data == "driver" for key, _ in ready):
                return None  # it says nothing but that: by a byte, or by being gone
            for key, _ in ready:
                self._read(key)
            if self.process.poll() is not None:
                ended = ended or time.monotonic()
                if not ready or time.monotonic() - ended > _BEAT_SECONDS:
                    break
            elif not ready:
                self.tell(alive=True)
        return self.process.wait()

    def _read(self, key: selectors.SelectorKey) -> None:
        piece = os.read(key.fd, _PIECE)
        if not piece:
            self.selector.unregister(key.fileobj)
        *lines, self.rest[key.data] = (self.rest[key.data] + piece).split(b"\n")
        if self.rest[key.data] and (not piece or len(self.rest[key.data]) > _LONGEST_LINE):
            lines.append(self.rest[key.data])
            self.rest[key.data] = b""
        for line in lines:
            self.tell(**_message(line, key.data))


def _message(line: bytes, stream: str) -> Mapping[str, Any]:
    if stream == "stdout" and line.startswith(b"{"):
        return json.loads(line)  # type: ignore[no-any-return]
    return {"log": line.decode(errors="replace")}
