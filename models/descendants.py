"""What a process has started, and what that has started, found in /proc: also what took a session of its own."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import time
from collections.abc import Callable, Iterable, Iterator

_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36
_END_SECONDS, _POLL_SECONDS = 10.0, 0.005


def adopt() -> None:
    """Be the parent of all that this process's descendants leave behind, where init would be otherwise."""
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def end_with_parent() -> None:
    """Have the kernel kill this process when its parent ends."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def tree() -> dict[int, list[int]]:
    """The children of each process; what ends meanwhile is left out."""
    found: dict[int, list[int]] = {}
    for pid, (parent, _) in _all():
        found.setdefault(parent, []).append(pid)
    return found


def living() -> set[int]:
    """All processes."""
    return {pid for pid, _ in _all()}


def group(number: int) -> list[int]:
    """The processes of a group."""
    return [pid for pid, (_, of) in _all() if of == number]


def _all() -> Iterator[tuple[int, tuple[int, int]]]:
    """Number, parent and group of all processes but those that have ended and are not waited for."""
    for name in os.listdir("/proc"):
        if name.isdigit() and (told := _told(name)) is not None:
            yield int(name), told


def _told(name: str) -> tuple[int, int] | None:
    try:
        with open(f"/proc/{name}/stat", "rb") as stat:
            # The command's name comes before, in brackets: it may hold brackets and blanks itself.
            state, parent, group = stat.read().rpartition(b")")[2].split()[:3]
    except (OSError, ValueError):
        return None
    return None if state in b"ZX" else (int(parent), int(group))


def below(pid: int, children: dict[int, list[int]] | None = None) -> list[int]:
    """All descendants that live, parents first; `children` is what `tree` gave, now if that is None."""
    children, found = tree() if children is None else children, [pid]
    for one in found:
        found.extend(children.get(one, ()))
    return found[1:]


def kill(pids: Iterable[int], by: signal.Signals = signal.SIGKILL) -> None:
    """Send a signal to those of them that are there."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, by)


def end(find: Callable[[], list[int]], grace: float = 0.0) -> None:
    """Kill what `find` finds until that is nothing; with `grace`, in seconds, all may end by themselves first."""
    deadline = time.monotonic() + grace
    if grace:
        kill(find(), signal.SIGTERM)
    while find() and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
    deadline = time.monotonic() + _END_SECONDS
    while (found := find()) and time.monotonic() < deadline:
        kill(found)
        time.sleep(_POLL_SECONDS)


def end_own(grace: float = 0.0) -> None:
    """End all that this process has started or adopted."""

    def find() -> list[int]:
        reap()
        return below(os.getpid())

    end(find, grace)


def reap() -> dict[int, int]:
    """Wait for those children that have ended; their statuses, as waitpid gives them."""
    ended: dict[int, int] = {}
    with contextlib.suppress(ChildProcessError):
        while (found := os.waitpid(-1, os.WNOHANG))[0]:
            ended[found[0]] = found[1]
    return ended
