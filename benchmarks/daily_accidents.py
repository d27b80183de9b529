"""What goes wrong with daily runs: kill -9, a full disk, a damaged file, a clock that is set back."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.daily import Days

_FAKETIME = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1")
"""Debian's package faketime."""
_EXECUTOR = b"CoarseGrainedExecutorBackend"


def processes(group: int, word: bytes) -> list[int]:
    """Processes of a group whose command line holds a word."""
    found = []
    for folder in Path("/proc").iterdir():
        try:
            pid = int(folder.name)
            if os.getpgid(pid) == group and word in (folder / "cmdline").read_bytes():
                found.append(pid)
        except (ValueError, OSError):
            continue
    return found


def kill(days: Days, date: str, dice: random.Random, whom: str) -> None:
    """Kill the driver, an executor or both at a random moment of a run on executors; what is left ends by itself.

    Without its driver a run is over; without an executor it goes on with another.
    """
    process = days.start("--date", date, profile="executors")
    executors = _wait_for_executors(process)
    time.sleep(dice.uniform(0, 25))
    if process.poll() is None and whom in ("executor", "both"):
        executors = processes(process.pid, _EXECUTOR) or executors
        days.count("killed_executors", _kill(dice.sample(executors, 1)) if executors else 0)
        time.sleep(dice.uniform(0, 5) if whom == "both" else 0)
    if process.poll() is None and whom in ("driver", "both"):
        days.count("killed_drivers", _kill([process.pid]))
    said = days.end(process)
    days.count("dates_with_kills")
    if whom == "executor" and process.returncode == 0:
        days.count("survived_without_restart")
    print(f"{date}: {whom} killed, status {process.returncode}: {said.strip().splitlines()[-1:]}", flush=True)


def _wait_for_executors(process: subprocess.Popen[str]) -> list[int]:
    while process.poll() is None:
        if found := processes(process.pid, _EXECUTOR):
            return found
        time.sleep(0.1)
    return []


def _kill(pids: Iterable[int]) -> int:
    killed = 0
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
            killed += 1
        except ProcessLookupError:
            continue
    return killed


def fill_disk(days: Days, date: str, dice: random.Random) -> None:
    """A run on a file system with a few kilobytes left: it has to fail, and to leave nothing that is taken for whole."""
    runs = days.folder / "runs"
    if not runs.is_mount():
        print(f"{date}: no full disk, for the runs have no file system of their own (mounting one needs root)")
        return
    ballast = runs / "ballast"
    with ballast.open("wb") as stream:
        left = os.statvfs(runs)
        free = left.f_bavail * left.f_frsize - dice.randrange(100, 400) * 1024
        os.posix_fallocate(stream.fileno(), 0, free)
    process = days.start("--date", date)
    said = days.end(process)
    ballast.unlink()
    if process.returncode == 0 or "No space left on device" not in said:
        raise RuntimeError(f"{date}: status {process.returncode} on a full disk\n{said}")
    days.count("disk_full")
    print(f"{date}: disk full: {said.strip().splitlines()[-2:]}", flush=True)


def damage(days: Days, dice: random.Random) -> None:
    """Change a byte in the middle of a Parquet file of the store that the next run reuses."""
    files = sorted((days.folder / "runs/store/text.clean").glob("*/rows/*.parquet"))
    victim = dice.choice(files)
    content = bytearray(victim.read_bytes())
    content[len(content) // 2] ^= 0xFF
    victim.write_bytes(content)
    days.count("damaged")


def set_clock_back(days: Days, date: str, dice: random.Random) -> None:
    """The clock of all processes of a run goes back by a day while it runs."""
    if not _FAKETIME.exists():
        print(f"{date}: the clock stays, for Debian's faketime is not installed")
        return
    clock = days.folder / "clock"
    clock.write_text("+0\n")
    environ = {
        "LD_PRELOAD": str(_FAKETIME), "FAKETIME_TIMESTAMP_FILE": str(clock), "FAKETIME_CACHE_DURATION": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }  # fmt: skip
    process = days.start("--date", date, **environ)
    time.sleep(dice.uniform(3, 12))
    clock.write_text("-86400\n")
    said = days.end(process)
    days.count("clock_set_back")
    print(f"{date}: clock back by a day, status {process.returncode}: {said.strip().splitlines()[-1:]}", flush=True)
