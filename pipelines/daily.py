"""Dated runs: which dates are due, waiting for their input, and what becomes of a run that is done."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines import lineage, promotion, runs, source, variables
from pipelines.model import Definition, Duration, Notify, PipelineName, Schedule
from pipelines.overrides import override
from pipelines.promotion import Decision
from pipelines.runs import Record
from pipelines.validation import validate
from pipelines.versions import Versions
from textmill.errors import DefinitionError, InputError, MissingInput, Problem
from textmill.params import Params
from textmill.places import Place

if TYPE_CHECKING:
    from pipelines.pipeline import Pipeline
    from pipelines.plan import Planned

PROMOTION = "promotion"
_POLL_SECONDS = 15.0
_UNITS = {"s": 1, "m": 60, "h": 3600}


class Frame(Params):
    """What of a definition is needed before its inputs are looked at."""

    name: PipelineName
    schedule: Schedule = Schedule()
    notify: Notify = Notify()


def frame(file: Path, sets: Sequence[str] = ()) -> Frame:
    """Name, schedule and notify of a definition; raises InputError, or DefinitionError."""
    tree = override(source.read(file), sets)
    wanted = {key: tree.data[key] for key in ("vars", *Frame.model_fields) if tree.data.get(key) is not None}
    put_in = variables.substitute(source.Tree(tree.file, wanted, tree.lines, tree.overridden), dt.date.today())
    problems: list[Problem] = []
    given = {key: value for key, value in put_in.data.items() if key != "vars"}
    found = validate(Frame, given, put_in, (), problems)
    if found is None:
        raise DefinitionError(problems)
    return found


def seconds(duration: Duration) -> float:
    """`90s`, `30m` or `2h` in seconds."""
    return float(duration[:-1]) * _UNITS[duration[-1]]


def due(settings: Schedule, date: dt.date | None, since: dt.date | None, until: dt.date | None) -> list[dt.date]:
    """The dates to run, the earliest first: one, those of a backfill, or the last one with those to catch up with.

    Raises InputError for a backfill that ends before it starts.
    """
    today = dt.date.today() - dt.timedelta(days=settings.day == "yesterday")
    last = until or date or today
    first = since or (last if date else last - dt.timedelta(days=settings.catchup))
    if first > last:
        raise InputError(f"--since {first} is after --until {last}")
    return [first + dt.timedelta(days=number) for number in range((last - first).days + 1)]


def waiting(load: Callable[[], Pipeline], seconds: float, say: Callable[[str], None]) -> Pipeline:
    """The pipeline once its inputs are there; raises MissingInput, naming them, when they are not after `seconds`."""
    end, told = time.monotonic() + seconds, False
    while True:
        try:
            return load()
        except MissingInput as error:
            left = end - time.monotonic()
            if left <= 0:
                raise
            if not told:
                say(f"waiting up to {seconds:.0f} s: {error}")
            told = True
            time.sleep(min(_POLL_SECONDS, max(0.05, left / 10)))


def finished(root: Place, name: str, date: dt.date) -> Record | None:
    """The newest run of a date that is done; None where there is none."""
    found = (run for run in runs.records(root, name) if run["date"] == date.isoformat() and run["status"] == "done")
    return next(found, None)


def nothing_changed(plan: Sequence[Planned]) -> bool:
    """Whether all a plan says is to reuse what is there."""
    return all(planned.action == "reuse" for planned in plan)


def settled(definition: Definition, record: Record) -> bool:
    """Whether it was decided about the model of a run, where there is something to decide."""
    return definition.promote is None or PROMOTION in record


def promote(root: Place, definition: Definition, record: Record) -> dict[str, Any]:
    """Decide about the model of a run and publish it where the rule holds; what was decided, for the run record.

    A model of an earlier date than the current one's is not published: a backfill fills in history.
    """
    rule = definition.promote
    if rule is None:
        return {}
    versions = Versions(root, definition.name)
    if already := next((found for found in versions.all() if found.manifest["run"] == record["run"]), None):
        versions.settle(already)
        return {"promoted": True, "version": already.number, "why": already.manifest["why"]}
    found, last = lineage.of_run(root, record, rule.train), versions.current()
    if last is not None and last.manifest["date"] > record["date"]:
        decision = Decision(False, f"version {last.number} is of {last.manifest['date']}, a later date")
    else:
        metrics = record["metrics"][found.train]
        decision = promotion.decide(rule.if_, metrics, last.metrics if last else None)
    number = versions.publish(found, decision.why, rule.keep).number if decision.promoted else None
    return {"promoted": decision.promoted, "version": number, "why": decision.why}


def history(root: Place, name: str, days: int) -> Iterator[tuple[str, Record]]:
    """The newest run of each of the last `days` dates that have one, the latest date first."""
    newest: dict[str, Record] = {}
    for run in runs.records(root, name):
        newest.setdefault(run["date"], run)
    yield from sorted(newest.items(), reverse=True)[:days]


class Outcome(Params):
    """What became of one date."""

    date: str
    run: str | None = None
    action: str
    """`ran`, or `reused` where there was nothing to do."""
    promotion: dict[str, Any] = {}
    drift: dict[str, Any] = {}
    metrics: dict[str, Any] = {}
