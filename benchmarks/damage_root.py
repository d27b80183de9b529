"""A finished root for `benchmarks/damage.py`: two dates run daily with a training and a sweep, two versions, a bundle.

Beside them a sweep that was killed after its first trial, so that its ledger is there.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

TEXTMILL = Path(sys.executable).with_name("textmill")
NAME, DATES = "shop", ("2026-01-01", "2026-01-02")
DEFINITION = """
name: shop
inputs:
  chats: {path: "days/${run.date}.jsonl", format: jsonl, window: all}
steps:
  clean:   {do: text.clean, from: chats}
  split:   {do: data.split, from: clean, parts: {train: 0.6, valid: 0.2, test: 0.2}}
  tokens:  {do: text.tokenize, from: split, analyzer: whitespace}
  tensors: {do: tensor.encode, from: tokens, vocabulary: {min_count: 1, rule: extend}, length: 8, shards: 1}
  embed:   {do: text.embed, from: tensors, rule: extend, size: 4, sample: 0}
train:
  m: {model: fasttext, from: tensors, epochs: 1, start: warm, embedding: {from: embed}, params: {buckets: 10}}
promote: {if: "macro_f1 > last", keep: 5, train: m}
schedule: {metrics: shop.prom}
profiles:
  local: {spark: {master: "local[2]", memory: 1g}}
"""
MORE = """
sweep:
  small: {from: tensors, epochs: 1, batch: 64, parallel: 1, trials: [{model: fasttext, params: {embedding: [4, 8]}}]}
search:
  fast: {from: tokens, trials: [{estimator: naive_bayes}]}
"""
_SECONDS = 600
_CHECKOUT = Path(__file__).resolve().parent.parent


def make(folder: Path, quick: bool = False) -> None:
    """Run it all in `folder`, which gets days/, shop.yaml, runs/ and bundle/; in a hurry without sweep and search.

    Raises RuntimeError where a run fails.
    """
    (folder / "days").mkdir(parents=True, exist_ok=True)
    (folder / "shop.yaml").write_text(DEFINITION + ("" if quick else MORE), encoding="utf-8")
    for number, date in enumerate(DATES):
        rows = [
            {"text": f"day {number} {label} row {row}", "label": label} for row in range(20) for label in ("buy", "ask")
        ]
        lines = (json.dumps(row) + "\n" for row in rows)
        (folder / "days" / f"{date}.jsonl").write_text("".join(lines), encoding="utf-8")
        textmill(folder, "daily", "shop.yaml", "--date", date)
    if not (folder / "runs/models" / NAME / "2").exists():
        textmill(folder, "promote", "last", "--train", "m", "--force")
    textmill(folder, "export", "last", "bundle", "--train", "m")
    if not quick:
        _interrupt(folder)
    _leave_lease(folder)


def _leave_lease(folder: Path) -> None:
    """As a daily run that was killed leaves it."""
    program = "import os, sys; from pathlib import Path; from pipelines import lease\n"
    program += "with lease.held(Path(sys.argv[1]), sys.argv[2], 'daily'): os._exit(9)"
    subprocess.run([sys.executable, "-c", program, str(folder / "runs"), NAME], cwd=_CHECKOUT, check=False)


def textmill(folder: Path, *words: str) -> str:
    """What a command printed. Raises RuntimeError where it fails."""
    command = [str(TEXTMILL), *words]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=_SECONDS, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(words)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


def _interrupt(folder: Path) -> None:
    """Leave a sweep in the midst of its second trial."""
    words = ["run", "shop.yaml", "--date", DATES[-1], "--only", "sweep.small", "--set", "sweep.small.epochs=300"]
    words += ["--set", "sweep.small.stop.patience=300"]
    with (folder / "interrupted.log").open("w") as log:
        process = subprocess.Popen([str(TEXTMILL), *words], cwd=folder, stdout=log, stderr=log, start_new_session=True)
    try:
        while not list((folder / "runs/store/model.sweep").glob("*.checkpoints/ended/0000.json")):
            if process.poll() is not None:
                raise RuntimeError(f"the sweep ended before it was to: {folder / 'interrupted.log'}")
            time.sleep(0.1)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
