"""Runs with trainings and sweeps, written as `textmill run` writes them, without Spark or TensorFlow."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import xxhash

LABELS = ["delivery", "refund", "stock"]
SEED = 7


def spark_key(row: Mapping[str, str], seed: int = SEED) -> int:
    """xxhash64(seed, text, label, id) as Spark computes it (tests/spark/test_board_order.py asks Spark itself)."""
    found = xxhash.xxh64_intdigest(seed.to_bytes(4, "little"), 42)
    for name in ("text", "label", "id"):
        found = xxhash.xxh64_intdigest(row[name].encode(), found)
    return found - (1 << 64) if found >= 1 << 63 else found


def test_rows(number: int = 60) -> list[dict[str, str]]:
    """Rows of a test part."""
    return [
        {"id": f"t{n:05d}", "text": f"<b>utterance</b> {n} & more", "label": LABELS[n % len(LABELS)]}
        for n in range(number)
    ]


def wrong(label: str) -> str:
    """Another label."""
    return LABELS[(LABELS.index(label) + 1) % len(LABELS)]


def epochs(reached: float, number: int = 4) -> list[dict[str, Any]]:
    """A curve that ends at `reached`."""
    return [
        {"epoch": n, "loss": 1 / n, "accuracy": reached * n / number, "val_loss": 1.1 / n,
         "val_accuracy": reached * (0.6 + 0.4 * n / number), "val_macro_f1": reached * n / number}
        for n in range(1, number + 1)
    ]  # fmt: skip


@dataclass
class Runs:
    """The folder of the runs, to which trainings and sweeps are added."""

    root: Path
    name: str = "demo"
    rows: list[dict[str, str]] = field(default_factory=test_rows)

    def __post_init__(self) -> None:
        tokens = self.output("text.tokenize", "tokens", {}, [], parts={"test": {"files": ["test/00000.parquet"]}})
        self.parquet(tokens / "test/00000.parquet", self.rows)
        takes = [["test", ["test"], "tokens", self.key("tokens")]]
        tensors = self.output("tensor.encode", "tensors", {}, takes)
        (tensors / "tensors.json").write_text(json.dumps({"seed": SEED}), encoding="utf-8")

    def key(self, step: str) -> str:
        """The key of a step's output."""
        return xxhash.xxh128_hexdigest(step.encode()) * 2

    def output(self, op: str, step: str, stats: Mapping[str, Any], takes: Sequence[Any], **more: Any) -> Path:
        """A folder in the store with its manifest."""
        folder = self.root / "store" / op / self.key(step)[:32]
        folder.mkdir(parents=True, exist_ok=True)
        manifest = {"step": step, "op": op, "key": self.key(step), "because": {"takes": takes}, "parts": {}, "files": {},
                    "stats": stats, "seconds": 12.5, **more}  # fmt: skip
        (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
        return folder

    def parquet(self, file: Path, rows: Sequence[Mapping[str, Any]]) -> None:
        """Rows as a Parquet file."""
        file.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.Table.from_pylist([dict(row) for row in rows]), file)

    def scores(self, misses: set[str], rows: Sequence[Mapping[str, str]]) -> dict[str, Any]:
        """What an evaluation measures when the rows of these ids are predicted wrong."""
        accuracy = 1 - sum(row["id"] in misses for row in rows) / len(rows)
        return {"rows": len(rows), "accuracy": accuracy, "macro_f1": accuracy}

    def training(
        self, name: str, misses: set[str], run: str = "20260102-000000-aaaa", *, model: str = "cnn", mark: str = "",
        error: str = "", rows: list[dict[str, str]] | None = None, **params: Any,
    ) -> None:  # fmt: skip
        """A training and its evaluation in a run; with `error`, one that failed."""
        rows = self.rows if rows is None else rows
        train, evaluate = f"train.{name}", f"evaluate.{name}"
        given = {"engine": "local", "model": model, "params": params, "epochs": 4, "batch": 32, "learning_rate": 0.001}
        marks = {train: f"{train}{mark}{run if error else ''}", evaluate: f"{evaluate}{mark}"}
        if error:
            folder = self.root / "store/model.train" / self.key(marks[train])[:32]
            self.step(run, train, "model.train", marks[train], folder, given, status="failed", error=error)
            return
        folder = self.output(
            "model.train", marks[train], {"records_per_s": 1234.5}, [], files={"weights.npz": {"bytes": 4321}}
        )
        history = {
            "epochs": epochs(self.scores(misses, rows)["accuracy"]),
            "best_epoch": 4,
            "metric": "accuracy",
            "parameters": 999,
        }
        (folder / "history.json").write_text(json.dumps(history), encoding="utf-8")
        self.step(run, train, "model.train", marks[train], folder, given)
        scored = self.output("model.evaluate", marks[evaluate], {}, [["test", ["test"], "tokens", self.key("tokens")]])
        (scored / "metrics.json").write_text(json.dumps(self.scores(misses, rows)), encoding="utf-8")
        said = [{**row, "predicted": wrong(row["label"]) if row["id"] in misses else row["label"]} for row in rows]
        self.parquet(scored / "predictions/00000.parquet", sorted(said, key=lambda row: (row["id"], row["text"])))
        self.step(run, evaluate, "model.evaluate", marks[evaluate], scored, {})

    def sweep(
        self, name: str, trials: Sequence[Mapping[str, Any]], run: str = "20260102-000000-aaaa", kind: str = "sweep"
    ) -> None:
        """A sweep or search; each trial is a line of trials.jsonl and `misses`, ids predicted wrong, where it is done."""
        step, takes = f"{kind}.{name}", [["tensors", [], "tensors", self.key("tensors")]]
        because = {"takes": takes} if kind == "sweep" else {
            "takes": [["test", ["test"], "tokens", self.key("tokens")]], "params": {"order": SEED}}  # fmt: skip
        folder = self.output(f"model.{kind}", step, {}, takes, because=because)
        ordered = sorted(self.rows, key=spark_key)
        labels = np.array([LABELS.index(row["label"]) for row in ordered], dtype=np.int32)
        predicted: dict[str, np.ndarray] = {"labels": labels}
        lines = []
        for trial in trials:
            given = dict(trial)
            misses = given.pop("misses", set())
            if given["status"] == "done":
                missed = np.array([row["id"] in misses for row in ordered])
                predicted[given["trial"]] = np.where(missed, (labels + 1) % len(LABELS), labels)
                given["test"] = self.scores(misses, self.rows)
            lines.append(json.dumps(given))
        (folder / "trials.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
        (folder / "labels.json").write_text(json.dumps(LABELS), encoding="utf-8")
        np.savez(folder / "predictions.npz", **predicted)
        self.step(run, step, f"model.{kind}", step, folder, {})

    def step(
        self, run: str, step: str, op: str, mark: str, folder: Path, params: Mapping[str, Any], status: str = "done", error: str = ""
    ) -> None:  # fmt: skip
        """Add a step to a run's record, which is begun where it is not there."""
        home = self.root / self.name / run
        home.mkdir(parents=True, exist_ok=True)
        file, plan = home / "run.json", home / "plan.json"
        record = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {
            "run": run, "name": self.name, "status": "done", "date": f"{run[:4]}-{run[4:6]}-{run[6:8]}", "host": "mill",
            "pid": 1, "error": None, "steps": [], "metrics": {}, "seconds": 60.0, "report": None}  # fmt: skip
        record["steps"].append({"step": step, "op": op, "key": self.key(mark), "output": str(folder), "status": status,
                                "seconds": 2.5, "action": "run", "why": ""})  # fmt: skip
        record.update({"status": "failed", "error": error} if error else {})
        file.write_text(json.dumps(record), encoding="utf-8")
        reasons = json.loads(plan.read_text(encoding="utf-8")) if plan.exists() else {}
        plan.write_text(json.dumps({**reasons, step: {"op": op, "params": params}}), encoding="utf-8")


def trial(number: int, **changed: Any) -> dict[str, Any]:
    """A line of trials.jsonl: one that is done unless said otherwise."""
    reached = changed.pop("reached", 0.9)
    return {"trial": f"{number:04d}", "model": "cnn", "engine": "sweep", "params": {"filters": 100}, "settings": {},
            "status": "done", "error": None, "epochs": epochs(reached), "best_epoch": 4, "metric": "macro_f1",
            "valid": {"accuracy": reached, "macro_f1": reached}, "test": None, "parameters": 1000, "records_per_s": 2000.0,
            "seconds": 3.5, "bytes": 4000, **changed}  # fmt: skip


def many(runs: Runs, number: int = 300) -> None:
    """A sweep of cnn and bigru trials, a tenth of them failed, and two trainings."""
    draw = random.Random(7)
    trials = []
    for n in range(number):
        model = draw.choice(["cnn", "bigru"])
        params = (
            {"filters": draw.choice([50, 100, 200, 400]), "widths": draw.choice([[1, 2], [1, 2, 3], [3, 4, 5]])}
            if model == "cnn" else {"units": draw.choice([32, 64, 128])}
        )  # fmt: skip
        params["spatial_dropout"] = round(draw.uniform(0.1, 0.6), 3)
        settings = {"learning_rate": round(10 ** draw.uniform(-4, -2), 6), "batch": draw.choice([64, 128, 256])}
        reached = (
            0.95
            - 0.25 * abs(params["spatial_dropout"] - 0.4)
            - 0.06 * abs(np.log10(settings["learning_rate"]) + 2.7) ** 2
        )
        reached -= draw.uniform(0, 0.03)
        given = {"model": model, "params": params, "settings": settings, "reached": reached, "parameters": draw.randrange(10**5, 10**7),
                 "records_per_s": draw.uniform(500, 9000), "seconds": draw.uniform(5, 90), "bytes": draw.randrange(10**5, 10**8)}  # fmt: skip
        if n % 10 == 3:
            failed = {"status": "failed", "error": f"ResourceExhaustedError: out of memory in trial {n}", "epochs": [], "valid": None,
                      "best_epoch": None, "parameters": None, "records_per_s": None, "bytes": None}  # fmt: skip
            trials.append({**trial(n, **given), **failed})
            continue
        misses = {row["id"] for row in runs.rows if draw.random() > reached}
        trials.append(trial(n, misses=misses, **given))
    runs.sweep("grid", trials)
    runs.training("linear", {row["id"] for row in runs.rows if draw.random() > 0.9}, model="linear", buckets=20000)
    runs.training("bigru", {row["id"] for row in runs.rows if draw.random() > 0.93}, model="bigru", units=128)
