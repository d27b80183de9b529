"""The board: trials with ranks, intervals and ties, as far as their test rows can tell them apart."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from models import metrics
from pipelines.board import statistics
from pipelines.board.statistics import Paired
from pipelines.board.tested import Tested, Tests
from pipelines.board.trials import DONE, Trial
from pipelines.report.reading import Reading

ALPHA = 1 - statistics.LEVEL


@dataclass(frozen=True)
class Standing:
    """A trial and where it stands."""

    trial: Trial
    rank: int | None = None
    """By test accuracy, from 1; equal accuracies share one. None where there is none."""
    interval: tuple[float, float] | None = None
    """95 % interval of the test accuracy."""
    tie: bool | None = None
    """Whether its test rows leave open that it is as good as the best; None where they are not those of the best."""
    p: float | None = None
    """Of McNemar's exact test against the best, adjusted by Holm for the number of trials."""

    @property
    def accuracy(self) -> float | None:
        """On the test part."""
        return self.trial.test.accuracy if self.trial.test else None

    def as_dict(self) -> dict[str, Any]:
        """All of it as JSON types."""
        told = asdict(replace(self.trial, source=None))
        del told["source"]
        return {"rank": self.rank, **told, "interval": self.interval, "tie": self.tie, "p": self.p}


@dataclass(frozen=True)
class Board:
    """Trials, the best first, those without a test accuracy last."""

    name: str
    standings: tuple[Standing, ...]
    notes: tuple[str, ...] = ()

    @property
    def best(self) -> Standing | None:
        """The first of all, if it was tested."""
        return self.standings[0] if self.standings and self.standings[0].rank else None

    @property
    def ties(self) -> tuple[Standing, ...]:
        """The others that may be as good as the best."""
        return tuple(standing for standing in self.standings if standing.tie and standing is not self.best)

    @property
    def unpaired(self) -> int:
        """Those with a test accuracy that could not be compared with the best row by row."""
        return sum(standing.rank is not None and standing.tie is None for standing in self.standings)

    @property
    def chosen(self) -> Standing | None:
        """The one that the valid part chooses, whose test accuracy is not flattered by having been looked for."""
        told = [
            standing
            for standing in self.standings
            if standing.trial.valid and standing.trial.valid.accuracy is not None
        ]
        return max(told, key=lambda standing: standing.trial.valid.accuracy, default=None)  # type: ignore[union-attr]

    def counts(self) -> dict[str, int]:
        """Trials by status."""
        statuses = [standing.trial.status for standing in self.standings]
        return {status: statuses.count(status) for status in sorted(set(statuses))}


def make(name: str, trials: Iterable[Trial], tests: Tests, reading: Reading) -> Board:
    """The board of trials. Predictions that can't be read are noted, and make no ties."""
    ordered = sorted(trials, key=_order)
    tested = [trial for trial in ordered if _accuracy(trial) is not None]
    against = _against_best(tested, tests, reading)
    standings = [
        Standing(trial, _rank(tested, trial), _interval(trial), *against.get(trial.ref, (None, None))) for trial in tested
    ]
    rest = [Standing(trial) for trial in ordered if _accuracy(trial) is None]
    return Board(name, (*standings, *rest), tuple(reading.notes))


def _interval(trial: Trial) -> tuple[float, float]:
    rows = trial.test.rows if trial.test else None
    return metrics.interval(_accuracy(trial) or 0.0, rows or 0)


def _accuracy(trial: Trial) -> float | None:
    return trial.test.accuracy if trial.test and trial.status == DONE else None


def _order(trial: Trial) -> tuple[float, float, str, str]:
    macro_f1 = trial.test.macro_f1 if trial.test else None
    return (-(_accuracy(trial) if _accuracy(trial) is not None else -1), -(macro_f1 or 0), trial.name, trial.run)


def _rank(tested: Sequence[Trial], trial: Trial) -> int:
    return next(number for number, one in enumerate(tested, 1) if _accuracy(one) == _accuracy(trial))


def _against_best(tested: Sequence[Trial], tests: Tests, reading: Reading) -> Mapping[str, tuple[bool, float]]:
    """By ref whether it ties with the first, and the adjusted p; only for those with the first's test rows."""
    found: dict[str, Tested] = {}
    for trial in tested:
        if trial.source is not None:
            said = reading.attempt(
                f"the predictions of {trial.ref}", lambda source=trial.source: tests.of(source), None
            )
            if said is not None:
                found[trial.ref] = said
    best = found.get(tested[0].ref) if tested else None
    if best is None:
        return {}
    refs = [ref for ref, one in found.items() if one.rows is best.rows]
    others = [ref for ref in refs if ref != tested[0].ref]
    adjusted = statistics.holm([Paired.of(best.right, found[ref].right).p for ref in others])
    against = {ref: (p >= ALPHA, p) for ref, p in zip(others, adjusted, strict=True)}
    return {tested[0].ref: (True, 1.0), **against}


def varying(standings: Sequence[Standing]) -> dict[str, list[Any]]:
    """The parameters and settings in which trials differ: values in the order of `standings`, None where not given."""
    given = [{**standing.trial.params, **standing.trial.settings} for standing in standings]
    names = dict.fromkeys(name for one in given for name in one)
    values = {name: [one.get(name) for one in given] for name in names}
    return {name: found for name, found in values.items() if len({str(value) for value in found}) > 1}
