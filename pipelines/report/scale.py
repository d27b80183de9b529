"""Scales of charts: round ticks, places on a line, bins of a histogram."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_BINS = 48
_TAIL = 0.998
"""Share of the rows that a histogram shows bin by bin; what is longer goes into its last bin."""


@dataclass(frozen=True)
class Bin:
    """Rows of lengths `first` to `last`; of all above `first` where `last` is None."""

    first: int
    last: int | None
    rows: int

    @property
    def name(self) -> str:
        """4, 4–5, 40 and more."""
        if self.last is None:
            return f"{self.first} and more"
        return f"{self.first}" if self.first == self.last else f"{self.first}–{self.last}"


def round_step(span: float, wanted: int) -> float:
    """The step of 1, 2 or 5 times a power of ten that cuts `span` into at most `wanted` pieces."""
    raw = span / max(1, wanted)
    power = 10.0 ** math.floor(math.log10(raw))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= raw * 0.999)


def ticks(low: float, high: float, wanted: int = 5) -> list[float]:
    """Round numbers that enclose `low` and `high`."""
    if not high > low:
        low, high = min(0.0, low), max(low, 0.0) or 1.0
    step = round_step(high - low, wanted)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(step * place, 12) for place in range(first, last + 1)]


def whole_ticks(first: int, last: int, wanted: int = 8) -> list[int]:
    """Round whole numbers from `first` to `last`, both of them where they stand apart."""
    step = max(1, round(round_step(max(1, last - first), wanted)))
    inner = [place for place in range(step * math.ceil(first / step), last + 1, step) if place > first]
    return [first, *inner]


def place(value: float, domain: Sequence[float], start: float, end: float) -> float:
    """Where `value` stands between `start` and `end`, with `domain` its lowest and highest tick."""
    low, high = domain[0], domain[-1]
    return start + (end - start) * (value - low) / ((high - low) or 1)


def quantile(counts: Mapping[int, int], share: float) -> int:
    """The smallest value that at least `share` of the rows don't exceed; 0 where there are none."""
    wanted, seen = share * sum(counts.values()), 0
    for value, rows in sorted(counts.items()):
        seen += rows
        if seen >= wanted:
            return value
    return 0


def common_last(histograms: Sequence[Mapping[int, int]]) -> int:
    """Where histograms that are to be compared end: all but a thin tail of each is before it."""
    longest = max((max(counts, default=0) for counts in histograms), default=0)
    most = max((quantile(counts, _TAIL) for counts in histograms), default=0)
    return longest if longest <= max(most * 1.25, _BINS) else most


def bins(counts: Mapping[int, int], last: int) -> list[Bin]:
    """At most about fifty bins of equal width over 0 … `last`, and one for what is longer."""
    width = 1 if last < _BINS else max(1, round(round_step(last + 1, _BINS)))
    starts = range(0, last + 1, width)
    rows_of = dict.fromkeys(starts, 0)
    for value, rows in counts.items():
        if value // width * width in rows_of:
            rows_of[value // width * width] += rows
    found = [Bin(first, first + width - 1, rows) for first, rows in rows_of.items()]
    beyond = starts[-1] + width
    rest = sum(rows for value, rows in counts.items() if value >= beyond)
    return [*found, Bin(beyond, None, rest)] if rest else found
