"""What a day that adds 1 % of the data costs, beside preparing all of it.

python -m benchmarks.incremental [--quick] [--records 10000000] [--days 100] [--data FOLDER]

All of it is prepared twice, each time in a process and a JVM of its own: from nothing, and after a version with its
vocabulary was published and a day more is there. Its steps are done date by date where they can be; with --together
they see all dates together and fit the vocabulary anew, as they do unless told otherwise.
Made shop chats repeat each other, at 20 million most of them. --data names JSON lines (gzip) with text and label,
nsmc's for example: a record is one of these texts and a word of another, so that nearly all are different.
The last line is one JSON object; cost_share is the day's seconds by those of all.
"""

from __future__ import annotations

import argparse
import datetime as dt
import gzip
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.corpus import write
from benchmarks.published import publish

TEXTMILL = Path(sys.executable).with_name("textmill")
FIRST = dt.date(2026, 1, 1)
DEFINITION = """
name: days
inputs:
  chats: {{path: "days/${{run.date}}.jsonl", format: jsonl, label: intent, window: all}}
steps:
  clean:   {{do: text.clean, from: chats, mask: [phone, order_no]}}
  dedup:   {{do: text.dedup, from: clean, keep: {keep}}}
  split:   {{do: data.split, from: dedup, exact: {exact}}}
  tokens:  {{do: text.tokenize, from: split, analyzer: nori}}
  tensors: {{do: tensor.encode, from: tokens, length: 20, shards: 8, vocabulary: {{rule: {rule}}}}}
train:
  m: {{model: fasttext, from: tensors}}
profiles:
  local: {{spark: {{master: "local[2]", memory: 3g}}}}
"""


def prepare(folder: Path, date: dt.date) -> tuple[float, dict[str, float]]:
    """Seconds of a dated run up to the tensors, and of its steps that ran, by their operation."""
    command = [str(TEXTMILL), "run", "daily.yaml", "--date", str(date), "--to", "tensors"]
    started = time.monotonic()
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    seconds = time.monotonic() - started
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr)
    record = json.loads(max((folder / "runs/days").glob("*/run.json")).read_text())
    steps: dict[str, float] = {}
    for step in record["steps"]:
        steps[step["op"]] = round(steps.get(step["op"], 0.0) + step["seconds"], 2)
    return seconds, steps


def promote(root: Path) -> None:
    """Publish a version with the vocabulary of the one tensor.encode output that is there."""
    (tensors,) = (root / "store" / "tensor.encode").glob("*/tensors.json")
    lines = (tensors.parent / "vocabulary.tsv").read_text(encoding="utf-8").splitlines()
    tokens, counts = zip(*(line.split("\t") for line in lines), strict=True)
    labels = json.loads((tensors.parent / "labels.json").read_text(encoding="utf-8"))
    publish(root, "days", tokens, labels, counts=[int(count) for count in counts])


def told(data: Path, records: int, file: Path, seed: int) -> None:
    """Write `records` texts of a corpus, each with a word of another one."""
    dice, texts = random.Random(seed), []
    for source in sorted(data.glob("*.gz")):
        with gzip.open(source, "rt", encoding="utf-8") as stream:
            texts += [row for row in map(json.loads, stream) if row["label"] is not None and row["text"].strip()]
    words = [word for row in texts for word in row["text"].split()[:1]]
    with file.open("w", encoding="utf-8") as stream:
        for _ in range(records):
            row = dice.choice(texts)
            said = {"text": f"{row['text']} {dice.choice(words)}", "intent": str(row["label"])}
            stream.write(json.dumps(said, ensure_ascii=False) + "\n")


def measure(folder: Path, records: int, days: int, together: bool, data: Path | None) -> dict[str, Any]:
    """All days but one, and that one; the first date has all the records of the days before the last in one file."""
    keep, exact, rule = ("first", "true", "refit") if together else ("earliest", "false", "fixed")
    (folder / "daily.yaml").write_text(DEFINITION.format(keep=keep, exact=exact, rule=rule))
    (folder / "days").mkdir()
    for date, share, seed in ((FIRST, records, 1), (FIRST + dt.timedelta(days=1), max(1, records // days), 2)):
        file = folder / "days" / f"{date}.jsonl"
        if data:
            told(data, share, file, seed)
        else:
            write(folder, share, files=1, seed=seed)[0].rename(file)
    whole, steps = prepare(folder, FIRST)
    if not together:
        promote(folder / "runs")
    day, day_steps = prepare(folder, FIRST + dt.timedelta(days=1))
    print(f"{'operation':<15} {'all':>8} {'a day':>8}")
    for op in steps:
        print(f"{op:<15} {steps[op]:>8.1f} {day_steps.get(op, 0.0):>8.1f}")
    print(f"{'seconds':<15} {whole:>8.1f} {day:>8.1f}")
    return {"records": records, "day_records": max(1, records // days), "together": together, "all_s": round(whole, 1),
            "day_s": round(day, 1), "cost_share": round(day / whole, 3), "day_steps_s": day_steps}  # fmt: skip


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="20,000 records")
    parser.add_argument("--records", type=int, default=10_000_000)
    parser.add_argument("--days", type=int, default=100)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--together", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        records = 20_000 if given.quick else given.records
        found = measure(Path(folder), records, given.days, given.together, given.data)
    print(json.dumps({**found, "load_average": round(os.getloadavg()[0], 2)}))


if __name__ == "__main__":
    main()
