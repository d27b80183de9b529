"""Cores of their own for the ranks of one host, as launchers of MPI bind them."""

from __future__ import annotations

import os
import sys


def bind(place: int, together: int, threads: int) -> None:
    """Keep this process on `threads` cores of its own; it is number `place` of the `together` ranks on its host.

    Ranks wait for the slowest one in each step, which is often one that the kernel has put beside another. Only where
    all ranks take all cores that they may use: anywhere else, whoever shares the host would be in the way.
    """
    cores = sorted(os.sched_getaffinity(0))
    if together > 1 and together * threads == len(cores):
        own = cores[place * threads : (place + 1) * threads]
        os.sched_setaffinity(0, own)
        print(f"bound to cores {', '.join(map(str, own))}", file=sys.stderr, flush=True)
