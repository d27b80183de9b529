"""Which pipeline, which of its runs, and their board."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pipelines import roots, runs
from pipelines.board import board as boards
from pipelines.board.board import Board
from pipelines.board.tested import Tests
from pipelines.board.trials import Trial, of_runs
from pipelines.model import Tracking
from pipelines.report.reading import Reading
from pipelines.runs import Record
from pipelines.store import Store
from pipelines.validation import did_you_mean
from textmill import places
from textmill.errors import InputError
from textmill.names import is_fit
from textmill.places import Place

_DEFINITIONS = (".yaml", ".yml")


def chosen(pipeline: str | None, root: str | None) -> tuple[Place, str]:
    """The folder of the runs and the pipeline's name: of a definition, a name, or of the newest run.

    Raises InputError where there is no such pipeline, DefinitionError for a definition with problems.
    """
    if pipeline is not None and _is_definition(pipeline):
        from pipelines.definition import load

        loaded = load(Path(pipeline), root=root)
        return loaded.root, loaded.definition.name
    if pipeline is not None and not is_fit(pipeline):
        raise InputError(f"{pipeline!r} is no name of a pipeline, and there is no such definition")
    folder = places.place(roots.chosen(root))
    found, damaged = runs.read(folder, pipeline)
    known = dict.fromkeys(record["name"] for record in found)
    if not known and damaged:
        raise damaged[0]
    if not known:
        names = dict.fromkeys(record["name"] for record in runs.records(folder))
        what = f"of '{pipeline}'{did_you_mean(pipeline, names)}" if pipeline else "yet: textmill run DEFINITION"
        raise InputError(f"there is no run under {folder} {what}")
    return folder, next(iter(known))


def _is_definition(pipeline: str) -> bool:
    return Path(pipeline).is_file() or Path(pipeline).suffix in _DEFINITIONS


def tracking_of(pipeline: str | None) -> Tracking:
    """What a definition says of tracking; nothing where `pipeline` is no definition."""
    if pipeline is None or not _is_definition(pipeline):
        return Tracking()
    from pipelines.definition import load

    return load(Path(pipeline)).definition.tracking


def records(root: Place, name: str, reading: Reading, wanted: Sequence[str] = ()) -> list[Record]:
    """The run records of a pipeline, the newest first; only those `wanted` (starts of ids, last) if any are named.

    Damaged ones are noted, unless they are named: then Unreadable is raised.
    """
    if not wanted:
        found, damaged = runs.read(root, name)
        reading.notes += map(str, damaged)
        return found
    named = {record["run"]: record for record in (_record(root, name, one) for one in wanted)}
    return sorted(named.values(), key=lambda record: record["run"], reverse=True)


def _record(root: Place, name: str, wanted: str) -> Record:
    if wanted == "last":
        return runs.find(root, wanted, name)
    record = runs.find(root, wanted)
    if record["name"] != name:
        raise InputError(f"run {record['run']} is one of {record['name']}, not of {name}")
    return record


def trials(root: Place, name: str, wanted: Sequence[str] = ()) -> tuple[list[Trial], Reading]:
    """The trials of those runs, the newest first, and what could not be read."""
    reading = Reading()
    return of_runs(root, records(root, name, reading, wanted), reading), reading


def board(root: Place, name: str, wanted: Sequence[str] = ()) -> Board:
    """The board of those runs."""
    found, reading = trials(root, name, wanted)
    return boards.make(name, found, Tests(Store(root)), reading)


def board_of(root: Place, record: Record) -> Board:
    """The board of one run."""
    reading = Reading()
    return boards.make(record["name"], of_runs(root, [record], reading), Tests(Store(root)), reading)
