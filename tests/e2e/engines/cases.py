"""What the conformance suite knows of each engine, and the small tensors that all of them train on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil
import pyarrow as pa
import pyarrow.parquet as pq

from models.engines.base import TrainJob

LABELS, LENGTH, SHARDS, VOCABULARY = 4, 8, 4, 60
PADDING = 7
"""Rows of weight 0 at the end of the last shard of train: real rows are no multiple of anything."""


@dataclass(frozen=True)
class Case:
    """An engine to be tested. To add one, add a line to CASES."""

    name: str
    worker: str
    """A word that stands in the command line of a rank's process alone."""
    ranks: int = 1
    master: str = ""
    """Spark's master where it trains on executors."""
    conf: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, object] = field(default_factory=dict)
    """The engine's own settings."""

    def __str__(self) -> str:
        return f"{self.name}-on-{self.options['on']}" if "on" in self.options else self.name

    def workers(self) -> list[psutil.Process]:
        """The processes of its ranks that run now, started by this one or by what it has started."""
        found = [process for process in psutil.Process().children(recursive=True) if self.worker in _words(process)]
        return sorted(found, key=lambda process: process.pid)


# On a machine that is shared, importing TensorFlow alone can take a minute.
SLOWLY = {"spark.textmill.train.wait": "240"}
CASES = (
    Case("local", "models.engines.local_worker"),
    Case("horovod", "models.engines.horovod_rank", 2, options={"ranks": 2, "threads": 1}),
    Case("horovod", "models.engines.horovod_rank", 2, "local-cluster[2,1,1536]", SLOWLY,
         {"on": "spark", "start_timeout": 240}),  # fmt: skip
    Case("bigdl", "models.engines.bigdl_worker"),
    Case("tensorflowonspark", "models.engines.tensorflowonspark_worker", 2, "local-cluster[2,1,1536]", SLOWLY),
)


def _words(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def write(folder: Path, train: int = 1600, valid: int = 200) -> Path:
    """Tensors whose third token tells the label; the last label does not occur in the first shard of train."""
    generator = np.random.default_rng(1)
    parts = {part: _part(folder / part, rows, generator) for part, rows in (("train", train), ("valid", valid))}
    described = {"length": LENGTH, "vocabulary": {"size": VOCABULARY}, "shards": SHARDS, "parts": parts}
    (folder / "tensors.json").write_text(json.dumps(described), encoding="utf-8")
    (folder / "labels.json").write_text(json.dumps([f"l{n}" for n in range(LABELS)]), encoding="utf-8")
    return folder


def _part(folder: Path, rows: int, generator: np.random.Generator) -> dict[str, int]:
    folder.mkdir(parents=True)
    for number in range(SHARDS):
        known = LABELS - 1 if number == 0 and folder.name == "train" else LABELS
        label = generator.integers(0, known, rows // SHARDS, dtype=np.int32)
        weight = np.ones(len(label), np.float32)
        if number == SHARDS - 1:
            weight[-PADDING:] = 0
        _shard(folder / f"{number:05d}.parquet", label, weight, generator)
    return {"rows": rows, "real_rows": rows - PADDING, "rows_per_shard": rows // SHARDS}


def _shard(file: Path, label: np.ndarray, weight: np.ndarray, generator: np.random.Generator) -> None:
    ids = generator.integers(2 + LABELS, VOCABULARY, (len(label), LENGTH), dtype=np.int32)
    ids[:, 2] = 2 + label
    # Padding tells a lie: whoever counts it learns worse and scores worse.
    label = np.where(weight > 0, label, (label + 1) % LABELS).astype(np.int32)
    table = {"ids": pa.array(list(ids), pa.list_(pa.int32())), "label": label, "weight": weight}
    pq.write_table(pa.table(table), file)


def job(tensors: Path, folder: Path, **more: object) -> TrainJob:
    """A training of seconds; its batch is no multiple of 2 or 4."""
    for name in ("out", "checkpoints", "logs"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    given: dict[str, object] = {
        "name": "m",
        "model": "bigru",
        "model_params": {"embedding": 16, "units": 8, "token_dropout": 0.0, "dropout": 0.2},
        "tensors": tensors,
        **{name: folder / name for name in ("out", "checkpoints", "logs")},
        "epochs": 4,
        "batch": 63,
        "learning_rate": 0.01,
        "metric": "accuracy",
        "patience": 4,
        "seed": 7,
    }
    return TrainJob(**{**given, **more})  # type: ignore[arg-type]
