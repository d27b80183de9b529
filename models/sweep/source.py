"""Where a sweep's trials come from: a list, or Optuna's sampler, which learns from those that ended."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from models.sweep.ledger import Ledger
from models.sweep.space import Axis, Choices, Entry, Point
from models.sweep.trial import End


class Source(Protocol):
    """Gives trials by number."""

    points: dict[int, Point]
    """Those given so far."""
    total: int

    def next(self) -> int | None:
        """The number of a trial that was not given yet; None where there is none."""

    def told(self, end: End) -> None:
        """How one ended."""


class Listed:
    """All trials are known from the start."""

    def __init__(self, points: Sequence[Point], ended: Mapping[int, Any]) -> None:
        """`ended` are the numbers of those that need not be given."""
        self.points = dict(enumerate(points))
        self.total = len(points)
        self._waiting = iter([number for number in self.points if number not in ended])

    def next(self) -> int | None:
        """The next in order."""
        return next(self._waiting, None)

    def told(self, end: End) -> None:
        """Nothing depends on it."""


class Tpe:
    """Optuna's tree-structured Parzen estimator (Bergstra et al., NeurIPS 2011), asked when a slot is free.

    What it gives depends on which trials have ended by then. Each is noted in the ledger before it starts, so that a
    sweep that goes on knows them.
    """

    def __init__(
        self, entries: Sequence[Entry], total: int, seed: int, ledger: Ledger, ended: Mapping[int, End]
    ) -> None:
        """Trials of an earlier attempt are told to the sampler; those that had begun are given again."""
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self.entries, self.total, self._ledger, self._optuna = entries, total, ledger, optuna
        with warnings.catch_warnings():  # of constant_liar, experimental since 2021
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            sampler = optuna.samplers.TPESampler(seed=seed, constant_liar=True)
        self._study = optuna.create_study(direction="maximize", sampler=sampler)
        self.points: dict[int, Point] = {}
        self._asked: dict[int, Any] = {}
        self._again: list[int] = []
        for number, noted in ledger.asked().items():
            if noted is not None:
                self._study.enqueue_trial(noted)
            self._ask(number)
            if noted is None:  # of what it was nothing is known: it is another one now
                ledger.ask(number, self._asked[number].params)
            self.told(ended[number]) if noted is not None and number in ended else self._again.append(number)

    def next(self) -> int | None:
        """One that an earlier attempt had begun, else a new one."""
        if self._again:
            return self._again.pop(0)
        number = len(self.points)
        if number == self.total:
            return None
        self._ask(number)
        self._ledger.ask(number, self._asked[number].params)
        return number

    def told(self, end: End) -> None:
        """To the sampler; a trial that failed is no point to learn from."""
        asked, state = self._asked.pop(end.trial, None), self._optuna.trial.TrialState
        if asked is not None:
            failed = end.value is None
            self._study.tell(asked, None if failed else end.value, state=state.FAIL if failed else state.COMPLETE)

    def _ask(self, number: int) -> None:
        asked = self._study.ask()
        chosen = asked.suggest_categorical("entry", list(range(len(self.entries)))) if len(self.entries) > 1 else 0
        entry = self.entries[chosen]
        values = {key: _suggested(asked, f"{chosen}.{'.'.join(key)}", axis) for key, axis in entry.axes.items()}
        self._asked[number], self.points[number] = asked, entry.point(values)


def _suggested(asked: Any, name: str, axis: Axis) -> Any:
    if isinstance(axis, Choices):  # by its place, for a value may be a list
        return axis.values[
            asked.suggest_categorical(name, list(range(len(axis.values)))) if len(axis.values) > 1 else 0
        ]
    if axis.whole:
        return asked.suggest_int(name, int(axis.low), int(axis.high), log=axis.log)
    return asked.suggest_float(name, axis.low, axis.high, log=axis.log)
