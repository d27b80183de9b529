"""The training loop: epochs over shards, validation, early stopping, checkpoints that resume to the same bytes."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from models import catalogue, metrics
from models.checkpoint import Checkpoint
from models.engines.base import Progress, TrainJob
from models.keras_build import build, keras, set_threads, tf, weights_by_name
from models.tensors import Shard, Tensors, batches, shuffled

_CLIP_NORM = 5.0
_HIGHER_IS_BETTER = {"loss": False, "accuracy": True, "macro_f1": True}


class Trainer:
    """One training on one rank."""

    def __init__(self, job: TrainJob) -> None:
        threads = job.threads or os.cpu_count() or 1
        print(f"threads between and within operations: {set_threads(threads)}", file=sys.stderr, flush=True)
        tf.config.experimental.enable_op_determinism()
        keras.utils.set_random_seed(job.seed)
        self.job, self.tensors = job, Tensors(job.tensors)
        self.layers = catalogue.layers(job.model, job.model_params, self.tensors.vocabulary, len(self.tensors.labels))
        self.optimizer = keras.optimizers.Adam(job.learning_rate)
        self.model = build(self.layers, self.tensors.length, job.seed, self.optimizer.iterations)
        self.optimizer.build(self.model.trainable_variables)
        self.step, self.score = self._functions()
        self.checkpoint = Checkpoint(job.checkpoints / "latest.npz", job.identity())

    def train(self, report: Callable[[Progress], None]) -> dict[str, Any]:
        """Train to the end, from the last checkpoint if there is one, and write the results; timings are returned."""
        epochs, best = self._resume()
        resumed, seconds, rows = len(epochs), [], self.tensors.rows("train")
        while not self._is_over(epochs):
            started = time.monotonic()
            epochs.append(self._epoch(len(epochs) + 1, report))
            seconds.append(round(time.monotonic() - started, 3))
            if self._best(epochs) == len(epochs):
                best = self.model.get_weights()
            self.checkpoint.save(self.model.get_weights(), self._state(), best, epochs)
            self._events(epochs[-1])
        self._write(epochs, best)
        rate = rows * len(seconds) / sum(seconds) if seconds else 0.0
        return {"seconds_per_epoch": seconds, "records_per_s": round(rate, 1), "resumed_from_epoch": resumed}

    def _resume(self) -> tuple[list[dict[str, Any]], list[np.ndarray]]:
        found = self.checkpoint.load()
        if found is None:
            return [], self.model.get_weights()
        self.model.set_weights(found.weights)
        for variable, value in zip(self.optimizer.variables, found.optimizer, strict=True):
            variable.assign(value)
        return found.epochs, found.best

    def _state(self) -> list[np.ndarray]:
        return [variable.numpy() for variable in self.optimizer.variables]

    def _epoch(self, epoch: int, report: Callable[[Progress], None]) -> dict[str, Any]:
        job, started = self.job, time.monotonic()
        steps, seen = self.tensors.steps("train", 1, job.batch), 0
        total = np.zeros(3)
        for number, batch in enumerate(shuffled(self.tensors, "train", job.batch, job.seed, epoch), 1):
            total += [float(value) for value in self.step(batch.ids, batch.label, batch.weight)]
            seen += len(batch.label)
            rate = seen / (time.monotonic() - started)
            report(Progress(epoch, job.epochs, number, steps, float(total[0] / max(total[2], 1)), rate))
        loss, right, weight = total
        return {"epoch": epoch, "loss": loss / weight, "accuracy": right / weight, **self._validate()}

    def _validate(self) -> dict[str, float]:
        labels = len(self.tensors.labels)
        confusion, loss = np.zeros((labels, labels), dtype=np.int64), 0.0
        for batch in batches(self.tensors, "valid", 1024):
            real = Shard(batch.ids, batch.label, batch.weight).take(np.flatnonzero(batch.weight > 0))
            if len(real.label):
                lost, predicted = self.score(real.ids, real.label)
                loss += float(lost)
                confusion += metrics.confusion(real.label, predicted.numpy(), labels)
        found = metrics.summarize(confusion, self.tensors.labels)
        rows = max(1, found["rows"])
        return {"val_loss": loss / rows, "val_accuracy": found["accuracy"], "val_macro_f1": found["macro_f1"]}

    def _functions(self) -> tuple[Callable[..., Any], Callable[..., Any]]:
        ids = tf.TensorSpec([None, self.tensors.length], tf.int32)
        label, weight = tf.TensorSpec([None], tf.int32), tf.TensorSpec([None], tf.float32)
        model, optimizer, variables = self.model, self.optimizer, self.model.trainable_variables

        @tf.function(input_signature=[ids, label, weight])
        def step(ids: tf.Tensor, label: tf.Tensor, weight: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
            """Summed loss, weight of right rows, weight of all rows."""
            rows = tf.maximum(tf.reduce_sum(weight), 1.0)
            with tf.GradientTape() as tape:
                logits = model(ids, training=True)
                lost = tf.reduce_sum(weight * tf.nn.sparse_softmax_cross_entropy_with_logits(label, logits))
                mean = lost / rows
            gradients, _ = tf.clip_by_global_norm(tape.gradient(mean, variables), _CLIP_NORM)
            optimizer.apply_gradients(zip(gradients, variables, strict=True))
            right = tf.cast(tf.equal(tf.argmax(logits, -1, tf.int32), label), tf.float32)
            return lost, tf.reduce_sum(weight * right), tf.reduce_sum(weight)

        @tf.function(input_signature=[ids, label])
        def score(ids: tf.Tensor, label: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            """Summed loss and predicted labels."""
            logits = model(ids, training=False)
            lost = tf.nn.sparse_softmax_cross_entropy_with_logits(label, logits)
            return tf.reduce_sum(lost), tf.argmax(logits, -1, tf.int32)

        return step, score

    def _is_over(self, epochs: list[dict[str, Any]]) -> bool:
        return len(epochs) >= self.job.epochs or bool(epochs) and len(epochs) - self._best(epochs) >= self.job.patience

    def _best(self, epochs: list[dict[str, Any]]) -> int:
        """The number of the best epoch; of equal ones the first."""
        values = [epoch[f"val_{self.job.metric}"] for epoch in epochs]
        best = max(values) if _HIGHER_IS_BETTER[self.job.metric] else min(values)
        return values.index(best) + 1

    def _events(self, epoch: dict[str, Any]) -> None:
        for part, prefix in (("train", ""), ("valid", "val_")):
            folder = self.job.logs / "tensorboard" / self.job.name / part
            with tf.summary.create_file_writer(str(folder)).as_default():
                for name in ("loss", "accuracy", "macro_f1"):
                    if prefix + name in epoch:
                        tf.summary.scalar(name, epoch[prefix + name], step=epoch["epoch"])

    def _write(self, epochs: list[dict[str, Any]], best: list[np.ndarray]) -> None:
        job, tensors = self.job, self.tensors
        self.model.set_weights(best)
        np.savez(job.out / "weights.npz", **weights_by_name(self.model))
        model = {"model": job.model, "params": dict(job.model_params), "length": tensors.length,
                 "vocabulary": tensors.vocabulary, "labels": tensors.labels}  # fmt: skip
        _write_json(job.out / "model.json", model)
        history = {
            "epochs": epochs,
            "best_epoch": self._best(epochs),
            "stopped": "epochs" if len(epochs) >= job.epochs else "patience",
            "metric": job.metric,
            "parameters": int(self.model.count_params()),
            "batch": job.batch,
            "rows": tensors.described["parts"]["train"]["real_rows"],
            "steps_per_epoch": tensors.steps("train", 1, job.batch),
            "ranks": 1,
        }
        _write_json(job.out / "history.json", history)


def _write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
