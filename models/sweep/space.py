"""What a sweep may try, and the trials that are made of it: every combination, or draws."""

from __future__ import annotations

import contextlib
import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from textmill.errors import InputError

LARGEST = 10_000
_TRIES = 100


@dataclass(frozen=True)
class Choices:
    """One of these values."""

    values: tuple[Any, ...]

    def samples(self) -> tuple[Any, ...]:
        """All values, to look at each before anything starts."""
        return self.values

    def drawn(self, generator: np.random.Generator) -> Any:
        """One of them, all equally likely."""
        return self.values[int(generator.integers(len(self.values)))]


@dataclass(frozen=True)
class Range:
    """A number from `low` to `high`, both included; whole where both are; evenly over its logarithm with `log`."""

    low: float
    high: float
    log: bool = False

    @property
    def whole(self) -> bool:
        """Whether it gives integers."""
        return isinstance(self.low, int) and isinstance(self.high, int)

    def samples(self) -> tuple[Any, ...]:
        """Its ends."""
        return self.low, self.high

    def drawn(self, generator: np.random.Generator) -> Any:
        """A number of it."""
        if self.log:
            drawn = math.exp(
                generator.uniform(math.log(self.low), math.log(self.high + 1 if self.whole else self.high))
            )
            return min(int(drawn), int(self.high)) if self.whole else min(max(drawn, self.low), self.high)
        if self.whole:
            return int(generator.integers(int(self.low), int(self.high) + 1))
        return float(generator.uniform(self.low, self.high))


Axis = Choices | Range


@dataclass(frozen=True)
class Point:
    """What one trial trains: the parameters and settings that its entry says, others have their defaults."""

    model: str
    params: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Entry:
    """A model, and what to try of its parameters and of the training's settings."""

    model: str
    params: Mapping[str, Axis] = field(default_factory=dict)
    settings: Mapping[str, Axis] = field(default_factory=dict)

    @property
    def axes(self) -> dict[tuple[str, str], Axis]:
        """All axes: by (`params` or `settings`, name)."""
        kinds = {"params": self.params, "settings": self.settings}
        return {(kind, name): axis for kind, axes in kinds.items() for name, axis in axes.items()}

    @property
    def combinations(self) -> float:
        """How many different trials it holds."""
        return math.prod(len(axis.values) if isinstance(axis, Choices) else math.inf for axis in self.axes.values())

    def point(self, values: Mapping[tuple[str, str], Any]) -> Point:
        """The trial with these values of its axes."""
        by_kind: dict[str, dict[str, Any]] = {"params": {}, "settings": {}}
        for (kind, name), value in values.items():
            by_kind[kind][name] = value
        return Point(self.model, **by_kind)


def axis(given: Any) -> Axis:
    """What a definition says of one parameter. Raises ValueError where it is no value, list of values or range."""
    if isinstance(given, list):
        if not given:
            raise ValueError("is an empty list: give values to try")
        return Choices(tuple(given))
    if isinstance(given, dict):
        return _range(given)
    return Choices((given,))


def _range(given: Mapping[str, Any]) -> Range:
    if not {"low", "high"} <= given.keys() <= {"low", "high", "log"}:
        raise ValueError("is no range: write {low: 1, high: 9} or {low: 0.001, high: 0.1, log: true}")
    low, high, log = _number(given["low"]), _number(given["high"]), given.get("log", False)
    if any(isinstance(end, bool) or not isinstance(end, int | float) for end in (low, high)) or not low < high:
        raise ValueError(f"goes from {low!r} to {high!r}: low and high are numbers, and low is below high")
    if log and low <= 0:
        raise ValueError(f"is logarithmic, so low must be above 0, not {low!r}")
    return Range(low, high, bool(log))


def _number(said: Any) -> Any:
    """YAML takes 1e-3 for a text: it wants 1.0e-3."""
    with contextlib.suppress(ValueError):
        return float(said) if isinstance(said, str) else said
    return said


def grid(entries: Sequence[Entry]) -> list[Point]:
    """Every combination of every entry, in order. Raises InputError for a range, and for too many."""
    for entry in entries:
        if ranged := [".".join(key) for key, found in entry.axes.items() if isinstance(found, Range)]:
            raise InputError(f"{', '.join(ranged)}: a range has no end of combinations, so give `draw: {{n: …}}` too")
    total = sum(entry.combinations for entry in entries)
    if total > LARGEST:
        raise InputError(f"{total:,} combinations are too many: draw some of them, `draw: {{n: 300}}`")
    return [point for entry in entries for point in _combined(entry)]


def _combined(entry: Entry) -> Iterator[Point]:
    names, axes = list(entry.axes), entry.axes.values()
    for values in itertools.product(*(found.samples() for found in axes)):
        yield entry.point(dict(zip(names, values, strict=True)))


def draws(entries: Sequence[Entry], n: int, seed: int) -> list[Point]:
    """`n` different trials, at random: an entry, then a value on each of its axes. Raises InputError for too many."""
    if n > LARGEST:
        raise InputError(f"{n:,} draws are too many: at most {LARGEST:,}")
    total = sum(entry.combinations for entry in entries)
    if n > total:
        raise InputError(f"{n:,} draws are wanted and there are {total:,} combinations: leave out `draw` for all")
    generator = np.random.Generator(np.random.PCG64(seed))
    if total <= LARGEST:
        points = grid(entries)
        return [points[number] for number in generator.permutation(len(points))[:n]]
    found: dict[str, Point] = {}
    for _ in range(n * _TRIES):
        entry = entries[int(generator.integers(len(entries)))]
        point = entry.point({key: each.drawn(generator) for key, each in entry.axes.items()})
        found.setdefault(repr(point), point)
        if len(found) == n:
            break
    return list(found.values())
