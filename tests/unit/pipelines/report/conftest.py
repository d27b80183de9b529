"""A small run with every kind of step, made on the disk, and its page."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.report import write_report

NASTY = "<script>alert('x')</script> & \"quoted\""


@dataclass
class Sample:
    """A run record and the folders of its steps."""

    record: dict[str, Any]
    folders: dict[str, Path]
    out: Path

    def page(self, **changed: Any) -> str:
        """The report's text, with some keys of the record changed."""
        write_report({**self.record, **changed}, self.folders, self.out)
        return self.out.read_text(encoding="utf-8")

    def without(self, *steps: str) -> Sample:
        """The same with some steps' outputs missing."""
        left = {step: folder for step, folder in self.folders.items() if step not in steps}
        return Sample({**self.record, "metrics": {}}, left, self.out)

    def manifest(self, step: str, change: Callable[[dict[str, Any]], Any]) -> None:
        """Change a step's manifest in place."""
        file = self.folders[step] / "manifest.json"
        found = json.loads(file.read_text(encoding="utf-8"))
        change(found)
        file.write_text(json.dumps(found), encoding="utf-8")


def counted(labels: dict[str, int], **more: int) -> dict[str, Any]:
    """The statistics of a part: half of its rows have 3 tokens, half 9."""
    rows = sum(labels.values())
    lengths = {"sum": rows * 6, "max": 9, "histogram": {"3": rows // 2, "9": rows - rows // 2}}
    texts = {"writing": {"hangul": rows - 1, "none": 1}, "samples": [{"text": "<i>취소</i>", "label": "cancel"}]}
    return {"rows": rows, "labels": labels, "lengths": lengths, **texts, **more}


def predictions(folder: Path, rows: list[tuple[Any, ...]]) -> None:
    """Write predictions: id, text, label, predicted, confidence, correct."""
    folder.mkdir(parents=True, exist_ok=True)
    types = (pa.string(), pa.string(), pa.string(), pa.string(), pa.float32(), pa.bool_())
    names = ("id", "text", "label", "predicted", "confidence", "correct")
    columns = zip(*rows, strict=True) if rows else [()] * 6
    arrays = {name: pa.array(column, kind) for name, column, kind in zip(names, columns, types, strict=True)}
    pq.write_table(pa.table(arrays), folder / "00000.parquet")


@pytest.fixture
def sample(tmp_path: Path) -> Sample:
    """clean → split → tokens → tensors → train.m → evaluate.m, with labels that are markup."""
    made = Sample({"run": "20260101-000000-abcd", "name": "demo", "date": "2026-01-01", "status": "done",
                   "seconds": 61.0, "profile": "local", "error": None, "definition": "x.yaml", "log": "spark.log",
                   "command": "textmill run x.yaml", "host": "mill", "started": "2026-01-01T00:00:00+00:00",
                   "finished": "2026-01-01T00:01:01+00:00", "steps": [], "metrics": {}}, {},
                  tmp_path / "report.html")  # fmt: skip
    train, test = counted({NASTY: 60, "배송": 40}), counted({NASTY: 6, "배송": 4})
    _step(made, "clean", "text.clean", {"rows": 90, "dropped": 10}, {"reasons": {"broken_json": 7, "too_long": 3}})
    _step(made, "split", "data.split", {"test": 10, "train": 80}, {"parts": {"train": train}}, action="reuse")
    _step(made, "tokens", "text.tokenize", {"train": 100, "test": 10}, {"parts": {"train": train, "test": test}})
    unknown = {"train": {**train, "unknown": 6}, "test": {**test, "unknown": 9}}
    _step(made, "tensors", "tensor.encode", {"train": 104, "test": 10}, {"parts": unknown, "reasons": {}})
    _step(made, "vectors", "text.embed", {}, {})
    _step(made, "train.m", "model.train", {}, {"records_per_s": 1234.6, "seconds_per_epoch": [2.5, 2.25]})
    _step(made, "evaluate.m", "model.evaluate", {"predictions": 10}, {"reasons": {}})
    _files(made)
    return made


def _step(made: Sample, name: str, op: str, parts: dict[str, int], stats: dict[str, Any], action: str = "run") -> None:
    folder = made.out.parent / name
    folder.mkdir()
    manifest = {"step": name, "op": op, "parts": {part: {"rows": rows} for part, rows in parts.items()},
                "stats": stats, "seconds": 1.5, "finished": "2026-01-01T00:00:30Z",
                "because": {"takes": [["tokens", ["train"], "tokens", "k"]]}}  # fmt: skip
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    entry = {"step": name, "op": op, "action": action, "why": f"why {name}", "key": "ab" * 32, "status": "done",
             "output": f"store/{name}", "seconds": 0.0 if action == "reuse" else 1.5, "rows": parts}  # fmt: skip
    made.record["steps"].append(entry)
    made.folders[name] = folder


def _files(made: Sample) -> None:
    labels = [NASTY, "배송"]
    epoch = {"epoch": 1, "loss": 0.5, "accuracy": 0.8, "val_loss": 0.6, "val_accuracy": 0.7, "val_macro_f1": 0.65}
    history = {"epochs": [epoch, {**epoch, "epoch": 2, "loss": 0.25}], "best_epoch": 2, "parameters": 4321, "batch": 8,
               "steps_per_epoch": 2, "metric": "macro_f1", "stopped": "epochs", "rows": 100, "ranks": 1}  # fmt: skip
    scores = [{"label": label, "precision": 0.5, "recall": 0.25, "f1": f1, "support": 5}
              for label, f1 in zip(labels, (0.912, 0.333), strict=True)]  # fmt: skip
    metrics = {"rows": 10, "accuracy": 0.7, "macro_f1": 0.654, "labels": labels, "per_class": scores,
               "confusion": [[4, 2], [1, 3]]}  # fmt: skip
    tensors = {"length": 8, "parts": {"train": {"padded": 4}, "test": {"padded": 0}}}
    found = {"train.m/history.json": history, "train.m/model.json": {"model": "bigru"},
             "evaluate.m/metrics.json": metrics, "tensors/tensors.json": tensors,
             "vectors/embed.json": {"method": "glove", "size": 50, "tokens": 9, "hit_rate": {"vocabulary": 0.5, "running": 0.75}},
             "vectors/neighbours.json": {"배송": [["<u>택배</u>", 0.875]]}}  # fmt: skip
    for name, content in found.items():
        (made.out.parent / name).write_text(json.dumps(content), encoding="utf-8")
    (made.folders["tensors"] / "vocabulary.tsv").write_text("<phone>\t9\n배송\t3\n", encoding="utf-8")
    rows = [("1", "fine", "배송", "배송", 0.9, True), ("3", "unsure", "배송", NASTY, 0.4, False),
            ("4", "second", "배송", NASTY, 0.75, False), ("2", NASTY, "배송", NASTY, 0.75, False)]  # fmt: skip
    predictions(made.folders["evaluate.m"] / "predictions", rows)
