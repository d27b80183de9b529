"""Thirty daily runs with what goes wrong in thirty days, and the proof that no row was lost or doubled.

python -m benchmarks.daily [--corpus NSMC] [--days 30] [--quick] [--seed 7] [--folder FOLDER [--minutes 8]]

With --corpus, the folder of the nsmc film reviews (JSON lines with text, label and date), the partitions are those of
its last days, each date trains from the model promoted before it and is measured on a fixed gold set and on its own
rows; without it, texts are made and nothing is trained. In ten of the dates the driver, an executor or both are killed
with -9 at a random moment; once each, the disk is full, a shard of an earlier output is damaged, the clock goes back,
two are started at once, and rows come late. With --folder what was done stays there and is gone on with, for --minutes
at a time. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import datetime as dt
import gzip
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks import daily_accidents as accidents
from benchmarks.daily_proof import prove

TEXTMILL = Path(sys.executable).with_name("textmill")
FIRST = dt.date(2026, 1, 1)
_STATE = "days.json"
_SECONDS = 1500
_PREPARED = """
name: days
inputs:
  chats: {path: "days/${run.date}.jsonl", format: jsonl, id: id, window: all}
steps:
  clean: {do: text.clean, from: chats}
  dedup: {do: text.dedup, from: clean}
profiles:
  local: {spark: {master: "local[2]", memory: 1g}}
  executors: {spark: {master: "local-cluster[2,1,1024]", memory: 1g}}
"""
_TRAINED = """
name: days
inputs:
  chats: {path: "days/${run.date}.jsonl", format: jsonl, id: id, window: all}
  gold:  {path: gold.jsonl, format: jsonl, id: id}
steps:
  clean:      {do: text.clean, from: chats}
  clean_gold: {do: text.clean, from: gold}
  dedup:      {do: text.dedup, from: clean}
  split:      {do: data.split, from: dedup, parts: {train: 0.7, valid: 0.15, test: 0.15}}
  tokens:
    do: text.tokenize
    from: {train: split.train, valid: split.valid, test: [split.test, clean_gold]}
    analyzer: nori
  tensors: {do: tensor.encode, from: tokens, vocabulary: {rule: extend, min_count: 2}, length: 32, shards: 2}
train:
  m:
    model: fasttext
    from: tensors
    start: warm
    epochs: 3
    batch: 64
    params: {embedding: 16, buckets: 2000}
    evaluate: {gold: clean_gold, newest: clean}
promote: {if: gold.accuracy > last, keep: 3}
schedule: {metrics: days.prom}
profiles:
  local: {spark: {master: "local[2]", memory: 1g}}
  executors: {spark: {master: "local-cluster[2,1,1024]", memory: 1g}}
"""


@dataclass
class Days:
    """A folder in which a definition is run day by day, and what happened to it."""

    folder: Path
    seed: int
    rows: dict[str, list[str]] = field(default_factory=dict)
    """The texts of each date, as they were put there."""
    happened: dict[str, int] = field(default_factory=dict)
    attempts: int = 0
    seconds: float = 0.0

    @classmethod
    def of(cls, folder: Path, seed: int) -> Days:
        """What an earlier call left in the folder, or the beginning."""
        file = folder / _STATE
        return cls(folder, **json.loads(file.read_text())) if file.exists() else cls(folder, seed)

    def save(self) -> None:
        """Remember it for a later call."""
        state = {key: value for key, value in self.__dict__.items() if key != "folder"}
        (self.folder / f"{_STATE}.part").write_text(json.dumps(state))
        (self.folder / f"{_STATE}.part").replace(self.folder / _STATE)

    def random(self, date: str) -> random.Random:
        """The dice of a date."""
        return random.Random(f"{self.seed} {date}")

    def put(self, date: str, records: list[dict[str, Any]]) -> None:
        """The input of a date."""
        self.rows[date] = [record["text"] for record in records]
        lines = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)
        (self.folder / "days" / f"{date}.jsonl").write_text(lines, encoding="utf-8")

    def start(self, *words: str, verb: str = "daily", profile: str = "local", **environ: str) -> subprocess.Popen[str]:
        """A daily run or a backfill, in a process group of its own."""
        self.attempts += 1
        return subprocess.Popen(
            [str(TEXTMILL), verb, "daily.yaml", "--profile", profile, *words], cwd=self.folder, text=True,
            start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env={**os.environ, **environ},
        )  # fmt: skip

    def end(self, process: subprocess.Popen[str]) -> str:
        """What it said; it and all it started are gone then, whatever ends this program."""
        try:
            return process.communicate(timeout=_SECONDS)[0]
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)

    def backfill(self, since: str, until: str) -> None:
        """All dates from one to another, to their good end."""
        words = ("--since", since, "--until", until)
        process = self.start(*words, verb="backfill")
        said = self.end(process)
        if process.returncode:
            raise RuntimeError(f"{words}: status {process.returncode}\n{said}")

    def twice(self, date: str) -> None:
        """Two at once: one does it, the other is refused or finds it done."""
        both = [self.start("--date", date), self.start("--date", date)]
        said = [self.end(process) for process in both]
        if sorted(process.returncode for process in both) not in ([0, 0], [0, 1]):
            raise RuntimeError(f"{date}: {said}")
        self.count("started_twice")

    def late(self) -> None:
        """A row more for the date before the last."""
        date = list(self.rows)[-2]
        text = f"{date} 늦게 온 글"
        self.rows[date].append(text)
        with (self.folder / "days" / f"{date}.jsonl").open("a", encoding="utf-8") as lines:
            label = json.loads((self.folder / "days" / f"{date}.jsonl").read_text().splitlines()[0])["label"]
            lines.write(json.dumps({"id": f"late {date}", "text": text, "label": label}, ensure_ascii=False) + "\n")
        self.count("late")

    def count(self, what: str, number: int = 1) -> None:
        """Note what happened."""
        self.happened[what] = self.happened.get(what, 0) + number


def made(days: int) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Dates with rows of their own, and the first ten of the date before."""
    before: list[str] = []
    for number in range(days):
        date = (FIRST + dt.timedelta(days=number)).isoformat()
        texts = [f"{date} text {row}" for row in range(200 + number)] + before[:10]
        before = texts
        yield date, [{"id": f"{date}:{row}", "text": text, "label": "a"} for row, text in enumerate(texts)]


def of_corpus(corpus: Path, days: int) -> dict[str, list[dict[str, Any]]]:
    """The labelled reviews of each of the corpus' last whole days; under `gold` 400 of the days before those."""
    by_date: dict[str, list[dict[str, Any]]] = {}
    for file in sorted(corpus.glob("*.jsonl.gz")):
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            for review in map(json.loads, lines):
                if review["label"] is not None and review["text"].strip():
                    row = {"id": review["id"], "text": review["text"], "label": "good" if review["label"] else "bad"}
                    by_date.setdefault(review["date"], []).append(row)
    *earlier, _ = sorted(by_date)  # the last one is a part of a day
    gold = [row for date in earlier[-days - 30 : -days] for row in by_date[date]]
    return {"gold": random.Random(1).sample(gold, 400), **{date: by_date[date] for date in earlier[-days:]}}


def simulate(folder: Path, days: int, seed: int, corpus: Path | None = None, until: float = 1e18) -> dict[str, Any]:
    """Run `days` dates in `folder`, going on where an earlier call stopped; empty where `until` comes before the end.

    Raises AssertionError where a row was lost or doubled.
    """
    given, started = Days.of(folder, seed), time.monotonic()
    (folder / "days").mkdir(exist_ok=True)
    (folder / "daily.yaml").write_text(_TRAINED if corpus else _PREPARED)
    dates = of_corpus(corpus, days) if corpus else dict(made(days))
    lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in dates.pop("gold", []))
    (folder / "gold.jsonl").write_text("".join(lines), encoding="utf-8")
    for group in groups(days):
        left = [number for number in group if list(dates)[number] not in given.rows]
        if left and time.monotonic() > until:
            return {}
        if left:
            _run(given, left, days, dates)
            given.seconds, started = given.seconds + time.monotonic() - started, time.monotonic()
            given.save()
            print(f"{max(given.rows)} done; {given.seconds:.0f} s, {given.happened}", flush=True)
    return {**prove(folder, given.rows), **given.happened, "attempts": given.attempts, "seconds": given.seconds}


def accident(number: int, days: int) -> str:
    """What goes wrong on a date, by its number; empty where nothing does."""
    if number % 3 == 0:
        return ("driver", "executor", "both")[number // 3 % 3]
    once = {max(1, days // 2 - 1): "twice"}
    if days > 6:
        once |= {days // 6 - 1: "disk", days * 3 // 4: "clock"}
    return once.get(number, "")


def groups(days: int) -> list[list[int]]:
    """The numbers of the dates; each with an accident begins a group, whose other dates are run in one process."""
    found: list[list[int]] = []
    for number in range(days):
        if accident(number, days) or not found:
            found.append([])
        found[-1].append(number)
    return found


def _run(given: Days, group: list[int], days: int, dates: Mapping[str, list[dict[str, Any]]]) -> None:
    """The dates of a group, with what is to go wrong on the first of them."""
    names = [list(dates)[number] for number in group]
    for name in names:
        given.put(name, dates[name])
    dice, what = given.random(names[0]), accident(group[0], days)
    if days // 3 in group:
        accidents.damage(given, dice)
    if what == "twice":
        given.twice(names[0])
    elif what == "disk":
        accidents.fill_disk(given, names[0], dice)
    elif what == "clock":
        accidents.set_clock_back(given, names[0], dice)
    elif what:
        accidents.kill(given, names[0], dice, what)
    given.backfill(names[0], names[-1])
    if days - 1 in group and days > 1:
        given.late()
        given.backfill(list(given.rows)[-2], names[-1])


def mount(runs: Path, megabytes: int = 600) -> None:
    """Give the runs a file system of their own, so that it can be full; nothing where this user may not."""
    runs.mkdir(parents=True, exist_ok=True)
    if not runs.is_mount():
        command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "textmill", str(runs)]
        subprocess.run(command, check=False, capture_output=True)


def _report(found: Mapping[str, Any]) -> None:
    for name, value in found.items():
        print(f"{name:<22} {value}")
    load = round(os.getloadavg()[0], 2)
    print(json.dumps({**found, "seconds": round(found["seconds"], 1), "load_average": load}))


def main() -> None:
    """Simulate and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--quick", action="store_true", help="three days without training")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--minutes", type=float, default=1e9)
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    days, corpus = (3, None) if given.quick else (given.days, given.corpus)
    until = time.monotonic() + 60 * given.minutes
    folder = given.folder or Path(tempfile.mkdtemp())
    mount(folder / "runs")
    found: dict[str, Any] = {}
    try:
        found = simulate(folder, days, given.seed, corpus, until)
    finally:
        if found or given.folder is None:
            subprocess.run(["umount", str(folder / "runs")], check=False, capture_output=True)
            shutil.rmtree(folder, ignore_errors=given.folder is None)
    if found:
        _report(found)
    else:
        print("to be gone on with: the same command again")


if __name__ == "__main__":
    main()
