"""Thirty daily runs with what goes wrong in thirty days, and the proof that no row was lost or doubled.

python -m benchmarks.daily [--days 30] [--seed 7]

Every third date the driver is killed with -9 at a random moment and started again; once each, two are started
together, a shard of an earlier output is damaged, and rows come late. Every date has rows of its own and some of the
date before. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipelines.store import Store

TEXTMILL = Path(sys.executable).with_name("textmill")
FIRST = dt.date(2026, 1, 1)
DEFINITION = """
name: days
inputs:
  chats: {path: "days/${run.date}.jsonl", format: jsonl, window: all}
steps:
  clean: {do: text.clean, from: chats}
  dedup: {do: text.dedup, from: clean}
profiles:
  local: {spark: {master: "local[2]", memory: 1g}}
"""


@dataclass
class Days:
    """A folder in which a definition is run day by day, and what happened to it."""

    folder: Path
    random: random.Random
    rows: dict[str, list[str]] = field(default_factory=dict)
    happened: dict[str, int] = field(default_factory=dict)

    def put(self, date: str, rows: int) -> None:
        """The input of a date: `rows` texts of its own, and the first ten of the date before."""
        before = next(reversed(self.rows.values()), [])
        self.rows[date] = [f"{date} text {number}" for number in range(rows)] + before[:10]
        lines = [json.dumps({"text": text, "label": "a"}) for text in self.rows[date]]
        (self.folder / "days").mkdir(exist_ok=True)
        (self.folder / "days" / f"{date}.jsonl").write_text("\n".join(lines) + "\n")

    def start(self, date: str) -> subprocess.Popen[str]:
        """The daily run of a date, in a process group of its own."""
        return subprocess.Popen(
            [str(TEXTMILL), "daily", "daily.yaml", "--date", date], cwd=self.folder, text=True, start_new_session=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def run(self, date: str) -> None:
        """The daily run of a date, to its good end."""
        process = self.start(date)
        said, _ = process.communicate(timeout=300)
        if process.returncode:
            raise RuntimeError(f"{date}: status {process.returncode}\n{said}")

    def kill(self, date: str) -> None:
        """Start it and kill it at a random moment; it may have ended by then."""
        process = self.start(date)
        time.sleep(self.random.uniform(1, 12))
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            self._count("killed")
        process.communicate()

    def twice(self, date: str) -> None:
        """Two at once: one does it, the other is refused or finds it done."""
        both = [self.start(date), self.start(date)]
        said = [process.communicate(timeout=300)[0] for process in both]
        if sorted(process.returncode for process in both) not in ([0, 0], [0, 1]):
            raise RuntimeError(f"{date}: {said}")
        self._count("started twice")

    def damage(self) -> None:
        """Overwrite the middle of a Parquet file of the store."""
        files = sorted((self.folder / "runs/store/text.clean").glob("*/rows/*.parquet"))
        victim = self.random.choice(files)
        content = bytearray(victim.read_bytes())
        content[len(content) // 2] ^= 0xFF
        victim.write_bytes(content)
        self._count("damaged")

    def late(self) -> None:
        """A row more for the date before the last."""
        date = list(self.rows)[-2]
        self.rows[date].append(f"{date} late")
        with (self.folder / "days" / f"{date}.jsonl").open("a") as lines:
            lines.write(json.dumps({"text": f"{date} late", "label": "a"}) + "\n")
        self._count("late")

    def records(self) -> list[dict[str, Any]]:
        """The records of the runs that are done, the oldest first."""
        found = [json.loads(file.read_text()) for file in sorted((self.folder / "runs/days").glob("*/run.json"))]
        return [record for record in found if record["status"] == "done"]

    def prove(self) -> dict[str, Any]:
        """Raise AssertionError unless the last run's outputs hold each row of each date once; what was counted."""
        last = self.records()[-1]
        store, rows = Store(self.folder / "runs"), {}
        for step in last["steps"]:
            manifest = store.manifest(step["op"], step["key"])
            assert manifest is not None and store.damage(step["op"], step["key"], manifest) is None, step["step"]
            rows[step["step"]] = {part: described["rows"] for part, described in manifest["parts"].items()}
        for date, texts in self.rows.items():
            assert rows[f"clean@{date}"] == {"rows": len(texts)}, (date, rows[f"clean@{date}"], len(texts))
        total, distinct = sum(map(len, self.rows.values())), len({text for day in self.rows.values() for text in day})
        assert rows["dedup"] == {"rows": distinct, "dropped": total - distinct}, rows["dedup"]
        assert {record["date"] for record in self.records()} == set(self.rows)
        return {"dates": len(self.rows), "rows": total, "distinct": distinct, "lost_or_doubled": 0}

    def _count(self, what: str) -> None:
        self.happened[what] = self.happened.get(what, 0) + 1


def simulate(folder: Path, days: int, seed: int) -> dict[str, Any]:
    """Run `days` dates in the empty `folder`; raises AssertionError where a row was lost or doubled."""
    (folder / "daily.yaml").write_text(DEFINITION)
    given = Days(folder, random.Random(seed))
    for number in range(days):
        date = (FIRST + dt.timedelta(days=number)).isoformat()
        given.put(date, 200 + number)
        if number == days // 3:
            given.damage()
        if number == days // 2:
            given.twice(date)
        if number % 3 == 0:
            given.kill(date)
        given.run(date)
        if number == days - 1 and days > 1:
            given.late()
            given.run(date)
        print(f"{date} done", flush=True)
    return {**given.prove(), **given.happened}


def main() -> None:
    """Simulate and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args()
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        found = simulate(Path(folder), given.days, given.seed)
    print(json.dumps({**found, "seconds": round(time.monotonic() - started, 1)}))


if __name__ == "__main__":
    main()
