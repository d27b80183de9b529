"""Run records: one folder per run, with run.json, its logs and its report."""

from __future__ import annotations

import datetime as dt
import itertools
import os
import re
import secrets
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines import kinds
from pipelines.store import write_json
from textmill import places
from textmill.errors import InputError, Unreadable
from textmill.owners import alive
from textmill.places import Place
from textmill.stored import sealed
from textmill.transfer import for_logs, upload

if TYPE_CHECKING:
    from pipelines.pins import Pin

PLAN, RECORD, STORE = "plan.json", "run.json", "store"
Record = dict[str, Any]
_ABSENT: Record = {"date": "", "error": None, "seconds": None, "finished": None, "report": None, "log": "", "command": "",
                   "definition": "", "profile": "", "metrics": {}}  # fmt: skip
_ABSENT_STEP: Record = {"op": "", "action": "", "why": "", "output": "", "status": "", "seconds": 0.0}
"""What records of earlier heads may not say."""
ID_LENGTH = 20
_RUN = re.compile(r"\d{8}-\d{6}-[0-9a-f]{4}")


class Run:
    """The record of a run that goes on; every change is on the disk before the next thing starts.

    `local` is where logs are written as they come: the run's folder, or one of this machine that is copied there at
    the end where the run's is remote.
    """

    def __init__(self, folder: Place, record: Record, local: Path) -> None:
        self.folder, self.record, self.local = folder, record, local

    @classmethod
    def start(cls, root: Place, name: str, pin: Pin | None = None, **described: Any) -> Run:
        """A new run of the pipeline `name`, already recorded as running; `pin` keeps it from house-keeping."""
        now = dt.datetime.now(dt.timezone.utc)
        run_id = f"{now:%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
        folder = root / name / run_id
        if pin is not None:
            pin.keep(runs=[run_id])
        folder.mkdir(parents=True)
        local = for_logs(folder)
        record = {
            "run": run_id,
            "name": name,
            "status": "running",
            "started": now.isoformat(timespec="seconds"),
            "finished": None,
            "seconds": None,
            "pid": os.getpid(),
            "host": socket.gethostname(),
            "error": None,
            "log": str(local / "spark.log"),
            "steps": [],
            "metrics": {},
            "report": None,
            **described,
        }
        run = cls(folder, record, local)
        run.save()
        return run

    def save(self) -> None:
        """Write run.json."""
        write_json(self.folder / RECORD, sealed(self.record))

    def step(self, name: str) -> Record:
        """The entry of a step."""
        return next(step for step in self.record["steps"] if step["step"] == name)

    def finish(self, status: str, error: str | None = None) -> None:
        """Record how the run ended."""
        now = dt.datetime.now(dt.timezone.utc)
        started = dt.datetime.fromisoformat(self.record["started"])
        finished = {"finished": now.isoformat(timespec="seconds"), "seconds": round((now - started).total_seconds(), 1)}
        self.record.update(status=status, error=error, **finished)
        if self.local != self.folder:
            self._keep_logs()
        self.save()

    def _keep_logs(self) -> None:
        """Copy what was written on this machine to the run's folder."""
        try:
            upload(self.local, self.folder)
        except OSError as error:
            self.record["log"] += f" on {self.record['host']}, not copied: {places.brief(error)}"
            return
        self.record["log"] = str(self.folder / "spark.log")


def records(root: Place, name: str | None = None) -> list[Record]:
    """All run records under `root` that can be read, the newest first; of one pipeline where `name` is given."""
    return read(root, name)[0]


def read(root: Place, name: str | None = None) -> tuple[list[Record], list[Unreadable]]:
    """Run records as `records` gives them, and what is wrong with each damaged one; both the newest first."""
    found = list(places.in_threads(_attempt, sorted(_folders(root, name), key=lambda run: run.name, reverse=True)))
    damaged = [one for one in found if isinstance(one, Unreadable)]
    return [one for one in found if one is not None and not isinstance(one, Unreadable)], damaged


def as_row(damaged: Unreadable) -> Record:
    """What a list of runs shows of one whose record is damaged."""
    folder = damaged.file.parent
    return {
        **_ABSENT,
        "run": folder.name,
        "name": folder.parent.name,
        "status": "damaged",
        "error": str(damaged),
        "steps": [],
    }


def _folders(root: Place, name: str | None = None) -> list[Place]:
    """The folders of all runs."""
    pipelines = [root / name] if name else [folder for folder in places.inside(root) if folder.name != STORE]
    inside = places.in_threads(places.inside, pipelines)
    return [folder for folders in inside for folder in folders if is_run(folder)]


def is_run(folder: Place) -> bool:
    """Whether it is called as the folder of a run is."""
    return _RUN.fullmatch(folder.name) is not None


def find(root: Place, run_id: str, name: str | None = None) -> Record:
    """The one run whose id starts with `run_id`, or the newest for `last`; of one pipeline if given.

    Raises InputError where that is not one, Unreadable where its record is damaged: that the one before the newest
    would do is not for us to say.
    """
    folders = sorted(_folders(root, name), key=lambda run: run.name, reverse=True)
    named = folders if run_id == "last" else [folder for folder in folders if folder.name.startswith(run_id)]
    if run_id == "last":
        found = list(itertools.islice((record for run in named if (record := read_one(run)) is not None), 1))
    else:
        found = [record for run in named if (record := read_one(run)) is not None]
    if len(found) != 1:
        what = "there is no run" if not found else f"{len(found)} runs start with"
        raise InputError(f"{what} '{run_id}' under {root}: `textmill runs` lists them")
    return found[0]


def last_plan(root: Place, name: str) -> dict[str, Any]:
    """What the keys of the newest run's steps were made of, by step; empty where there was none."""
    for run in sorted(_folders(root, name), key=lambda run: run.name, reverse=True):
        try:
            if (found := kinds.PLAN.found(run / PLAN)) is not None:
                return found
        except Unreadable:
            continue  # what changed is told against the run before it
    return {}


def made(root: Place, name: str) -> set[str]:
    """The keys of all outputs that runs of a pipeline made or reused."""
    return {step["key"] for record in records(root, name) for step in record["steps"] if step["status"] == "done"}


def plan(root: Place, record: Record) -> dict[str, dict[str, Any]]:
    """What the keys of a run's steps were made of, by step. Raises Unreadable where it is damaged or gone."""
    file = folder(root, record) / PLAN
    found = kinds.PLAN.found(file)
    if found is None:
        raise Unreadable(file, "it is missing", kinds.PLAN.cure)
    return found


def folder(root: Place, record: Record) -> Place:
    """The folder of a run."""
    return root / record["name"] / record["run"]


def _attempt(folder: Place) -> Record | Unreadable | None:
    try:
        return read_one(folder)
    except Unreadable as error:
        return error


def read_one(folder: Place) -> Record | None:
    """None for a run that has not begun its record yet. Raises Unreadable."""
    file = folder / RECORD
    found = kinds.RUN.found(file)
    if found is None:
        return None
    if (found["name"], found["run"]) != (folder.parent.name, folder.name):
        raise Unreadable(file, f"it is that of run {found['name']}/{found['run']}", kinds.RUN.cure)
    record = {**_ABSENT, **found, "steps": [{**_ABSENT_STEP, **step} for step in found["steps"]]}
    if record["status"] == "running" and record.get("host") == socket.gethostname() and not alive(record.get("pid", 0)):
        record["status"] = "interrupted"  # killed: it could not say so itself
    return record
