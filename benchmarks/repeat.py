"""Time and peak memory of preparing the same files once, 4 and 16 times over: time is to grow with them, memory is not.

.venv/bin/python benchmarks/repeat.py                 50,000 made utterances, their files repeated
.venv/bin/python benchmarks/repeat.py --quick         10,000, once and 4 times
… --memory 640m     another heap
… --data FOLDER     JSON lines with a field text (and one to be the label: --label)
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import corpus  # noqa: E402
from benchmarks.prepare import run_all  # noqa: E402

RECORDS, QUICK = 50_000, 10_000
STEPS = ("clean", "dedup", "split", "tokens", "tensors")
DEFINITION = """
name: repeat
root: {root}
inputs:
  chats: {{path: {chats}, format: jsonl, label: {label}, max_bad: 10%}}
steps:
  clean: {{do: text.clean, from: chats}}
  dedup: {{do: text.dedup, from: clean}}
  split: {{do: data.split, from: clean, parts: {{train: 0.9, valid: 0.05, test: 0.05}}}}
  tokens: {{do: text.tokenize, from: [split.train, split.valid, split.test], analyzer: nori}}
  tensors: {{do: tensor.encode, from: tokens, vocabulary: {{max: 50000, min_count: 3}}, length: 32}}
profiles:
  local: {{spark: {{master: "local[2]", memory: {memory}, conf: {{spark.driver.extraJavaOptions: {java}}}}}}}
"""
# A longer run touches more of the heap it was given: here all of it is touched at once, so what grows is not heap.
TOUCHED = "-Xms{memory} -XX:+AlwaysPreTouch"


def measure(files: list[Path], times: int, label: str, memory: str) -> dict[str, Any]:
    """Prepare `files`, each `times` times under names of its own; in a process and a JVM of its own."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "chats").mkdir()
        for copy in range(times):
            for file in files:
                shutil.copy(file, folder / "chats" / f"{copy:02d}-{file.name}")
        with multiprocessing.get_context("spawn").Pool(1) as alone:
            return alone.apply(_prepare, (folder, times, label, memory))


def _prepare(folder: Path, times: int, label: str, memory: str) -> dict[str, Any]:
    path = folder / "repeat.yaml"
    text = DEFINITION.format(
        root=folder / "runs", chats=folder / "chats", label=label, memory=memory, java=TOUCHED.format(memory=memory)
    )
    path.write_text(text, encoding="utf-8")
    started = time.perf_counter()
    steps, session, peak = run_all(path)
    wall = time.perf_counter() - started - session
    return {
        "times": times,
        "records": sum(steps["clean"]["rows"].values()),
        "seconds": round(wall, 1),
        "cpu_seconds": round(peak.cpu_seconds, 1),
        "peak_mib": round(peak.both / 2**20),
        "steps": {step: round(steps[step]["seconds"], 1) for step in STEPS},
    }


def show(runs: list[dict[str, Any]]) -> None:
    """A table for people."""
    print(f"{'':>5}{'records':>12}{'seconds':>9}{'CPU s':>8}{'peak MiB':>10}" + "".join(f"{s:>9}" for s in STEPS))
    for run in runs:
        steps = "".join(f"{run['steps'][step]:9.1f}" for step in STEPS)
        row = f"{run['records']:12,}{run['seconds']:9.1f}{run['cpu_seconds']:8.1f}{run['peak_mib']:10,}{steps}"
        print(f"{run['times']:>4}×{row}")


def summary(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Growth from the first run to the last: 1 for time per record and for memory is what is wanted."""
    first, last = runs[0], runs[-1]
    grown = last["records"] / first["records"]
    return {
        "runs": runs,
        "time_per_record_growth": round(last["seconds"] / first["seconds"] / grown, 3),
        "cpu_per_record_growth": round(last["cpu_seconds"] / first["cpu_seconds"] / grown, 3),
        "peak_memory_growth": round(last["peak_mib"] / first["peak_mib"], 3),
        "load_1m": round(os.getloadavg()[0], 2),
    }


def main() -> None:
    """Prepare once, 4 and 16 times the data; print a table and one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--data", type=Path)
    parser.add_argument("--label", default="intent")
    parser.add_argument("--memory", default="1g", help="heap of the JVM")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        if given.data is None:
            corpus.write(Path(made), QUICK if given.quick else RECORDS)
        files = sorted((given.data or Path(made)).glob("*.jsonl*"))
        runs = [measure(files, times, given.label, given.memory) for times in ((1, 4) if given.quick else (1, 4, 16))]
    show(runs)
    print(json.dumps(summary(runs)))


if __name__ == "__main__":
    main()
