"""Scores Arrow batches with a SavedModel: the function Spark's mapInArrow calls on its executors."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from textmill.places import place
from textmill.transfer import local_copy, plain

_ROWS = 1024
Batches = Iterator[pa.RecordBatch]


def scorer(model: str, labels: Sequence[str], threads: int = 1) -> Callable[[Batches], Batches]:
    """A function from batches with id, text, label, ids to id, text, label, predicted, confidence, correct.

    `model` is the output folder of a training, a path or a URI; an executor without it copies it to its disk. It is
    loaded once in each Python worker and uses `threads` threads, one by default as a Spark task has.
    """
    names = list(labels)

    def score(batches: Batches) -> Batches:
        predict = load(local_copy(place(model)) / "saved_model", threads)
        for batch in batches:
            if batch.num_rows:
                yield _scored(batch, predict, pa.array(names, pa.string()))

    return score


def load(saved_model: Path, threads: int) -> Callable[[np.ndarray], np.ndarray]:
    """A function from ids int32 [rows, length] to probabilities float32 [rows, labels]."""
    os.environ["TF_USE_LEGACY_KERAS"] = "1"
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    import tensorflow as tf

    if not tf.config.threading.get_intra_op_parallelism_threads():
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(threads)
    with plain(saved_model) as path:
        model = tf.saved_model.load(path)
    served: Any = model.signatures["serving_default"]

    def predict(ids: np.ndarray) -> np.ndarray:
        """Probabilities float32 [rows, labels]."""
        parts = [served(ids=tf.constant(ids[start : start + _ROWS])) for start in range(0, len(ids), _ROWS)]
        return np.concatenate([part["probabilities"].numpy() for part in parts])

    predict.model = model  # type: ignore[attr-defined]  # a signature alone does not keep its variables alive
    return predict


def _scored(batch: pa.RecordBatch, predict: Callable[[np.ndarray], np.ndarray], names: pa.Array) -> pa.RecordBatch:
    ids = batch.column("ids").flatten().to_numpy(zero_copy_only=False).reshape(batch.num_rows, -1)
    probabilities = predict(np.ascontiguousarray(ids, dtype=np.int32))
    best = probabilities.argmax(axis=1)
    predicted, label = names.take(pa.array(best)), batch.column("label")
    columns = {
        "id": batch.column("id"),
        "text": batch.column("text"),
        "label": label,
        "predicted": predicted,
        "confidence": pa.array(probabilities[np.arange(len(best)), best], pa.float32()),
        "correct": pc.equal(predicted, label),
    }
    return pa.RecordBatch.from_arrays(list(columns.values()), names=list(columns))
