"""Processes of a cluster, found by the mark in their environment.

A pid alone proves nothing: it may have been given to somebody else since. The mark is drawn at random by each start and
inherited by everything the cluster starts, also by containers whose NodeManager was killed.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterable
from pathlib import Path

from scripts.dev_cluster.cluster import MARK


def environment(pid: int) -> dict[str, str]:
    """The environment a process was started with; empty where it is gone, a zombie, or somebody else's."""
    try:
        raw = Path("/proc", str(pid), "environ").read_bytes()
    except OSError:
        return {}
    pairs = (entry.partition(b"=") for entry in raw.split(b"\0") if entry)
    return {os.fsdecode(name): os.fsdecode(value) for name, _, value in pairs}


def arguments(pid: int) -> list[str]:
    """The command line of a process; empty where it is gone."""
    try:
        return [os.fsdecode(word) for word in Path("/proc", str(pid), "cmdline").read_bytes().split(b"\0")[:-1]]
    except OSError:
        return []


def is_marked(pid: int, mark: str) -> bool:
    """Whether a process lives and belongs to the cluster of this mark."""
    return environment(pid).get(MARK) == mark


def marked(mark: str) -> list[int]:
    """All processes of the cluster of this mark."""
    pids = (int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit())
    return sorted(pid for pid in pids if is_marked(pid, mark))


def send(pid: int, mark: str, number: signal.Signals) -> bool:
    """Signal a process if it belongs to the cluster; says whether it did."""
    if not is_marked(pid, mark):
        return False
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True


def end(pids: Iterable[int], mark: str, grace: float = 10) -> None:
    """Ask processes of the cluster to end, and kill those that still live after `grace` seconds."""
    asked = [pid for pid in pids if send(pid, mark, signal.SIGTERM)]
    if not _gone(asked, mark, grace):
        for pid in asked:
            send(pid, mark, signal.SIGKILL)
        _gone(asked, mark, 10)


def end_all(mark: str) -> None:
    """Kill whatever still carries the mark: containers without a NodeManager, and what they start meanwhile."""
    for _ in range(20):
        pids = marked(mark)
        if not pids:
            return
        for pid in pids:
            send(pid, mark, signal.SIGKILL)
        _gone(pids, mark, 2)


def _gone(pids: list[int], mark: str, seconds: float) -> bool:
    until = time.monotonic() + seconds
    while any(is_marked(pid, mark) for pid in pids):
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True
