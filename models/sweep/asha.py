"""Which trial trains on: asynchronous successive halving (Li et al., A System for Massively Parallel Hyperparameter
Tuning, MLSys 2020, Algorithm 2), for a given number of trials."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Halving:
    """The rungs: epochs after which trials are compared, the last of them the whole training."""

    rungs: tuple[int, ...]
    reduction: int

    @classmethod
    def of(cls, epochs: int, min_epochs: int, reduction: int) -> Halving:
        """min_epochs, and `reduction` times as many for each rung, up to `epochs`."""
        rungs = [min(min_epochs, epochs)]
        while rungs[-1] < epochs:
            rungs.append(min(rungs[-1] * reduction, epochs))
        return cls(tuple(rungs), reduction)

    @property
    def top(self) -> int:
        """The number of the last rung."""
        return len(self.rungs) - 1


@dataclass
class Ladder:
    """What has been reached: `values[rung][trial]`, higher is better, and what was begun of each rung."""

    halving: Halving
    values: list[dict[int, float]] = field(default_factory=list)
    begun: list[set[int]] = field(default_factory=list)
    done: set[int] = field(default_factory=set)
    """Trials that came to their end: at the last rung, or before it by themselves."""
    failed: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.values = self.values or [{} for _ in self.halving.rungs]
        self.begun = self.begun or [set() for _ in self.halving.rungs]

    def begin(self, trial: int, rung: int) -> None:
        """A trial trains up to a rung."""
        self.begun[rung].add(trial)

    def reached(self, trial: int, rung: int, value: float) -> None:
        """A trial has come to a rung with this value of the metric."""
        self.begun[rung].add(trial)
        self.values[rung][trial] = value

    def promotable(self) -> tuple[int, int] | None:
        """A trial among the best 1/reduction of its rung that has not gone on, and its next rung; the highest first."""
        for rung in range(self.halving.top - 1, -1, -1):
            best = ranked(self.values[rung])[: len(self.values[rung]) // self.halving.reduction]
            for trial in best:
                if self._may_go_on(trial, rung):
                    return trial, rung + 1
        return None

    def last_chance(self) -> tuple[int, int] | None:
        """Where nothing runs and nothing can be promoted: the best of the highest rung, until one trial is whole.

        The paper draws trials without end. Of few, none might ever be among the best 1/reduction of a rung.
        """
        if self.done:
            return None
        for rung in range(self.halving.top - 1, -1, -1):
            for trial in ranked(self.values[rung]):
                if self._may_go_on(trial, rung):
                    return trial, rung + 1
        return None

    def _may_go_on(self, trial: int, rung: int) -> bool:
        return trial not in self.begun[rung + 1] and trial not in self.done and trial not in self.failed


def ranked(values: Mapping[int, float]) -> Sequence[int]:
    """Trials by their value, the best first; of equal ones the one with the lower number."""
    return sorted(values, key=lambda trial: (-values[trial], trial))
