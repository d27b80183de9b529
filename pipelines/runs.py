"""Run records: one folder per run, with run.json, its logs and its report."""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import secrets
import socket
from pathlib import Path
from typing import Any

from pipelines.store import alive, write_json
from textmill import places
from textmill.errors import InputError
from textmill.places import Place
from textmill.transfer import for_logs, upload

PLAN, STORE = "plan.json", "store"
Record = dict[str, Any]
_RUN = re.compile(r"\d{8}-\d{6}-[0-9a-f]{4}")


class Run:
    """The record of a run that goes on; every change is on the disk before the next thing starts.

    `local` is where logs are written as they come: the run's folder, or one of this machine that is copied there at
    the end where the run's is remote.
    """

    def __init__(self, folder: Place, record: Record, local: Path) -> None:
        self.folder, self.record, self.local = folder, record, local

    @classmethod
    def start(cls, root: Place, name: str, **described: Any) -> Run:
        """A new run of the pipeline `name`, already recorded as running."""
        now = dt.datetime.now(dt.timezone.utc)
        run_id = f"{now:%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
        folder = root / name / run_id
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
        write_json(self.folder / "run.json", self.record)

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
    """All run records under `root`, the newest first; of one pipeline where `name` is given."""
    found = [record for record in places.in_threads(_read, _folders(root, name)) if record is not None]
    return sorted(found, key=lambda record: record["run"], reverse=True)


def _folders(root: Place, name: str | None = None) -> list[Place]:
    """The folders of all runs."""
    pipelines = [root / name] if name else [folder for folder in _inside(root) if folder.name != STORE]
    inside = places.in_threads(_inside, pipelines)
    return [folder for folders in inside for folder in folders if _RUN.fullmatch(folder.name)]


def _inside(folder: Place) -> list[Place]:
    try:
        return list(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []


def find(root: Place, run_id: str) -> Record:
    """The one run whose id starts with `run_id`, or the newest for `last`; raises InputError."""
    if run_id == "last":
        found = records(root)[:1]
    else:
        named = [folder for folder in _folders(root) if folder.name.startswith(run_id)]
        found = [record for folder in named if (record := _read(folder)) is not None]
    if len(found) != 1:
        what = "there is no run" if not found else f"{len(found)} runs start with"
        raise InputError(f"{what} '{run_id}' under {root}: `textmill runs` lists them")
    return found[0]


def last_plan(root: Place, name: str) -> dict[str, Any]:
    """What the keys of the newest run's steps were made of, by step; empty where there was none."""
    for run in sorted(_folders(root, name), key=lambda run: run.name, reverse=True):
        try:
            return json.loads((run / PLAN).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
    return {}


def folder(root: Place, record: Record) -> Place:
    """The folder of a run."""
    return root / record["name"] / record["run"]


def _read(folder: Place) -> Record | None:
    try:
        record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if record["status"] == "running" and record["host"] == socket.gethostname() and not alive(record["pid"]):
        record["status"] = "interrupted"  # killed: it could not say so itself
    return record
