"""Which process made what: a mark in the name of everything in the making, and whether its maker still lives."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import time
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from textmill.places import Place

_MARKED = re.compile(
    r"(?P<before>.*)\.(?P<pid>\d+)(?:_(?P<born>\d+))?(?:-(?P<of>[0-9a-f]+))?\.(?P<kind>part|old)", re.DOTALL
)
_LEFT_SECONDS = 2 * 86400
"""What another host's process left is taken for abandoned when it is older: whether that one lives can't be seen."""


def mark() -> str:
    """This process among all that share a file system, and one of the things it makes: `host.pid_born-number`."""
    pid = os.getpid()
    started = f"_{born(pid)}" if born(pid) else ""
    return f"{_host()}.{pid}{started}-{uuid.uuid4().hex[:8]}"


def beside(found: Place, kind: str = "part") -> Place:
    """A name beside `found` for what is not yet it (`part`) or is it no more (`old`); no two calls give the same."""
    return found.with_name(f"{found.name}.{mark()}.{kind}")


def is_marked(name: str) -> bool:
    """Whether `beside` gave this name, of this version of textmill or an earlier one."""
    return _MARKED.fullmatch(name) is not None


def is_abandoned(found: Place) -> bool:
    """Whether it has a mark and the process that made it lives no more; False for what is gone meanwhile."""
    from textmill import places

    told = _MARKED.fullmatch(found.name)
    if told is None:
        return False
    if told["before"].endswith((f".{_host()}", f".{socket.gethostname()}")):
        return not lives(int(told["pid"]), told["born"] or "")
    with contextlib.suppress(OSError):
        return 0 < places.info(found).modified < time.time() - _LEFT_SECONDS
    return False


def abandoned(inside: Iterable[Place]) -> list[Place]:
    """Those of these that processes left behind that were killed."""
    return [found for found in inside if is_abandoned(found)]


def alive(pid: int) -> bool:
    """Whether a process with this number runs on this machine."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return (_stat(pid) or [""])[0] not in ("Z", "X")  # one that ended stays until its parent has asked for its status


def lives(pid: int, started: str) -> bool:
    """Whether the process that started then, in `born`'s words, runs; where that is not known its number has to do."""
    return alive(pid) and (not started or born(pid) == started)


def born(pid: int) -> str:
    """When a process of this machine started, in the kernel's clock ticks since boot: process numbers are used again."""
    fields = _stat(pid)
    return fields[19] if fields else ""


def _stat(pid: int) -> list[str]:
    """What Linux says of a process, from its state on; nothing on other systems."""
    try:
        told = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return told.rpartition(")")[2].split()


def _host() -> str:
    """Without dots, so that the name of one host is never the end of another's."""
    return socket.gethostname().replace(".", "-")
