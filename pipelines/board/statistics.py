"""What a test part can tell apart: bootstrap intervals and the exact McNemar test, on right and wrong rows alone.

All functions are vectorised over models and need no pass over the rows: drawing n rows with replacement and counting the
right ones is drawing counts from a binomial or multinomial distribution, so intervals cost the same for any n.
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


def intervals(accuracies: Sequence[float], rows: Sequence[int], seed: int = SEED, draws: int = DRAWS) -> np.ndarray:
    """The 95 % percentile bootstrap interval of each accuracy: [models, 2]. Models on 0 rows get 0 to 1.

    Where all or no rows are right, rows drawn again tell nothing, and the exact bound stands in (Clopper and Pearson 1934).
    """
    share, counted = np.asarray(accuracies, dtype=float), np.asarray(rows, dtype=np.int64)
    if not len(share):
        return np.zeros((0, 2))
    drawn = np.random.default_rng(seed).binomial(counted, np.clip(share, 0, 1), size=(draws, len(share)))
    found = np.percentile(drawn / np.maximum(counted, 1), _TAILS, axis=0).T
    bound = ((1 - LEVEL) / 2) ** (1 / np.maximum(counted, 1))
    found[share >= 1, 0] = bound[share >= 1]
    found[share <= 0, 1] = 1 - bound[share <= 0]
    found[counted == 0] = (0.0, 1.0)
    return found


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
