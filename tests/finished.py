"""A finished root without Spark or TensorFlow: outputs of made content under the keys that a definition's steps have.

The runs, versions and leases beside them are written by the verbs themselves, which find every output there.
"""

from __future__ import annotations

import datetime as dt
import json
import os
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.damage import call
from benchmarks.damage_root import DATES, DEFINITION
from pipelines import keys
from pipelines.definition import load
from pipelines.pipeline import Node
from pipelines.store import Store
from spark_jobs.base import Written, digest
from spark_jobs.installation import jar_path
from textmill.places import Place

LABELS = ["ask", "buy"]
_ROWS = [{"id": f"r{n}", "text": f"text {n}", "label": LABELS[n % 2], "predicted": "ask"} for n in range(8)]
_EPOCH = {"epoch": 1, "loss": 0.5, "accuracy": 0.5, "val_loss": 0.5, "val_accuracy": 0.5, "val_macro_f1": 0.5}
_SCHEMA = {"type": "struct", "fields": [{"name": "text", "type": "string", "nullable": True, "metadata": {}}]}
_TENSORS = {"length": 8, "truncate": "end", "shards": 1, "seed": 7, "vocabulary": {"size": 4, "unknown_buckets": 0},
            "parts": {part: {"rows": 8, "real_rows": 8, "rows_per_shard": 8, "padded": 0} for part in ("train", "valid", "test")}}  # fmt: skip


def make(folder: Path) -> None:
    """days/, shop.yaml and runs/ in `folder`: two dates run daily, each with a version."""
    (folder / "days").mkdir(parents=True)
    (folder / "shop.yaml").write_text(DEFINITION, encoding="utf-8")
    here = Path.cwd()
    os.chdir(folder)
    try:
        for number, date in enumerate(DATES):
            Path("days", f"{date}.jsonl").write_text('{"text": "a b", "label": "buy"}\n')
            _fill(date, 0.8 + number / 10)
            status, said = call(["daily", "shop.yaml", "--date", date])
            assert status == 0 and f"version {number + 1}" in said, said
    finally:
        os.chdir(here)


def _fill(date: str, accuracy: float) -> None:
    """Put an output there for every step of a date that has none."""
    pipeline = load(Path("shop.yaml"), date=dt.date.fromisoformat(date))
    store = Store(pipeline.root)
    reasons = keys.because(pipeline, keys.of_jar(jar_path()), store.digests)
    for step, node in pipeline.nodes.items():
        key = digest(reasons[step])
        if store.manifest(node.op, key) is None:
            with store.building(step, node.op, key, reasons[step]) as building:
                store.publish(building, _written(node, building.folder, accuracy), 1.0)


def _written(node: Node, out: Place, accuracy: float) -> Written:
    model = {
        "model": "fasttext",
        "params": getattr(node.params, "get", {}.get)("params"),
        "labels": LABELS,
        "length": 8,
    }
    score = {"rows": 8, "accuracy": accuracy, "macro_f1": accuracy, "labels": LABELS, "sets": {}}
    contents: dict[str, dict[str, Any]] = {
        "text.tokenize": {"analysis.json": {"analyzer": "whitespace", "user_dict": []}},
        "tensor.encode": {"tensors.json": _TENSORS, "labels.json": LABELS, "vocabulary.tsv": "a\t3\n"},
        "text.embed": {"embed.json": {"method": "word2vec"}, "matrix.npy": "vectors"},
        "model.train": {"model.json": model, "weights.npz": "weights", "saved_model/saved_model.pb": "graph",
                        "history.json": {"epochs": [_EPOCH], "best_epoch": 1, "metric": "macro_f1", "parameters": 9}},
        "model.evaluate": {"metrics.json": score},
    }  # fmt: skip
    for name, content in contents.get(node.op, {}).items():
        (out / name).parent.mkdir(exist_ok=True)
        (out / name).write_text(content if isinstance(content, str) else json.dumps(content))
    parts = {part: _part(out, part) for part in node.outputs if node.op not in ("model.train", "text.embed")}
    counted = {"rows": 8, "labels": {"ask": 4, "buy": 4}, "lengths": {"sum": 48, "max": 6, "histogram": {"6": 8}}}
    return Written(
        parts, {"parts": dict.fromkeys(parts, counted), "reasons": {}} if parts else {"records_per_s": 5.0}
    )


def _part(out: Place, part: str) -> dict[str, Any]:
    (out / part).mkdir()
    pq.write_table(pa.Table.from_pylist(_ROWS), out / part / "00000.parquet")
    return {"rows": len(_ROWS), "files": [f"{part}/00000.parquet"], "schema": _SCHEMA}
