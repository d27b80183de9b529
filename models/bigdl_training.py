"""A training by BigDL's DistriOptimizer in the JVM of a Spark session: what Python does between its epochs."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from models import bigdl_build, bigdl_jvm, catalogue, events, metrics, results
from models.checkpoint import Checkpoint, State
from models.engines.base import Progress, TrainJob
from models.tensors import Tensors
from textmill.errors import InputError, TextmillError
from textmill.places import spark_uri

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_POLL_MILLISECONDS = 500
_GRACE_SECONDS = 3.0


class ExecutorLost(TextmillError):
    """An executor that the training ran on is gone."""

    def __init__(self, executor: str, reason: str) -> None:
        super().__init__(f"executor {executor} is lost: {reason}")
        self.executor, self.reason = executor, reason


@dataclass(frozen=True)
class Where:
    """The ranks of a training."""

    ranks: int
    threads: int
    """Of each."""
    compress: str
    """How weights and gradients go between ranks: fp16 or none."""


class Training:
    """One attempt. Its state after an epoch is that of its checkpoint, whose weights are in the order of tf_keras."""

    def __init__(self, session: SparkSession, job: TrainJob, where: Where) -> None:
        self.session, self.job, self.where = session, job, where
        bigdl_jvm.load(session.sparkContext)
        self.jvm: Any = session.sparkContext._jvm  # noqa: SLF001
        self.tensors = Tensors(job.tensors)
        self.steps = self.tensors.steps("train", job.batch)
        # Building layers sets BigDL's threads too, and asks how many there are.
        self.jvm.com.intel.analytics.bigdl.dllib.utils.Engine.init(where.ranks, where.threads, True)
        described = catalogue.layers(job.model, job.model_params, self.tensors.vocabulary, len(self.tensors.labels))
        self.model = bigdl_build.build(described, self.tensors.length, self.jvm, job.train_vectors)
        self.checkpoint = Checkpoint(job.checkpoints / "latest.npz", job.identity())
        self.group = f"bigdl {job.name} {time.time_ns()}"
        self.training: Any = None

    def train(self, report: Callable[[Progress], None]) -> dict[str, Any]:
        """To the end, from the last checkpoint if there is one; writes the results, and returns timings.

        Raises ExecutorLost, or TextmillError for whatever else BigDL fails of.
        """
        state = self.begin()
        resumed, seconds = len(state.epochs), []
        if self.training is not None:
            seconds += [round(took, 3) for took in self._epochs(state, report)]
        self._write(state)
        rate = self.tensors.rows("train") * len(seconds) / sum(seconds) if seconds else 0.0
        told = {"seconds_per_epoch": seconds, "records_per_s": round(rate, 1), "resumed_from_epoch": resumed}
        return {**told, "steps": len(state.epochs) * self.steps}

    def _state(self) -> State:
        found = self.checkpoint.load() if self.job.resume else None
        if found is not None:
            return found
        weights = self.model.initial(self.job.seed)
        if self.job.vectors is not None:
            with (self.job.vectors / "matrix.npy").open("rb") as stream:
                _start_from(weights, np.load(stream, allow_pickle=False))
        return State(weights, [], list(weights), [])

    def begin(self) -> State:
        """Start the JVM's thread where the last checkpoint ends, if the training is not over there."""
        state = self._state()
        if not results.is_over(state.epochs, self.job):
            self._start(state)
        return state

    def heard(self) -> list[str]:
        """What the JVM's thread tells next, as Training.java describes it; empty where it says nothing for a while."""
        return list(self.training.heard(_POLL_MILLISECONDS) or ())

    def _start(self, state: State) -> None:
        job, where, steps = self.job, self.where, self.steps
        self.model.set(state.weights)
        rates = job.rates(steps)
        told = np.array([rates.at(step) for step in range(job.epochs * steps)], np.float32)
        begins = np.concatenate([np.zeros(0, np.float32), *state.optimizer])
        self.training = self.jvm.io.textmill.bigdl.Training(
            self.session._jsparkSession,
            self.model.module,
            self._plan(),
            len(self.tensors.labels),  # noqa: SLF001
        )
        self.training.start(
            job.optimizer, job.momentum, told.tobytes(), job.weight_decay, self._ints(self.model.decayed()),
            job.clip or 0.0, job.label_smoothing, where.compress, len(state.epochs) * steps, begins.tobytes(), self.group,
        )  # fmt: skip

    def _plan(self) -> Any:
        job, tensors, ranks = self.job, self.tensors, self.where.ranks

        def files(part: str) -> list[list[str]]:
            return [[spark_uri(file) for file in tensors.shards(part, rank, ranks)] for rank in range(ranks)]

        return self.jvm.io.textmill.bigdl.Plan(
            ranks, self.where.threads, tensors.length, job.batch, job.seed,
            files("train"), tensors.rows("train", ranks), files("valid"), tensors.rows("valid", ranks),
        )  # fmt: skip

    def _ints(self, values: list[int]) -> Any:
        array = self.session.sparkContext._gateway.new_array(self.jvm.int, len(values))  # noqa: SLF001
        for number, value in enumerate(values):
            array[number] = value
        return array

    def _epochs(self, state: State, report: Callable[[Progress], None]) -> Iterator[float]:
        """Seconds of each epoch, when it is in `state` and on disk."""
        started = time.monotonic()
        while True:
            kind, *more = self.heard() or ["nothing"]
            if kind == "step":
                report(self._progress(int(more[0]), float(more[1]), started))
            elif kind == "epoch":
                took = time.monotonic() - started
                self._end_epoch(state)
                yield took
                started = time.monotonic()
                self.training.answer(not results.is_over(state.epochs, self.job))
            elif kind == "end":
                return
            elif kind == "lost":
                raise ExecutorLost(*more)
            elif kind == "failed":
                raise self._failure(more[0])

    def _failure(self, said: str) -> TextmillError:
        """Of a lost executor BigDL's jobs may hear before Spark tells."""
        until = time.monotonic() + _GRACE_SECONDS
        while time.monotonic() < until:
            if (message := self.heard()) and message[0] == "lost":
                return ExecutorLost(*message[1:])
        return TextmillError(f"BigDL failed: {said}")

    def _progress(self, done: int, loss: float, started: float) -> Progress:
        epoch, step = divmod(done - 1, self.steps)
        rate = min(self.tensors.rows("train"), (step + 1) * self.job.batch) / max(1e-9, time.monotonic() - started)
        return Progress(epoch + 1, self.job.epochs, step + 1, self.steps, loss, rate)

    def _end_epoch(self, state: State) -> None:
        floats = [np.frombuffer(told(), np.float32) for told in (self.training.weights, self.training.gathered)]
        state.weights[:] = [np.array(each) for each in self.model.to_keras(*floats)]
        state.optimizer[:] = [np.frombuffer(self.training.moments(), np.float32)]
        state.epochs.append(self._measured(len(state.epochs) + 1))
        if results.best_epoch(state.epochs, self.job.metric) == len(state.epochs):
            state.best[:] = state.weights
        self.checkpoint.save(state.weights, state.optimizer, state.best, state.epochs)
        self._events(state.epochs[-1])

    def _measured(self, number: int) -> dict[str, Any]:
        loss, right, weight = self.training.seen()
        labels = self.tensors.labels
        confusion = np.frombuffer(self.training.confusion(), np.int64).reshape(len(labels), -1)
        found = metrics.summarize(confusion, labels)
        scored = {"val_accuracy": found["accuracy"], "val_macro_f1": found["macro_f1"]}
        valid = self.training.validLoss() / max(1, found["rows"])
        return {"epoch": number, "loss": loss / weight, "accuracy": right / weight, "val_loss": valid, **scored}

    def _events(self, epoch: dict[str, Any]) -> None:
        for part, prefix in (("train", ""), ("valid", "val_")):
            names = [name for name in ("loss", "accuracy", "macro_f1") if prefix + name in epoch]
            scalars = {name: epoch[prefix + name] for name in names}
            events.write(self.job.logs / "tensorboard" / self.job.name / part, epoch["epoch"], scalars)

    def _write(self, state: State) -> None:
        parameters = sum(math.prod(each.shape) for each in state.best if each.ndim)
        results.write(self.job, self.tensors, state.best, state.epochs, parameters=parameters, ranks=self.where.ranks)

    def cancel(self) -> None:
        """End its jobs, where it was left before its end."""
        self.session.sparkContext.cancelJobGroup(self.group)
        if self.training is not None:
            self.training.stop()


def _start_from(weights: list[np.ndarray], vectors: np.ndarray) -> None:
    """Put vectors [ids, size] into the first rows of the embedding; raises InputError where they don't fit."""
    table = next(each for each in weights if each.ndim == 2)
    if len(table) < len(vectors) or table.shape[1] != vectors.shape[1]:
        raise InputError(f"vectors of shape {vectors.shape} do not fit the model's embedding {table.shape}")
    table[: len(vectors)] = vectors
