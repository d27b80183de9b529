"""What the worker processes of all engines have in common: progress as JSON lines on standard output, and how they end."""

from __future__ import annotations

import atexit
import json
import os
import threading
import time
from collections.abc import Callable
from typing import Any

from models import descendants
from models.engines.base import Progress

_REPORT_SECONDS = 0.5
_GRACE_SECONDS = 5.0
"""For what a worker has started to end by itself: a JVM removes its temporary files."""


def work(train: Callable[[Callable[[Progress], None]], dict[str, Any] | None]) -> None:
    """Run `train` with a function that it reports to; what it returns, if anything, is the last line.

    What it starts is this process's to the end, and ends with it.
    """
    descendants.adopt()
    atexit.register(descendants.end_own, _GRACE_SECONDS)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    last = 0.0

    def report(progress: Progress) -> None:
        nonlocal last
        if time.monotonic() - last > _REPORT_SECONDS:
            last = time.monotonic()
            say(progress=progress.__dict__)

    if (done := train(report)) is not None:
        say(done=done)


def _end_with_parent() -> None:
    while os.read(0, 1024):  # not sys.stdin, whose lock this thread would hold as the interpreter ends
        pass
    descendants.end_own(_GRACE_SECONDS)
    os._exit(1)


def say(**message: Any) -> None:
    """Tell the engine something, as one line."""
    print(json.dumps(message), flush=True)
