"""What a test part can tell apart: the bootstrap of a difference and the exact McNemar test, on right and wrong rows alone.

No function needs a pass over the rows: drawing n pairs of rows with replacement and counting the right ones is drawing
counts from a multinomial distribution, so an interval costs the same for any n.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

DRAWS = 10_000
LEVEL = 0.95
SEED = 7
_TAILS = (50 * (1 - LEVEL), 100 - 50 * (1 - LEVEL))


@dataclass(frozen=True)
class Paired:
    """Two models on the same rows: how many both had right, only one, or neither."""

    both: int
    first: int
    """Rows that the first alone had right."""
    second: int
    neither: int

    @classmethod
    def of(cls, first: np.ndarray, second: np.ndarray) -> Paired:
        """From bool [rows] each, true where the row was predicted right."""
        both, only = int((first & second).sum()), int(first.sum())
        other = int(second.sum())
        return cls(both, only - both, other - both, len(first) - only - other + both)

    @property
    def rows(self) -> int:
        """Rows that both predicted."""
        return self.both + self.first + self.second + self.neither

    @property
    def difference(self) -> float:
        """Accuracy of the second less that of the first."""
        return (self.second - self.first) / self.rows if self.rows else 0.0

    @property
    def p(self) -> float:
        """Of the exact McNemar test."""
        return mcnemar(self.first, self.second)

    def interval(self, seed: int = SEED, draws: int = DRAWS) -> tuple[float, float]:
        """The 95 % percentile bootstrap interval of `difference`, rows drawn in pairs (Efron and Tibshirani 1993)."""
        if not self.rows:
            return (-1.0, 1.0)
        shares = np.array([self.first, self.second, self.both + self.neither]) / self.rows
        drawn = np.random.default_rng(seed).multinomial(self.rows, shares, size=draws)
        low, high = np.percentile((drawn[:, 1] - drawn[:, 0]) / self.rows, _TAILS)
        return float(low), float(high)


def mcnemar(first: int, second: int) -> float:
    """Two-sided exact p of the rows that one model alone had right: how likely so uneven a share is among equals.

    McNemar 1947, Psychometrika 12, with the binomial distribution in place of its approximation.
    """
    decided = first + second
    if decided == 0:
        return 1.0
    # log of C(n, k) for k = 0 … min, by the ratio of neighbours; exponents stay in range for any n.
    k = np.arange(1, min(first, second) + 1)
    logs = np.concatenate([[0.0], np.cumsum(np.log((decided - k + 1) / k))]) - decided * np.log(2)
    top = logs.max()
    return float(min(1.0, 2 * np.exp(top) * np.exp(logs - top).sum()))


def holm(p: Sequence[float]) -> list[float]:
    """The p values adjusted for their number (Holm 1979, Scand. J. Statist. 6), in the given order."""
    order = np.argsort(p, kind="stable")
    scaled = np.asarray(p, dtype=float)[order] * np.arange(len(p), 0, -1)
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(scaled)) if len(p) else scaled
    return adjusted.tolist()
