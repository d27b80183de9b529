"""The processes that a training starts: what they inherit, how they end, and what their logs end with."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from models import descendants

_TAIL_BYTES = 1 << 16
_GRACE_SECONDS = 5.0


def environ() -> dict[str, str]:
    """The environment of a process that can import what this one can, and belongs to no cluster of TensorFlow.

    Code may have come as a zip file of spark-submit, which no working folder makes importable.
    """
    path = os.pathsep.join(entry or os.getcwd() for entry in sys.path)
    return {**{key: value for key, value in os.environ.items() if key != "TF_CONFIG"}, "PYTHONPATH": path}


def started(command: list[str], **options: Any) -> subprocess.Popen[bytes]:
    """A process in a group of its own, which `end` ends; its standard input is a pipe, whose end is its end."""
    return subprocess.Popen(command, stdin=subprocess.PIPE, process_group=0, **options)


def end(process: subprocess.Popen[bytes]) -> None:
    """Kill a process, and end what it has started: what is below it while it lives, and what is in its group."""
    theirs = set(descendants.below(process.pid)) if process.poll() is None else set()
    process.kill()
    process.wait()
    if theirs or descendants.group(process.pid):
        descendants.end(lambda: [*(theirs & descendants.living()), *descendants.group(process.pid)], _GRACE_SECONDS)


def tail(log: Path, lines: int) -> list[str]:
    """The last lines of a log, as many as 64 KiB hold; none where there is no log."""
    try:
        with log.open("rb") as stream:
            stream.seek(max(0, os.fstat(stream.fileno()).st_size - _TAIL_BYTES))
            return stream.read(_TAIL_BYTES).decode("utf-8", "replace").splitlines()[-lines:]
    except FileNotFoundError:
        return []
