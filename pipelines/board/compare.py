"""Two trials on the test rows they share: paired test, interval of the difference, utterances that changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipelines.board import statistics
from pipelines.board.statistics import Paired
from pipelines.board.tested import Tests
from pipelines.board.trials import DONE, Trial
from pipelines.report.reading import Reading
from pipelines.validation import did_you_mean
from textmill.errors import InputError


@dataclass(frozen=True)
class Change:
    """A test row that one of the two had right and the other wrong."""

    id: str
    text: str
    label: str
    first: str
    """What the first predicted."""
    second: str


@dataclass(frozen=True)
class Comparison:
    """Trial `second` against trial `first`."""

    first: Trial
    second: Trial
    paired: Paired
    interval: tuple[float, float]
    """Bootstrap interval of the difference of accuracies on the shared rows."""
    lost: tuple[Change, ...]
    """Right in the first, wrong in the second."""
    won: tuple[Change, ...]
    """Wrong in the first, right in the second."""

    @property
    def differs(self) -> bool:
        """Whether the shared rows can tell the two apart."""
        return self.paired.p < 1 - statistics.LEVEL

    def as_dict(self) -> dict[str, Any]:
        """All of it as JSON types."""
        counted = self.paired
        shown = [
            {"run": one.run, "name": one.name, "model": one.model, "engine": one.engine}
            for one in (self.first, self.second)
        ]
        right = (counted.both + counted.first, counted.both + counted.second)
        for told, count in zip(shown, right, strict=True):
            told["accuracy"] = count / counted.rows
        return {
            "first": shown[0],
            "second": shown[1],
            "rows": counted.rows,
            "both_right": counted.both,
            "only_first_right": counted.first,
            "only_second_right": counted.second,
            "neither_right": counted.neither,
            "difference": counted.difference,
            "interval": list(self.interval),
            "p": counted.p,
            "differs": self.differs,
            "right_to_wrong": [vars(change) for change in self.lost],
            "wrong_to_right": [vars(change) for change in self.won],
        }


def make(first: Trial, second: Trial, tests: Tests, seed: int = statistics.SEED) -> Comparison:
    """Compare on the rows that have the same id, text and label; raises InputError where there are none."""
    one, other = (_predictions(trial, tests) for trial in (first, second))
    here, there = one.rows.shared(other.rows)
    if not len(here):
        raise InputError(
            f"{first.ref} and {second.ref} were tested on different rows: none has the same id, text and label"
        )
    paired = Paired.of(one.right[here], other.right[there])
    interval = paired.interval(seed)
    changed = one.right[here] != other.right[there]
    columns = [one.rows.id, one.rows.text, one.rows.label, one.predicted]
    picked = [column.take(here[changed]).to_pylist() for column in columns]
    changes = [Change(*row) for row in zip(*picked, other.predicted.take(there[changed]).to_pylist(), strict=True)]
    lost = one.right[here][changed]
    return Comparison(first, second, paired, interval, _where(changes, lost), _where(changes, ~lost))


def _where(changes: Sequence[Change], wanted: np.ndarray) -> tuple[Change, ...]:
    return tuple(change for change, is_wanted in zip(changes, wanted, strict=True) if is_wanted)


def _predictions(trial: Trial, tests: Tests) -> Any:
    if trial.status != DONE or trial.source is None:
        raise InputError(
            f"{trial.ref} has no predictions: it is {trial.status}{': ' if trial.error else ''}{trial.error}"
        )
    reading = Reading()
    found = reading.attempt(f"the predictions of {trial.ref}", lambda: tests.of(trial.source), None)
    if found is None:
        raise InputError("; ".join(reading.notes) or f"the predictions of {trial.ref} are gone: run again")
    return found


def find(trials: Sequence[Trial], wanted: str) -> Trial:
    """The trial that `wanted` names: NAME (the newest), RUN:NAME, or a RUN (start of its id): its best on the valid part.

    `trials` are ordered by run, the newest first. Raises InputError.
    """
    run, colon, name = wanted.partition(":")
    if not colon:
        run, name = ("", wanted) if any(trial.name == wanted for trial in trials) else (wanted, "")
    newest = next((trial.run for trial in trials), "")
    fitting = [
        trial
        for trial in trials
        if (trial.run == newest if run == "last" else trial.run.startswith(run)) and name in ("", trial.name)
    ]
    if not fitting:
        known = [trial.name for trial in trials] if name or not run[:1].isdigit() else [trial.run for trial in trials]
        raise InputError(
            f"there is no trial '{wanted}'{did_you_mean(name or run, set(known))}; `textmill board` lists them"
        )
    of_run = [trial for trial in fitting if trial.run == fitting[0].run]
    if {trial.run for trial in fitting} != {fitting[0].run} and run:
        raise InputError(f"several runs start with '{run}': give more of the id")
    return of_run[0] if name else _best(of_run)


def _best(trials: Sequence[Trial]) -> Trial:
    """By the valid part, for the test part is what the comparison is made on."""

    def valid(trial: Trial) -> float:
        return trial.valid.accuracy or 0.0 if trial.valid and trial.status == DONE else -1.0

    return max(trials, key=valid)
