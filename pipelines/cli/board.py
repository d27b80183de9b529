"""`textmill board`: every trial and training of a pipeline's runs, by what the test part can tell."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipelines import console
from pipelines.cli import options
from pipelines.report import words
from textmill.errors import InputError

if TYPE_CHECKING:
    from rich.table import Table

    from pipelines.board.board import Board, Standing

Value = Callable[["Standing"], Any]
_SORTS: dict[str, tuple[Value, bool]] = {
    "accuracy": (lambda standing: standing.accuracy, True),
    "macro_f1": (lambda standing: standing.trial.test and standing.trial.test.macro_f1, True),
    "valid": (lambda standing: standing.trial.valid and standing.trial.valid.accuracy, True),
    "parameters": (lambda standing: standing.trial.parameters, False),
    "records_per_s": (lambda standing: standing.trial.records_per_s, True),
    "seconds": (lambda standing: standing.trial.seconds, False),
    "bytes": (lambda standing: standing.trial.bytes, False),
    "name": (lambda standing: standing.trial.name, False),
}
"""What can be sorted by, and whether the highest comes first."""
_WORDS = ("trial", "engine", "model")
_COLUMNS = ("", *_WORDS, "accuracy", "95 %", "macro-F1", "valid", "parameters", "records/s", "time", "size")
_LESS = ("size", "parameters", "records/s", "engine", "time", "valid", "model")
"""What a narrow terminal does without, one after another."""
_WIDE, _ERROR = 200, 36


@click.command("board")
@click.argument("pipeline", required=False, metavar="[DEFINITION|NAME]")
@click.option(
    "--run", "runs", multiple=True, metavar="RUN", help="Only this run (the start of its id, or last); repeat for more."
)
@click.option(
    "--sort", type=click.Choice(list(_SORTS)), default="accuracy", show_default=True, help="Order of the rows."
)
@click.option("-n", "count", default=30, show_default=True, help="At most so many rows in the terminal.")
@click.option("--html", type=click.Path(path_type=Path, dir_okay=False), help="Write the board as a page to this file.")
@click.option("--track", is_flag=True, help="Log all trials with MLflow, where tracking.uri or MLFLOW_TRACKING_URI says.")
@options.root
@options.as_json
def command(
    pipeline: str | None,
    runs: tuple[str, ...],
    sort: str,
    count: int,
    html: Path | None,
    track: bool,
    root: str | None,
    as_json: bool,
) -> None:
    """Compare all trainings and trials of a pipeline: of a DEFINITION, a NAME, or of the newest run's."""
    from pipelines.board import read

    where = read.chosen(pipeline, root)
    board = _sorted(read.board(*where, runs), sort)
    if track:
        _track(board, pipeline)
    if html is not None:
        from pipelines.report.board import write_board

        write_board(board, html)
    if as_json:
        options.print_json(_described(board))
    elif html is None:
        _print(board, count)
    else:
        console.say(f"{len(board.standings):,} trials: {html}")


def _track(board: Board, pipeline: str | None) -> None:
    from pipelines.board import read, tracking

    to = tracking.server(read.tracking_of(pipeline), board.name)
    if to is None:
        raise click.UsageError("--track needs MLFLOW_TRACKING_URI, or a DEFINITION with tracking.uri")
    to.check()
    number = tracking.log((standing.trial for standing in board.standings), to)
    console.say(f"{number:,} new trials logged to {to}, experiment {to.experiment}", err=True)


def _sorted(board: Board, sort: str) -> Board:
    from dataclasses import replace

    value, highest = _SORTS[sort]
    told = [standing for standing in board.standings if value(standing) is not None]
    rest = [standing for standing in board.standings if value(standing) is None]
    return replace(board, standings=(*sorted(told, key=value, reverse=highest), *rest))


def _described(board: Board) -> dict[str, Any]:
    best, chosen = board.best, board.chosen
    return {
        "name": board.name,
        "counts": board.counts(),
        "best": best.trial.ref if best else None,
        "ties": [standing.trial.ref for standing in board.ties],
        "best_on_valid": chosen.trial.ref if chosen else None,
        "trials": [standing.as_dict() for standing in board.standings],
        "notes": list(board.notes),
    }


def _print(board: Board, count: int) -> None:
    from rich.console import Console

    if not board.standings:
        raise InputError(f"{board.name}: no run trained anything yet: textmill run DEFINITION")
    # Not a terminal: whoever reads the file or the pipe wants all of it.
    terminal = Console(width=None if sys.stdout.isatty() or "COLUMNS" in os.environ else _WIDE)
    left_out: list[str] = []
    free = terminal.options.update(max_width=_WIDE)
    while terminal.measure(table := _table(board, count, left_out), options=free).maximum > terminal.width:
        if len(left_out) == len(_LESS):
            break
        left_out.append(_LESS[len(left_out)])
    terminal.print(table)
    if len(board.standings) > count:
        console.say(f"{len(board.standings) - count:,} more: -n {len(board.standings)}, or --html FILE")
    for line in _told(board):
        console.say(console.shown(line))


def _table(board: Board, count: int, left_out: Sequence[str]) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE, pad_edge=False)
    shown = [number for number, heading in enumerate(_COLUMNS) if heading not in left_out]
    for number in shown:
        table.add_column(_COLUMNS[number], no_wrap=True, justify="left" if _COLUMNS[number] in _WORDS else "right")
    several = len({standing.trial.run for standing in board.standings}) > 1
    for standing in board.standings[:count]:
        cells = _cells(board, standing, several)
        table.add_row(*(cells[number] for number in shown))
    return table


def _cells(board: Board, standing: Standing, several: bool) -> list[str]:
    trial = standing.trial
    said = trial.ref if several else trial.name, trial.engine, trial.model
    name, engine, model = map(console.cell, said)
    if trial.error or standing.accuracy is None:
        state = trial.status if trial.error or trial.status != "done" else "not evaluated"
        return ["", name, engine, model, state, console.cell(_line(trial.error)), *[""] * 6]
    low, high = standing.interval or (0.0, 1.0)
    rank = "=" if standing.tie and standing is not board.best else f"{standing.rank}"
    return [
        rank, name, engine, model, f"{standing.accuracy:.4f}", f"{low:.4f}–{high:.4f}",
        words.score(trial.test and trial.test.macro_f1), words.score(trial.valid and trial.valid.accuracy),
        words.count(trial.parameters), words.count(trial.records_per_s), words.seconds(trial.seconds),
        words.size(trial.bytes),
    ]  # fmt: skip


def _line(error: str) -> str:
    """The line of an error that tells most, as far as a column has room: all of it is in the page and in --json."""
    lines = error.strip().splitlines()
    return words.clip(lines[-1], _ERROR) if lines else ""


def _told(board: Board) -> list[str]:
    """What the table means, and what could not be read."""
    told = [", ".join(f"{count:,} {status}" for status, count in board.counts().items())]
    if board.best:
        number = len(board.ties)
        ties = f"{number} more can't be told from it (=)" if number else "no other ties with it"
        unpaired = f"; {board.unpaired} can't be paired with it row by row" if board.unpaired else ""
        told.append(f"best on test: {board.best.trial.name}; {ties}{unpaired}: exact McNemar, 5 %, Holm")
    if board.chosen:
        shown = board.chosen.accuracy
        told.append(
            f"best on valid: {board.chosen.trial.name}" + (f", test accuracy {shown:.4f}" if shown is not None else "")
        )
    return [*told, *(f"note: {note}" for note in board.notes)]
