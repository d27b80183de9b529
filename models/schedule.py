"""The learning rate of every step: a warm-up, then what the schedule says. All engines take it from here."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

Name = Literal["constant", "linear", "cosine"]

_SHARE_LEFT: Mapping[str, Callable[[float], float]] = {
    "constant": lambda done: 1.0,
    "linear": lambda done: 1.0 - done,
    "cosine": lambda done: (1.0 + math.cos(math.pi * done)) / 2,
}


@dataclass(frozen=True)
class Schedule:
    """Rates of a training of `steps` steps: up to `rate` in the share `warmup` of them, then down to 0 (or not)."""

    name: Name
    rate: float
    steps: int
    warmup: float = 0.0

    def at(self, step: int) -> float:
        """The rate of a step, counted from 0 (cosine: Loshchilov and Hutter, ICLR 2017, without restarts)."""
        rising = round(self.steps * self.warmup)
        if step < rising:
            return self.rate * (step + 1) / rising
        done = min(1.0, (step - rising) / max(1, self.steps - rising))
        return self.rate * _SHARE_LEFT[self.name](done)
