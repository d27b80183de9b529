"""`textmill run`: carry a definition out."""

from __future__ import annotations

import sys
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipelines import console
from pipelines.cli import options, program
from textmill.errors import DefinitionError, StoreFailed, TextmillError

if TYPE_CHECKING:
    from pipelines.board.tracking import Server
    from pipelines.pins import Pin
    from pipelines.pipeline import Pipeline
    from pipelines.plan import Planned, Selection, Stage
    from pipelines.progress import Listener
    from pipelines.runner import Runner
    from pipelines.runs import Run
    from textmill.places import Place


@click.command("run")
@options.definition
@options.selection
@click.option("--open", "open_report", is_flag=True, help="Open the report in the browser, if it is on this machine.")
@options.as_json
def command(
    first: str | None,
    last: str | None,
    only: tuple[str, ...],
    stage: Stage | None,
    force: tuple[str, ...],
    open_report: bool,
    as_json: bool,
    **which: Any,
) -> None:
    """Run DEFINITION: prepare, train, evaluate, report. What is there already, whole and unchanged, is reused."""
    from pipelines.plan import Selection
    from pipelines.progress import listener

    told = listener(as_json)
    pipeline = options.load(**which)
    run = carry_out(pipeline, Selection(first, last, only, force, stage), told)
    if as_json:
        options.print_json(run.record)
    report = Path(run.record["report"])
    if open_report and report.exists():
        click.launch(str(report))


def carry_out(pipeline: Pipeline, chosen: Selection, told: Listener, again: str | None = None) -> Run:
    """Plan, run, record and report; the finished run. `again` is the command that resumes, this one by default.

    Raises TextmillError, with the failure recorded.
    """
    from pipelines import leftovers, pins
    from pipelines.board import tracking

    tracked = tracking.server(pipeline.definition.tracking, pipeline.definition.name)
    if tracked is not None:
        tracked.check()
    name, last = pipeline.definition.name, pipeline.last
    started_from = [(name, last.number)] if last is not None else []
    with pins.pinned(pipeline.root, f"run of {name} for {pipeline.date}", versions=started_from) as pin:
        leftovers.remove(pipeline.root, name)
        return _carried_out(pipeline, chosen, told, again or _again(pipeline), pin, tracked)


def _carried_out(
    pipeline: Pipeline, chosen: Selection, told: Listener, again: str, pin: Pin, tracked: Server | None
) -> Run:
    from pipelines import starting, trainings
    from pipelines.runner import Runner

    started = time.monotonic()
    store, reasons, plan = options.plan(pipeline, chosen, pin)
    starting.need(pipeline.nodes, plan, pipeline.last)
    if problems := trainings.unready(pipeline, [planned.step for planned in plan if planned.action == "run"]):
        raise DefinitionError(problems)
    run = _start(pipeline, reasons, again, pin)
    _header(told, run, plan)
    runner = Runner(pipeline, reasons, store, run, told)
    try:
        runner.execute(plan)
        report = _report(run, runner)
    except BaseException as error:
        is_of_files = isinstance(error, OSError) and not isinstance(error, TextmillError)
        named = StoreFailed.of(error) if is_of_files else error
        _failed(run, named, runner)
        if named is error:
            raise
        raise named from error
    if tracked is not None:
        _track(run, runner, tracked, told)
    told.say(f"done in {time.monotonic() - started:.1f} s; report: {report}")
    return run


def _start(pipeline: Pipeline, reasons: dict[str, Any], again: str, pin: Pin) -> Run:
    from pipelines.runs import PLAN, Run
    from pipelines.store import write_json
    from textmill.stored import sealed

    run = Run.start(
        pipeline.root,
        pipeline.definition.name,
        pin,
        definition=pipeline.file,
        date=pipeline.date.isoformat(),
        dates={name: list(dates) for name, dates in pipeline.dates.items()},
        started_from=pipeline.last and {"version": pipeline.last.number, "date": pipeline.last.date},
        profile=pipeline.profile_name,
        command=again,
    )
    write_json(run.folder / PLAN, sealed(reasons))
    return run


def _again(pipeline: Pipeline) -> str:
    """The command that does the same again: after a failure it resumes. The date is part of it, midnight or not."""
    words = [word for word in sys.argv[1:] if word != "--open"]
    dated = [] if any(word.startswith("--date") for word in words) else ["--date", pipeline.date.isoformat()]
    return program.again([*words, *dated])


def _header(told: Listener, run: Run, plan: list[Planned]) -> None:
    number = sum(planned.action == "run" for planned in plan)
    told.say(f"run {run.record['name']}/{run.record['run']}: {_counted(plan)}")
    if number:
        told.say(f"log    {run.record['log']}")
        told.say(f"resume {run.record['command']}")


def _counted(plan: list[Planned]) -> str:
    """`6 of 20 steps to run, 12 reused, 2 not asked for`."""
    counts = Counter(planned.action for planned in plan)
    others = [f"{counts[action]} {word}" for action, word in (("reuse", "reused"), ("skip", "not asked for")) if counts[action]]
    return ", ".join([f"{counts['run']} of {len(plan)} steps to run", *others])


def _metrics(folder: Place) -> dict[str, Any]:
    from pipelines.kinds import METRICS

    return METRICS.found(folder / "metrics.json") or {}


def _report(run: Run, runner: Runner) -> Place:
    """Read the metrics into the record, finish it, and write the report."""
    from pipelines import promotion
    from pipelines.pipeline import EVALUATE
    from pipelines.report import write_report

    for step in run.record["steps"]:
        if step["op"] == EVALUATE and (found := _metrics(runner.folders[step["step"]])):
            run.record["metrics"][step["step"].partition(".")[2]] = promotion.figures(found)
    report = run.folder / "report.html"
    run.record["report"] = str(report)
    run.finish("done")
    _board(run, runner)
    write_report(run.record, runner.folders, report)
    return report


def _track(run: Run, runner: Runner, to: Server, told: Listener) -> None:
    """Log the run's trials. One that is done stays done: where that fails, the line says how to log it later."""
    from pipelines.board import read, tracking

    trials, _ = read.trials(runner.store.root, run.record["name"], [run.record["run"]])
    try:
        told.say(f"{tracking.log(trials, to)} new trials logged to {to}, experiment {to.experiment}")
    except TextmillError as error:
        told.say(f"{error}; once it answers: textmill board {run.record['name']} --run {run.record['run']} --track")


def _board(run: Run, runner: Runner) -> None:
    """Write the board beside the report, which links to it, where the run has anything to compare."""
    from pipelines.board import read
    from pipelines.report.board import write_board

    found = read.board_of(runner.store.root, run.record)
    if len(found.standings) > 1:
        run.record["board"] = str(run.folder / "board.html")
        write_board(found, run.folder / "board.html", "report.html")
        run.save()


def _failed(run: Run, error: BaseException, runner: Runner) -> None:
    """Record the failure, report on what there is, and say how to go on."""
    from pipelines.report import write_report
    from textmill.places import brief

    report = run.folder / "report.html" if runner.manifests else None
    run.record["report"] = str(report) if report else None
    try:
        run.finish("failed" if isinstance(error, Exception) else "interrupted", str(error) or type(error).__name__)
        if report:
            _board(run, runner)
            write_report(run.record, runner.folders, report)
    except OSError as other:  # on a full disk the failure itself is what matters
        console.say(f"the failure could not be recorded: {brief(other)}", err=True)
    if isinstance(error, TextmillError):
        error.resume = run.record["command"]
    elif isinstance(error, KeyboardInterrupt):
        console.say(f"\nresume: {run.record['command']}", err=True)
