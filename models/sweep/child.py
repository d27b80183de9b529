"""What runs in a trial's own process: the training, its predictions on the test part, and a message of how it went."""

from __future__ import annotations

import json
import math
import socket
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from models import catalogue, metrics
from models.checkpoint import Checkpoint
from models.engines.base import Progress, TrainJob
from models.keras_build import build, tf
from models.sweep.arrays import Arrays
from models.tensors import batches
from models.trainer import Trainer

_SCORED = 1024
_ERROR_CHARACTERS = 2_000


class TrialTrainer(Trainer):
    """A training that pauses at an epoch, its state kept there; between epochs it keeps none and writes no events."""

    def __init__(self, job: TrainJob, tensors: Arrays, until: int | None) -> None:
        super().__init__(job, tensors=tensors)
        self.until = until
        self.checkpoint = _AtPause(self.checkpoint.path, self.checkpoint.identity, until)

    @property
    def paused(self) -> bool:
        """Whether the last training stopped at `until` and would have gone on."""
        return self._paused

    def _is_over(self, epochs: list[dict[str, Any]]) -> bool:
        over = super()._is_over(epochs)
        self._paused = not over and len(epochs) == self.until
        return over or self._paused

    def _events(self, epoch: dict[str, Any]) -> None:
        """TensorBoard would have hundreds of folders; the board shows the curves."""


@dataclass(frozen=True)
class _AtPause(Checkpoint):
    """Saves at one epoch alone."""

    until: int | None = None

    def save(self, weights: Any, optimizer: Any, best: Any, epochs: list[dict[str, Any]]) -> None:
        """Where the training pauses."""
        if len(epochs) == self.until:
            super().save(weights, optimizer, best, epochs)


def main(errand: dict[str, Any], connection: socket.socket) -> int:
    """Carry out an errand; the exit status. What is raised is told in one line, and in full in the log."""
    try:
        job = TrainJob.from_json(errand["job"])
        tempfile.tempdir = str(job.logs)  # a process that is killed leaves nothing outside of its folder
        told = _trial(job, errand["until"])
    except BaseException as error:
        traceback.print_exc()
        said = f"{type(error).__name__}: {error}".strip()
        connection.sendall(json.dumps({"error": said[:_ERROR_CHARACTERS]}).encode() + b"\n")
        return 1
    connection.sendall(json.dumps(told).encode() + b"\n")
    return 0


def _trial(job: TrainJob, until: int | None) -> dict[str, Any]:
    started, tensors = time.monotonic(), Arrays(job.tensors)
    trainer: Any = (
        TrialTrainer(job, tensors, until) if catalogue.trainer(job.model) is Trainer else
        catalogue.trainer(job.model)(job, tensors=tensors)
    )  # fmt: skip
    print(f"ready after {time.monotonic() - started:.2f} s", file=sys.stderr, flush=True)
    stats = trainer.train(_tell)
    paused = getattr(trainer, "paused", False)
    history = json.loads((job.out / "history.json").read_text(encoding="utf-8"))
    best = history["epochs"][history["best_epoch"] - 1]
    told = {
        "paused": paused,
        "epochs": [_finite(epoch) for epoch in history["epochs"]],
        "best_epoch": history["best_epoch"],
        "valid": {name: best[f"val_{name}"] for name in ("accuracy", "macro_f1")},
        "value": -best["val_loss"] if job.metric == "loss" else best[f"val_{job.metric}"],
        "parameters": history["parameters"],
        "records_per_s": stats["records_per_s"],
        "training_seconds": sum(stats["seconds_per_epoch"]),
    }
    if not math.isfinite(told["value"]):
        raise FloatingPointError(f"the {job.metric} of the valid part is {told['value']}: the training diverged")
    return told if paused else {**told, "test": _test(trainer, job, tensors)}


def _finite(figures: Mapping[str, float]) -> dict[str, float | None]:
    """JSON has no word for what is not a number."""
    return {name: value if math.isfinite(value) else None for name, value in figures.items()}


def _tell(progress: Progress) -> None:
    if progress.step == progress.steps:
        print(f"epoch {progress.epoch}/{progress.epochs} loss {progress.loss:.4f}", file=sys.stderr, flush=True)


def _test(trainer: Any, job: TrainJob, tensors: Arrays) -> dict[str, Any] | None:
    """The test part's metrics; its predictions go to predictions.npy, int32 [real rows]. None where there is none."""
    if not tensors.rows("test"):
        return None
    predict = _predictor(trainer, job, tensors)
    true, predicted = [], []
    for batch in batches(tensors, "test", _SCORED):
        real = batch.take(np.flatnonzero(batch.weight > 0))
        if len(real.label):
            true.append(real.label)
            predicted.append(predict(real.ids))
    found = np.concatenate(predicted).astype(np.int32)
    np.save(job.out / "predictions.npy", found, allow_pickle=False)
    labels = tensors.labels
    scores = metrics.summarize(metrics.confusion(np.concatenate(true), found, len(labels)), labels)
    return {name: scores[name] for name in ("rows", "accuracy", "macro_f1")}


def _predictor(trainer: Any, job: TrainJob, tensors: Arrays) -> Callable[[np.ndarray], np.ndarray]:
    """From ids int32 [rows, length] to label numbers, of the best epoch's weights."""
    if isinstance(trainer, Trainer):
        return lambda ids: trainer.steps.score(ids, np.zeros(len(ids), np.int32))[1].numpy()
    sizes = {"length": tensors.length, "vocabulary": tensors.vocabulary, "labels": len(tensors.labels)}
    described = catalogue.model(job.model, job.model_params, job.code, **sizes)
    model = build(described, tensors.length, 0, tf.Variable(0, trainable=False))
    with np.load(Path(job.out) / "weights.npz", allow_pickle=False) as stored:
        model.set_weights([stored[key] for key in sorted(stored.files)])
    return lambda ids: model(ids, training=False).numpy().argmax(axis=1)
