"""Watching the process of a rank from its parent, which learns at once, from the operating system, how it ended."""

from __future__ import annotations

import os
import selectors
import socket
import subprocess
import time
from collections.abc import Callable

from models.engines.messages import log, output
from textmill.lines import Lines

_BEAT_SECONDS = 1.0
_PIECE = 1 << 16
_MEANING = {"stdout": output, "stderr": log}


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
        self.lines = {name: Lines(cut=True) for name, stream in streams.items() if stream is not None}
        self.selector = selectors.DefaultSelector()
        for name in self.lines:
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
        lines = self.lines[key.data].feed(piece)
        if not piece and (rest := self.lines[key.data].rest):
            lines.append(rest)
        for message in (each for line in lines for each in _MEANING[key.data](line)):
            self.tell(**message)
