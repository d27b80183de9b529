"""The parent of one trial: what the trial starts, in whatever session, ends with it, and what it may kill is its alone."""

from __future__ import annotations

import os
import select
from collections.abc import Callable
from typing import NoReturn

from models import descendants

_REAP_MS = 1000


def be(server: int, report: int, trial: Callable[[int], NoReturn]) -> NoReturn:
    """In a fork of the server: have a fork of this process be the trial, and stay until it and all of its are gone.

    `server` is the server's pidfd, whose end is the trial's; `trial` is given the number of this process. `report` is
    the pipe to the server: a line with the trial's number, then one with its exit status, negative for a signal.
    """
    try:
        # A signal to a whole group is the trial's own affair.
        os.setsid()
        descendants.adopt()
        own = os.getpid()
        pid = os.fork()
        if pid == 0:
            os.close(report)
            os.close(server)
            trial(own)
        os.write(report, f"{pid}\n".encode())
        status = _until_it_ends(pid, server)
        if status is not None:
            os.write(report, f"{os.waitstatus_to_exitcode(status)}\n".encode())
    finally:
        descendants.end_own()
        os._exit(0)


def _until_it_ends(pid: int, server: int) -> int | None:
    """The trial's status; None where the server has ended first."""
    waiting, trial = select.poll(), os.pidfd_open(pid)
    for descriptor in (trial, server):
        waiting.register(descriptor, select.POLLIN)
    while True:
        ready = [descriptor for descriptor, _ in waiting.poll(_REAP_MS)]
        if pid in (ended := descendants.reap()):
            return ended[pid]
        if server in ready:
            return None
