"""Tensors as tensor.encode writes them, of made rows, for benchmarks of what trains on them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

SHARDS = 8


@dataclass(frozen=True)
class Shape:
    """What rows are like: so many ids each, of a vocabulary, with one of so many labels."""

    length: int = 32
    vocabulary: int = 20_000
    labels: int = 50


def write(folder: Path, shape: Shape, train: int, valid: int = 512) -> Path:
    """Rows of random ids and labels; few ids are frequent and most are rare, by Zipf's law, as words are."""
    generator, parts = np.random.default_rng(1), {}
    for part, rows in {"train": train, "valid": valid}.items():
        (folder / part).mkdir(parents=True)
        for number in range(SHARDS):
            _shard(folder / part / f"{number:05d}.parquet", shape, rows // SHARDS, generator)
        parts[part] = {"rows": rows, "real_rows": rows, "rows_per_shard": rows // SHARDS}
    told = {"length": shape.length, "vocabulary": {"size": shape.vocabulary}, "shards": SHARDS, "parts": parts}
    (folder / "tensors.json").write_text(json.dumps(told), encoding="utf-8")
    (folder / "labels.json").write_text(json.dumps([str(label) for label in range(shape.labels)]), encoding="utf-8")
    return folder


def _shard(file: Path, shape: Shape, rows: int, generator: np.random.Generator) -> None:
    ids = 1 + np.power(shape.vocabulary - 1, generator.random(rows * shape.length)).astype(np.int32)
    offsets = np.arange(rows + 1, dtype=np.int32) * shape.length
    columns = {
        "ids": pa.ListArray.from_arrays(offsets, ids),
        "label": generator.integers(0, shape.labels, rows, dtype=np.int32),
        "weight": np.ones(rows, np.float32),
    }
    pq.write_table(pa.table(columns), file, row_group_size=65_536)
