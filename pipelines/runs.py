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
from textmill.errors import InputError

PLAN = "plan.json"
Record = dict[str, Any]
_RUN = re.compile(r"\d{8}-\d{6}-[0-9a-f]{4}")


class Run:
    """The record of a run that goes on; every change is on the disk before the next thing starts."""

    def __init__(self, folder: Path, record: Record) -> None:
        self.folder, self.record = folder, record

    @classmethod
    def start(cls, root: Path, name: str, **described: Any) -> Run:
        """A new run of the pipeline `name`, already recorded as running."""
        now = dt.datetime.now(dt.timezone.utc)
        run_id = f"{now:%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
        folder = root / name / run_id
        folder.mkdir(parents=True)
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
            "log": str(folder / "spark.log"),
            "steps": [],
            "metrics": {},
            "report": None,
            **described,
        }
        run = cls(folder, record)
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
        self.save()


def records(root: Path, name: str | None = None) -> list[Record]:
    """All run records under `root`, the newest first; of one pipeline where `name` is given."""
    found = []
    for file in root.glob(f"{name or '*'}/*/run.json"):
        if _RUN.fullmatch(file.parent.name) and (record := _read(file)) is not None:
            found.append(record)
    return sorted(found, key=lambda record: record["run"], reverse=True)


def find(root: Path, run_id: str) -> Record:
    """The one run whose id starts with `run_id`, or the newest for `last`; raises InputError."""
    if run_id == "last":
        found = records(root)[:1]
    else:
        found = [record for file in root.glob(f"*/{run_id}*/run.json") if (record := _read(file)) is not None]
    if len(found) != 1:
        what = "there is no run" if not found else f"{len(found)} runs start with"
        raise InputError(f"{what} '{run_id}' under {root}: `textmill runs` lists them")
    return found[0]


def last_plan(root: Path, name: str) -> dict[str, Any]:
    """What the keys of the newest run's steps were made of, by step; empty where there was none."""
    for record in records(root, name):
        try:
            return json.loads((folder(root, record) / PLAN).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
    return {}


def folder(root: Path, record: Record) -> Path:
    """The folder of a run."""
    return root / record["name"] / record["run"]


def _read(file: Path) -> Record | None:
    try:
        record = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if record["status"] == "running" and record["host"] == socket.gethostname() and not alive(record["pid"]):
        record["status"] = "interrupted"  # killed: it could not say so itself
    return record
