"""The compiled functions of a training: a rank's gradients, the update that all ranks make of them, and scoring."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from models.engines.base import TrainJob
from models.keras_build import keras, tf
from models.optimization import cross_entropy
from models.ranks import Ranks
from models.tensors import Shard

_PART_STRIDE = 1 << 40
"""Larger than any number of steps: parts of a step draw noise of their own."""


@dataclass(frozen=True)
class Numerics:
    """How a step is computed, apart from what it computes."""

    accumulate: int = 1
    """Parts that a rank's rows of a step are computed in, one after the other."""
    halve: bool = False
    """Whether parts are halved where one does not fit into memory."""
    xla: bool = False
    """Whether XLA compiles the gradients."""
    bfloat16: bool = False
    """Whether layers compute in bfloat16; variables stay float32."""


class Steps:
    """One rank's functions over its model; all ranks call them equally often.

    `draws` int64 is what the model's noise depends on.
    """

    def __init__(
        self, job: TrainJob, length: int, model: keras.Model, optimizer: Any, ranks: Ranks, draws: tf.Variable,
        numerics: Numerics,
    ) -> None:  # fmt: skip
        self.job, self.model, self.optimizer, self.ranks, self.draws = job, model, optimizer, ranks, draws
        self.halve, self.parts = numerics.halve, numerics.accumulate
        ids = tf.TensorSpec([None, length], tf.int32)
        label, weight = tf.TensorSpec([None], tf.int32), tf.TensorSpec([None], tf.float32)
        self.signature = [ids, label, weight]
        """Of `at_once`."""
        # Horovod's operations can't be inside of what XLA compiles.
        self._part = tf.function(self._gradients, input_signature=[*self.signature, tf.TensorSpec([], tf.int64)], jit_compile=numerics.xla or None)
        self._whole = tf.function(self.at_once, input_signature=self.signature)
        self._apply = tf.function(self._update, reduce_retracing=True)
        self.score = tf.function(self._score, input_signature=[ids, label])
        self._summed = tf.function(self._over_ranks, input_signature=[tf.TensorSpec([None], tf.float64)])

    def train(self, batch: Shard) -> np.ndarray:
        """One step: summed loss, weight of right rows, weight of all rows; of all ranks."""
        if self.parts == 1 and not self.halve:
            return self._whole(batch.ids, batch.label, batch.weight).numpy()  # type: ignore[no-any-return]
        return self._apply(*self._in_parts(batch)).numpy()  # type: ignore[no-any-return]

    def total(self, values: np.ndarray) -> np.ndarray:
        """The sum of float64 [n] over all ranks."""
        return self._summed(values).numpy()  # type: ignore[no-any-return]

    def _in_parts(self, batch: Shard) -> tuple[list[Any], tf.Tensor]:
        """Nothing here waits for another rank, so one that runs out of memory tries again by itself."""
        while True:
            try:
                pieces = [self._part(*part, np.int64(number)) for number, part in enumerate(_split(batch, self.parts))]
                return [_sum(found) for found in zip(*(piece[0] for piece in pieces), strict=True)], _sum(
                    [piece[1] for piece in pieces]
                )
            except tf.errors.ResourceExhaustedError:
                if not self.halve or self.parts >= len(batch.label):
                    raise
                self.parts *= 2
                said = f"rank {self.ranks.rank}: out of memory; its rows of a step are computed in {self.parts} parts now"
                print(said, file=sys.stderr, flush=True)

    def at_once(self, ids: tf.Tensor, label: tf.Tensor, weight: tf.Tensor) -> tf.Tensor:
        """A step with all rows in one part, not compiled: who calls it from another process compiles it there."""
        return self._update(*self._part(ids, label, weight, tf.constant(0, tf.int64)))

    def _gradients(
        self, ids: tf.Tensor, label: tf.Tensor, weight: tf.Tensor, part: tf.Tensor
    ) -> tuple[list[Any], tf.Tensor]:
        """Gradients of the summed loss, and (summed loss, weight of right rows, weight of all rows)."""
        self.draws.assign(tf.cast(self.optimizer.iterations, tf.int64) + part * _PART_STRIDE)
        with tf.GradientTape() as tape:
            logits = tf.cast(self.model(ids, training=True), tf.float32)
            lost = tf.reduce_sum(weight * cross_entropy(label, logits, self.job.label_smoothing))
        right = tf.cast(tf.equal(tf.argmax(logits, -1, tf.int32), label), tf.float32)
        own = tf.stack([lost, tf.reduce_sum(weight * right), tf.reduce_sum(weight)])
        return tape.gradient(lost, self.model.trainable_variables), own

    def _update(self, gradients: Sequence[Any], own: tf.Tensor) -> tf.Tensor:
        # Sums, not means: a rank may have fewer rows than another, or none.
        summed, total = self.ranks.sums(gradients, own)
        means = [tf.math.scalar_mul(1.0 / tf.maximum(total[2], 1.0), gradient) for gradient in summed]
        clipped = means if self.job.clip is None else tf.clip_by_global_norm(means, self.job.clip)[0]
        self.optimizer.apply_gradients(zip(clipped, self.model.trainable_variables, strict=True))
        # It is among the model's weights, which have to be the same on all ranks, whatever parts each has computed.
        self.draws.assign(tf.cast(self.optimizer.iterations, tf.int64))
        return total

    def _over_ranks(self, values: tf.Tensor) -> tf.Tensor:
        return self.ranks.total([values])[0]

    def _score(self, ids: tf.Tensor, label: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Summed loss and predicted labels."""
        logits = tf.cast(self.model(ids, training=False), tf.float32)
        lost = tf.nn.sparse_softmax_cross_entropy_with_logits(label, logits)
        return tf.reduce_sum(lost), tf.argmax(logits, -1, tf.int32)


def _split(batch: Shard, parts: int) -> list[tuple[np.ndarray, ...]]:
    """Parts of about equal length; there may be fewer rows than parts."""
    columns = (np.array_split(column, parts) for column in (batch.ids, batch.label, batch.weight))
    return list(zip(*columns, strict=True))


def _sum(values: Sequence[Any]) -> Any:
    """One sum of gradients; rows of sparse ones are put one after the other."""
    if not isinstance(values[0], tf.IndexedSlices):
        return tf.add_n(list(values))
    joined, indices = (tf.concat([getattr(value, name) for value in values], 0) for name in ("values", "indices"))
    return tf.IndexedSlices(joined, indices, values[0].dense_shape)
