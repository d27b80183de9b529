"""The training loop: epochs over shards, validation, early stopping, checkpoints that resume to the same bytes."""

from __future__ import annotations

import os
import sys
import time
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np

from models import catalogue, metrics, results, warm
from models.checkpoint import Checkpoint
from models.engines.base import Progress, TrainJob
from models.keras_build import build, keras, set_threads, start_from, statistics, tf
from models.optimization import cross_entropy, optimizer
from models.ranks import Ranks, alone
from models.tensors import Shard, Tensors, batches, shuffled
from textmill.errors import InputError, TextmillError

_NOISE_STRIDE = 1_000_003
_SCORED = 1024


class Trainer:
    """One rank's part of a training: all ranks run the same loop on shards of their own, and rank 0 writes the files."""

    def __init__(self, job: TrainJob, join: Callable[[], Ranks] = alone, tensors: Tensors | None = None) -> None:
        """`join` is called when TensorFlow's threads are set and nothing has been computed yet.

        `tensors` are those of the job, where they are not to be read from its folder.
        """
        threads = job.threads or os.cpu_count() or 1
        print(f"threads between and within operations: {set_threads(threads)}", file=sys.stderr, flush=True)
        tf.config.experimental.enable_op_determinism()
        self.ranks = join()
        keras.utils.set_random_seed(job.seed)
        self.job, self.tensors = job, tensors or Tensors(job.tensors)
        self.optimizer = optimizer(job)
        self.rates = job.rates(self.tensors.steps("train", job.batch))
        # Initial weights are those of job.seed on every rank; the noise is each rank's own.
        noise = job.seed + _NOISE_STRIDE * self.ranks.rank
        self.model = build(self._described(), self.tensors.length, noise, self.optimizer.iterations)
        if job.vectors is not None:
            with (job.vectors / "matrix.npy").open("rb") as stream:
                start_from(self.model, np.load(stream, allow_pickle=False))
        self.carried = None if job.start is None else warm.start(self.model, job, self.tensors)
        self.optimizer.build(self.model.trainable_variables)
        self.step, self.score, self.summed = self._functions()
        self.checkpoint = Checkpoint(job.checkpoints / "latest.npz", job.identity())

    def _described(self) -> Any:
        job, tensors = self.job, self.tensors
        sizes = {"length": tensors.length, "vocabulary": tensors.vocabulary, "labels": len(tensors.labels)}
        found = catalogue.model(job.model, job.model_params, job.code, **sizes)
        return found if job.train_vectors else catalogue.frozen(found)

    def train(self, report: Callable[[Progress], None]) -> dict[str, Any]:
        """Train to the end, from the last checkpoint if there is one, and write the results; timings are returned."""
        epochs, best = self._resume()
        if not self._agree(len(epochs)):
            raise InputError(
                f"rank {self.ranks.rank} starts after epoch {len(epochs)} with other weights than the rest: "
                f"{self.job.checkpoints} has to be one folder that every rank reads"
            )
        resumed, seconds, rows = len(epochs), [], self.tensors.rows("train")
        while not self._is_over(epochs):
            started = time.monotonic()
            epochs.append(self._epoch(len(epochs) + 1, report))
            seconds.append(round(time.monotonic() - started, 3))
            if self._best(epochs) == len(epochs):
                best = self.model.get_weights()
            if self.ranks.chief:
                self.checkpoint.save(self.model.get_weights(), self._state(), best, epochs)
                self._events(epochs[-1])
        steps = int(self.optimizer.iterations)  # which are among the weights, as the noise layers count by them
        self.model.set_weights(best)
        if self.ranks.chief:
            self._write(epochs)
        if not self._agree(len(epochs)):  # which also keeps every rank until the chief has written
            raise TextmillError(f"rank {self.ranks.rank} ends with other weights than the rest of {self.job.name}")
        rate = rows * len(seconds) / sum(seconds) if seconds else 0.0
        told = {"seconds_per_epoch": seconds, "records_per_s": round(rate, 1), "resumed_from_epoch": resumed}
        return {**told, "steps": steps}

    def _resume(self) -> tuple[list[dict[str, Any]], list[np.ndarray]]:
        found = self.checkpoint.load() if self.job.resume else None
        if found is None:
            return [], self.model.get_weights()
        self.model.set_weights(found.weights)
        for variable, value in zip(self.optimizer.variables, found.optimizer, strict=True):
            variable.assign(value)
        return found.epochs, found.best

    def _state(self) -> list[np.ndarray]:
        return [variable.numpy() for variable in self.optimizer.variables]

    def _agree(self, epochs: int) -> bool:
        """Whether all ranks are after the same epoch with the same bytes of weights."""
        weights = zlib.crc32(b"".join(np.ascontiguousarray(value).tobytes() for value in self.model.get_weights()))
        own = np.array([epochs, weights], dtype=np.float64)
        return np.array_equal(self._total(own), own * self.ranks.count)

    def _epoch(self, epoch: int, report: Callable[[Progress], None]) -> dict[str, Any]:
        job, ranks, started = self.job, self.ranks, time.monotonic()
        rows, steps = self.tensors.rows("train"), self.tensors.steps("train", job.batch)
        total = np.zeros(3)
        taken = shuffled(self.tensors, "train", job.batch, job.seed, epoch, ranks.rank, ranks.count)
        for number, batch in enumerate(taken, 1):
            self.optimizer.learning_rate = self.rates.at((epoch - 1) * steps + number - 1)
            total += self.step(batch.ids, batch.label, batch.weight).numpy()
            rate = min(rows, number * job.batch) / (time.monotonic() - started)
            report(Progress(epoch, job.epochs, number, steps, float(total[0] / max(total[2], 1)), rate))
        self._level()
        loss, right, weight = (float(value) for value in total)
        return {"epoch": epoch, "loss": loss / weight, "accuracy": right / weight, **self._validate()}

    def _level(self) -> None:
        """Give every rank the mean of what each has gathered of batches of its own."""
        own = statistics(self.model)
        if self.ranks.count == 1 or not own:
            return
        summed = self._total(np.concatenate([variable.numpy() for variable in own]).astype(np.float64))
        ends = np.cumsum([int(variable.shape[0]) for variable in own])
        for variable, values in zip(own, np.split(summed / self.ranks.count, ends[:-1]), strict=True):
            variable.assign(values.astype(np.float32))

    def _validate(self) -> dict[str, float]:
        labels, ranks = len(self.tensors.labels), self.ranks
        confusion, loss = np.zeros((labels, labels), dtype=np.int64), 0.0
        for batch in batches(self.tensors, "valid", _SCORED * ranks.count, ranks.rank, ranks.count):
            real = Shard(batch.ids, batch.label, batch.weight).take(np.flatnonzero(batch.weight > 0))
            if len(real.label):
                lost, predicted = self.score(real.ids, real.label)
                loss += float(lost)
                confusion += metrics.confusion(real.label, predicted.numpy(), labels)
        loss, *counts = self._total(np.array([loss, *confusion.ravel()], dtype=np.float64))
        found = metrics.summarize(np.array(counts, dtype=np.int64).reshape(labels, labels), self.tensors.labels)
        rows = max(1, found["rows"])
        return {"val_loss": float(loss) / rows, "val_accuracy": found["accuracy"], "val_macro_f1": found["macro_f1"]}

    def _total(self, values: np.ndarray) -> np.ndarray:
        """The sum of float64 [n] over all ranks."""
        return self.summed(values).numpy()  # type: ignore[no-any-return]

    def _functions(self) -> tuple[Callable[..., Any], Callable[..., Any], Callable[..., Any]]:
        ids = tf.TensorSpec([None, self.tensors.length], tf.int32)
        label, weight = tf.TensorSpec([None], tf.int32), tf.TensorSpec([None], tf.float32)
        model, optimizer, variables = self.model, self.optimizer, self.model.trainable_variables
        clip, smoothing = self.job.clip, self.job.label_smoothing

        @tf.function(input_signature=[ids, label, weight])
        def step(ids: tf.Tensor, label: tf.Tensor, weight: tf.Tensor) -> tf.Tensor:
            """Summed loss, weight of right rows, weight of all rows; of all ranks."""
            with tf.GradientTape() as tape:
                logits = model(ids, training=True)
                lost = tf.reduce_sum(weight * cross_entropy(label, logits, smoothing))
            right = tf.cast(tf.equal(tf.argmax(logits, -1, tf.int32), label), tf.float32)
            own = tf.stack([lost, tf.reduce_sum(weight * right), tf.reduce_sum(weight)])
            # Sums, not means: a rank may have fewer rows than another, or none.
            *gradients, total = self.ranks.total([*tape.gradient(lost, variables), own])
            means = [tf.math.scalar_mul(1.0 / tf.maximum(total[2], 1.0), gradient) for gradient in gradients]
            clipped = means if clip is None else tf.clip_by_global_norm(means, clip)[0]
            optimizer.apply_gradients(zip(clipped, variables, strict=True))
            return total

        @tf.function(input_signature=[ids, label])
        def score(ids: tf.Tensor, label: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            """Summed loss and predicted labels."""
            logits = model(ids, training=False)
            lost = tf.nn.sparse_softmax_cross_entropy_with_logits(label, logits)
            return tf.reduce_sum(lost), tf.argmax(logits, -1, tf.int32)

        @tf.function(input_signature=[tf.TensorSpec([None], tf.float64)])
        def summed(values: tf.Tensor) -> tf.Tensor:
            return self.ranks.total([values])[0]

        return step, score, summed

    def _is_over(self, epochs: list[dict[str, Any]]) -> bool:
        return results.is_over(epochs, self.job)

    def _best(self, epochs: list[dict[str, Any]]) -> int:
        return results.best_epoch(epochs, self.job.metric)

    def _events(self, epoch: dict[str, Any]) -> None:
        for part, prefix in (("train", ""), ("valid", "val_")):
            folder = self.job.logs / "tensorboard" / self.job.name / part
            with tf.summary.create_file_writer(str(folder)).as_default():
                for name in ("loss", "accuracy", "macro_f1"):
                    if prefix + name in epoch:
                        tf.summary.scalar(name, epoch[prefix + name], step=epoch["epoch"])

    def _write(self, epochs: list[dict[str, Any]]) -> None:
        told: dict[str, Any] = {"parameters": int(self.model.count_params()), "ranks": self.ranks.count}
        if self.carried is not None:
            told["started_from"] = self.carried
        results.write(self.job, self.tensors, self.model.get_weights(), epochs, **told)
