"""What a training leaves in its output folder, whoever trained: weights.npz, model.json, history.json."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from models.engines.base import TrainJob
from models.tensors import Tensors

_HIGHER_IS_BETTER = {"loss": False, "accuracy": True, "macro_f1": True}


def best_epoch(epochs: Sequence[Mapping[str, Any]], metric: str) -> int:
    """The number of the best epoch by its validation, from 1; of equal ones the first."""
    values = [epoch[f"val_{metric}"] for epoch in epochs]
    best = max(values) if _HIGHER_IS_BETTER[metric] else min(values)
    return values.index(best) + 1


def is_over(epochs: Sequence[Mapping[str, Any]], job: TrainJob) -> bool:
    """Whether a training of the job is at its end after these epochs, or has not become better for too long."""
    return len(epochs) >= job.epochs or bool(epochs) and len(epochs) - best_epoch(epochs, job.metric) >= job.patience


def write(
    job: TrainJob, tensors: Tensors, weights: Sequence[np.ndarray], epochs: list[dict[str, Any]], **more: object
) -> None:
    """Write all three files; `weights` are the model's in the order of its tf_keras build, `more` goes to history.json."""
    named = {f"{number:03d}": value for number, value in enumerate(weights)}
    np.savez(job.out / "weights.npz", **named)
    model = {"model": job.model, "params": dict(job.model_params), "length": tensors.length,
             "vocabulary": tensors.vocabulary, "labels": tensors.labels, "code": dict(job.code)}  # fmt: skip
    write_json(job.out / "model.json", model)
    history = {
        "epochs": epochs,
        "best_epoch": best_epoch(epochs, job.metric),
        "stopped": "epochs" if len(epochs) >= job.epochs else "patience",
        "metric": job.metric,
        "batch": job.batch,
        "rows": tensors.described["parts"]["train"]["real_rows"],
        "steps_per_epoch": tensors.steps("train", job.batch),
        **more,
    }
    write_json(job.out / "history.json", history)


def write_json(path: Path, value: Any) -> None:
    """Write `value` as JSON, for people too."""
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
