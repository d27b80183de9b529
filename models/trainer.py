"""The training loop: epochs over shards, validation, early stopping, checkpoints that resume to the same bytes."""

from __future__ import annotations

import os
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from models import catalogue, metrics, results, warm
from models.checkpoint import Checkpoint
from models.engines.base import Progress, TrainJob
from models.keras_build import build, keras, set_threads, start_from, statistics, tf
from models.optimization import optimizer
from models.ranks import Ranks, alone
from models.steps import Numerics, Steps
from models.tensors import Shard, Tensors, batches, opened, shuffled
from textmill.errors import InputError, TextmillError

_NOISE_STRIDE = 1_000_003
_SCORED = 1024


class Trainer:
    """One rank's part of a training: all ranks run the same loop on shards of their own, and rank 0 writes the files."""

    def __init__(
        self, job: TrainJob, join: Callable[[], Ranks] = alone, tensors: Tensors | None = None,
        numerics: Numerics | None = None,
    ) -> None:  # fmt: skip
        """`join` is called when TensorFlow's threads are set and nothing has been computed yet.

        `tensors` are those of the job, where they are not to be read from its folder.
        """
        threads = job.threads or os.cpu_count() or 1
        print(f"threads between and within operations: {set_threads(threads)}", file=sys.stderr, flush=True)
        tf.config.experimental.enable_op_determinism()
        self.ranks = join()
        keras.utils.set_random_seed(job.seed)
        numerics = numerics or Numerics()
        keras.mixed_precision.set_global_policy("mixed_bfloat16" if numerics.bfloat16 else "float32")
        self.job, self.tensors, self.waited = job, tensors or opened(job.tensors), 0.0
        self.optimizer = optimizer(job)
        self.rates = job.rates(self.tensors.steps("train", job.batch))
        # Initial weights are those of job.seed on every rank; the noise is each rank's own.
        noise = job.seed + _NOISE_STRIDE * self.ranks.rank
        draws = tf.Variable(0, dtype=tf.int64, trainable=False)
        self.model = build(self._described(), self.tensors.length, noise, draws)
        if job.vectors is not None:
            with (job.vectors / "matrix.npy").open("rb") as stream:
                start_from(self.model, np.load(stream, allow_pickle=False))
        self.carried = None if job.start is None else warm.start(self.model, job, self.tensors)
        self.optimizer.build(self.model.trainable_variables)
        self.steps = Steps(job, self.tensors.length, self.model, self.optimizer, self.ranks, draws, numerics)
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
            if self.ranks.writes_checkpoints:
                self.checkpoint.save(self.model.get_weights(), self._state(), best, epochs)
            if self.ranks.chief:
                self._events(epochs[-1])
        self.model.set_weights(best)
        if self.ranks.chief:
            self._write(epochs)
        if not self._agree(len(epochs)):  # which also keeps every rank until the chief has written
            raise TextmillError(f"rank {self.ranks.rank} ends with other weights than the rest of {self.job.name}")
        rate = rows * len(seconds) / sum(seconds) if seconds else 0.0
        told = {"seconds_per_epoch": seconds, "records_per_s": round(rate, 1), "resumed_from_epoch": resumed}
        wait = round(self.waited / sum(seconds), 5) if seconds else 0.0
        return {**told, "steps": int(self.optimizer.iterations), "input_wait_share": wait}

    def _resume(self) -> tuple[list[dict[str, Any]], list[np.ndarray]]:
        found = self.checkpoint.load(self.ranks.shared) if self.job.resume else None
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
        return np.array_equal(self.steps.total(own), own * self.ranks.count)

    def _epoch(self, epoch: int, report: Callable[[Progress], None]) -> dict[str, Any]:
        job, started = self.job, time.monotonic()
        rows, steps = self.tensors.rows("train"), self.tensors.steps("train", job.batch)
        total = np.zeros(3)
        for number, sums in enumerate(self._each_step(epoch), 1):
            total += sums
            rate = min(rows, number * job.batch) / (time.monotonic() - started)
            report(Progress(epoch, job.epochs, number, steps, float(total[0] / max(total[2], 1)), rate))
        self._level()
        loss, right, weight = (float(value) for value in total)
        return {"epoch": epoch, "loss": loss / weight, "accuracy": right / weight, **self._validate()}

    def _each_step(self, epoch: int) -> Iterator[np.ndarray]:
        """Take the steps of an epoch; what Steps.train gives of each."""
        for batch in self._batches(epoch):
            yield self.steps.train(batch)

    def _batches(self, epoch: int) -> Iterator[Shard]:
        """This rank's rows of every step, with the learning rate set to the step's."""
        job, ranks, steps = self.job, self.ranks, self.tensors.steps("train", self.job.batch)
        taken = shuffled(self.tensors, "train", job.batch, job.seed, epoch, ranks.rank, ranks.count)
        for number, batch in enumerate(self._timed(taken), (epoch - 1) * steps):
            self.optimizer.learning_rate = self.rates.at(number)
            yield batch

    def _level(self) -> None:
        """Give every rank the mean of what each has gathered of batches of its own."""
        own = statistics(self.model)
        if self.ranks.count == 1 or not own:
            return
        summed = self.steps.total(np.concatenate([variable.numpy() for variable in own]).astype(np.float64))
        ends = np.cumsum([int(variable.shape[0]) for variable in own])
        for variable, values in zip(own, np.split(summed / self.ranks.count, ends[:-1]), strict=True):
            variable.assign(values.astype(np.float32))

    def _validate(self) -> dict[str, float]:
        labels, ranks = len(self.tensors.labels), self.ranks
        confusion, loss = np.zeros((labels, labels), dtype=np.int64), 0.0
        for batch in batches(self.tensors, "valid", _SCORED * ranks.count, ranks.rank, ranks.count):
            real = Shard(batch.ids, batch.label, batch.weight).take(np.flatnonzero(batch.weight > 0))
            if len(real.label):
                lost, predicted = self.steps.score(real.ids, real.label)
                loss += float(lost)
                confusion += metrics.confusion(real.label, predicted.numpy(), labels)
        loss, *counts = self.steps.total(np.array([loss, *confusion.ravel()], dtype=np.float64))
        found = metrics.summarize(np.array(counts, dtype=np.int64).reshape(labels, labels), self.tensors.labels)
        rows = max(1, found["rows"])
        return {"val_loss": float(loss) / rows, "val_accuracy": found["accuracy"], "val_macro_f1": found["macro_f1"]}

    def _timed(self, taken: Iterator[Shard]) -> Iterator[Shard]:
        """The same batches; the seconds they are waited for are counted."""
        while True:
            started = time.monotonic()
            batch = next(taken, None)
            self.waited += time.monotonic() - started
            if batch is None:
                return
            yield batch

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
