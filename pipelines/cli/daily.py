"""`textmill daily`: one dated run, and those before it that the definition catches up with."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipelines import console
from pipelines.cli import options, program
from textmill.errors import MissingInput, StoreFailed, TextmillError, Unreadable
from textmill.places import brief

if TYPE_CHECKING:
    from pipelines.daily import Outcome
    from pipelines.lease import Lease
    from pipelines.pipeline import Pipeline
    from pipelines.progress import Listener
    from pipelines.runs import Record

_DATES_SHOWN = 30


@click.command("daily")
@options.definition
@options.as_json
def command(date: dt.datetime | None, as_json: bool, **which: Any) -> None:
    """Run DEFINITION for a date: once, alone, and its model published where the `promote` rule holds.

    A date that was run already is run again only where its input or the definition changed.
    """
    carry_out_dates(which, date, None, None, as_json)


def carry_out_dates(
    which: dict[str, Any], date: dt.datetime | None, since: dt.datetime | None, until: dt.datetime | None, as_json: bool
) -> None:
    """The runs of one date and those it catches up with, or of all dates from one to another, the earliest first."""
    from pipelines import daily, lease
    from pipelines.progress import listener

    settings = daily.frame(which["file"], which["sets"]).schedule
    days = [given.date() if given else None for given in (date, since, until)]
    told, outcomes = listener(as_json), []
    due = daily.due(settings, *days)
    for day in due:
        load = partial(options.load, **which, date=dt.datetime.combine(day, dt.time()))
        caught_up = since is None and day != due[-1]
        try:
            pipeline = daily.waiting(load, 0 if caught_up else daily.seconds(settings.wait), told.say)
            with lease.held(pipeline.root, pipeline.definition.name, f"daily {day}") as mine:
                if any(node.starts for node in pipeline.nodes.values()):
                    pipeline = load()  # from here on nobody else promotes
                outcomes.append(_once(pipeline, mine, told, _again(which, day)))
        except TextmillError as error:
            if caught_up and isinstance(error, MissingInput):
                told.say(f"{day}: passed over: {error}")
                continue
            _tell(which, day, error)
            raise
        except OSError as error:  # such as a full disk, before or after the run itself
            failed = StoreFailed.of(error)
            _tell(which, day, failed)
            raise failed from error
    if as_json:
        options.print_json([outcome.canonical() for outcome in outcomes])


def _once(pipeline: Pipeline, mine: Lease, told: Listener, again: str) -> Outcome:
    from pipelines import daily, pins, runs
    from pipelines.cli.run import carry_out
    from pipelines.plan import Selection
    from pipelines.store import write_json
    from textmill.stored import sealed

    definition, root = pipeline.definition, pipeline.root
    record = daily.finished(root, definition.name, pipeline.date)
    _, _, plan = options.plan(pipeline, Selection())
    done = record is not None and daily.nothing_changed(plan)
    if record is None or not done:
        record = carry_out(pipeline, Selection(), told, again).record
    if not (done and daily.settled(definition, record)):
        with pins.of_run(root, f"daily {record['date']}", record):
            mine.check()
            record["drift"] = _drift(pipeline, record)
            record[daily.PROMOTION] = daily.promote(root, definition, record)
            write_json(runs.folder(root, record) / runs.RECORD, sealed(record))
    outcome = daily.Outcome(
        date=record["date"], run=record["run"], action="reused" if done else "ran", metrics=record["metrics"],
        promotion=record.get(daily.PROMOTION) or {}, drift=record.get("drift") or {},
    )  # fmt: skip
    _say(told, outcome)
    _publish(pipeline, record, outcome)
    return outcome


def _drift(pipeline: Pipeline, record: Record) -> dict[str, Any]:
    from pipelines import daily, drift

    root, name = pipeline.root, pipeline.definition.name
    stats = _stats(pipeline, record)
    earlier = (run for date, run in daily.history(root, name, 60) if date < record["date"] and run["status"] == "done")
    before = next(earlier, None)
    return drift.between(record["date"], stats or {}, record, before and _stats(pipeline, before), before)


def _stats(pipeline: Pipeline, record: Record) -> dict[str, Any] | None:
    from pipelines import kinds, runs

    try:
        return kinds.STATS.found(runs.folder(pipeline.root, record) / "stats.json")
    except Unreadable:
        return None  # what changed against that date can't be told then


def _say(told: Listener, outcome: Outcome) -> None:
    if outcome.action == "reused":
        told.say(f"{outcome.date}: nothing to do, run {outcome.run} did it")
    if outcome.promotion:
        action = f"version {outcome.promotion['version']}" if outcome.promotion["promoted"] else "not promoted"
        told.say(f"{outcome.date}: {action}: {outcome.promotion['why']}")


def _publish(pipeline: Pipeline, record: Record, outcome: Outcome) -> None:
    """The figures for Prometheus, and the history page beside the runs."""
    from pipelines import daily, notice
    from pipelines.report.history import write_history

    root, name = pipeline.root, pipeline.definition.name
    if file := pipeline.definition.schedule.metrics:
        notice.write_metrics(Path(file), name, record, False, outcome.drift)
    write_history(name, daily.history(root, name, _DATES_SHOWN), root / name / "history.html")


def _tell(which: dict[str, Any], day: dt.date, error: TextmillError) -> None:
    """Tell of a failure whom the definition names, and how to go on."""
    from pipelines import daily, notice

    error.resume = _again(which, day)
    frame = daily.frame(which["file"], which["sets"])
    said = {"pipeline": frame.name, "date": day.isoformat(), "error": str(error), "resume": error.resume}
    for problem in notice.failed(frame.notify, said):
        console.say(problem, err=True)
    if frame.schedule.metrics:
        try:
            notice.write_metrics(Path(frame.schedule.metrics), frame.name, None, True, {})
        except OSError as problem:
            console.say(f"{frame.schedule.metrics} was not written: {brief(problem)}", err=True)


def _again(which: dict[str, Any], day: dt.date) -> str:
    words = ["daily", str(which["file"]), "--date", day.isoformat()]
    words += [word for given in which["sets"] for word in ("--set", given)]
    words += ["--root", which["root"]] if which["root"] else []
    words += ["--profile", which["profile"]] if which["profile"] else []
    words += ["--sample", format(Decimal(repr(which["sample"])), "f")] if which["sample"] else []
    return program.again(words)
