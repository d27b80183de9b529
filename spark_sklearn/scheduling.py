"""Which fits go into which task: groups by measured cost."""

from __future__ import annotations

import math
import random
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

# Handing a slot its next task takes 15 ms on a free machine: a hundredth of tasks this long. (On one with four times
# more to do than cores it took 500 ms, which is what shorter tasks suffer from.)
TASK_SECONDS = 2.0
# Nothing is known of the first fits: their tasks stop early and give the rest of their group back.
PROBE_SECONDS = 0.2
PROBE_FITS = 64
# Groups get smaller towards the end, so that the slots finish together; smaller than this they would cost more.
LEAST_SECONDS = 0.3
TASKS_PER_SLOT = 8


@dataclass(frozen=True)
class Wave:
    """The tasks of one Spark job: groups of fit numbers, and the seconds after which a task begins no further fit."""

    groups: tuple[tuple[int, ...], ...]
    seconds: float

    @property
    def fits(self) -> int:
        """How many fits there are in all groups."""
        return sum(map(len, self.groups))

    def parts(self) -> list[Wave]:
        """Its groups as jobs of their own; a single group's fits as jobs of their own."""
        groups = self.groups if len(self.groups) > 1 else [(fit,) for fit in self.groups[0]]
        return [Wave((tuple(group),), math.inf) for group in groups]


class FitQueue:
    """The fits that wait, drawn in a fixed random order so that what was measured stands for what is to come.

    Group sizes follow guided self-scheduling (Polychronopoulos and Kuck, 1987) on the mean of all measured seconds.
    """

    def __init__(self, fits: int) -> None:
        order = list(range(fits))
        random.Random(0).shuffle(order)
        self._waiting = deque(order)
        self._apart: deque[Wave] = deque()
        self._probed = False
        self._measured, self._seconds = 0, 0.0

    def __len__(self) -> int:
        return len(self._waiting) + sum(wave.fits for wave in self._apart)

    @property
    def known(self) -> bool:
        """Whether any fit was measured."""
        return self._measured > 0

    def measured(self, seconds: float) -> None:
        """One fit ended after `seconds`."""
        self._measured += 1
        self._seconds += seconds

    def give_back(self, fits: Iterable[int]) -> None:
        """Fits that a task did not begin."""
        self._waiting.extend(fits)

    def set_apart(self, wave: Wave) -> None:
        """The wave failed as a whole: its parts are tried on their own, so that the fit that did it is found."""
        self._apart.extend(wave.parts())

    def take(self, slots: int) -> Wave:
        """The next wave for `slots` tasks at a time; while no cost is known, fits after the probes go one by one."""
        if self._apart:
            return self._apart.popleft()
        if not self._probed:
            self._probed = True
            # Not all at once: should the probes take long, the slots they leave idle have the others to do.
            size = max(1, min(PROBE_FITS, len(self._waiting) // (4 * slots)))
            return Wave(tuple(self._draw(size) for _ in range(min(slots, len(self._waiting)))), PROBE_SECONDS)
        groups = []
        while self._waiting and len(groups) < TASKS_PER_SLOT * slots:
            groups.append(self._draw(self._size(slots)))
        return Wave(tuple(groups), 2 * TASK_SECONDS)

    def _size(self, slots: int) -> int:
        if not self.known:
            return 1
        cost = max(self._seconds / self._measured, 1e-6)
        share = cost * len(self._waiting) / (1.5 * slots)
        return max(1, round(min(max(share, LEAST_SECONDS), TASK_SECONDS) / cost))

    def _draw(self, size: int) -> tuple[int, ...]:
        return tuple(self._waiting.popleft() for _ in range(min(size, len(self._waiting))))
