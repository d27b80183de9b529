"""A model's description as a tf_keras model. Importing this imports TensorFlow."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import singledispatch
from pathlib import Path
from typing import Any

os.environ["TF_USE_LEGACY_KERAS"] = "1"  # multi-worker training fails under Keras 3
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402
import tf_keras as keras  # noqa: E402

from models import layers as described  # noqa: E402
from models.layers import Layer  # noqa: E402


class _Seeded(keras.layers.Layer):
    """Noise that depends on (seed, step) alone, so that a resumed training draws what an uninterrupted one does."""

    def __init__(self, rate: float, seed: int, step: tf.Variable) -> None:
        super().__init__()
        self.rate, self.seed, self.step = rate, seed, step

    def kept(self, shape: tf.Tensor) -> tf.Tensor:
        """A random mask that is true for all but `rate` of its values."""
        seed = tf.stack([tf.constant(self.seed, tf.int64), tf.cast(self.step, tf.int64)])
        return tf.random.stateless_uniform(shape, seed) >= self.rate


class Dropout(_Seeded):
    """Leaves out single values."""

    def call(self, values: tf.Tensor, training: bool | None = None) -> tf.Tensor:
        """`values` unchanged but in training."""
        if not training or self.rate == 0:
            return values
        return values * tf.cast(self.kept(self.shape(values)), values.dtype) / (1 - self.rate)

    def shape(self, values: tf.Tensor) -> tf.Tensor:
        """The shape of the noise."""
        return tf.shape(values)


class SpatialDropout(Dropout):
    """Leaves out whole dimensions of [batch, length, dimensions]."""

    def shape(self, values: tf.Tensor) -> tf.Tensor:
        """One value for all positions."""
        shape = tf.shape(values)
        return tf.stack([shape[0], 1, shape[2]])


class TokenDropout(_Seeded):
    """Takes ids for the unknown one; padding stays."""

    def call(self, ids: tf.Tensor, training: bool | None = None) -> tf.Tensor:
        """`ids` unchanged but in training."""
        if not training or self.rate == 0:
            return ids
        return tf.where(self.kept(tf.shape(ids)) | tf.equal(ids, 0), ids, tf.ones_like(ids))


class Builder:
    """Translates the layers of one model, in order."""

    def __init__(self, seed: int, step: tf.Variable) -> None:
        self.seed, self.step, self.mask, self._noises = seed, step, None, 0

    def noise(self, kind: type[_Seeded], rate: float) -> _Seeded:
        """A layer of noise with a seed of its own."""
        self._noises += 1
        return kind(rate, self.seed * 1000 + self._noises, self.step)


def build(layers: Sequence[Layer], length: int, seed: int, step: tf.Variable) -> keras.Model:
    """ids int32 [batch, length] → logits float32 [batch, labels]: the final softmax is left to loss and export."""
    builder = Builder(seed, step)
    ids = keras.Input((length,), dtype="int32", name="ids")
    values = ids
    for layer in layers:
        values = _translate(layer, values, builder)
    return keras.Model(ids, values)


@singledispatch
def _translate(layer: Any, values: Any, builder: Builder) -> Any:
    raise NotImplementedError(f"layer {layer} has no tf_keras build")


@_translate.register
def _embedding(layer: described.Embedding, values: Any, builder: Builder) -> Any:
    builder.mask = tf.not_equal(values, 0)
    return keras.layers.Embedding(layer.vocabulary, layer.size)(values)


@_translate.register
def _spatial_dropout(layer: described.SpatialDropout, values: Any, builder: Builder) -> Any:
    return builder.noise(SpatialDropout, layer.rate)(values)


@_translate.register
def _dropout(layer: described.Dropout, values: Any, builder: Builder) -> Any:
    return builder.noise(Dropout, layer.rate)(values)


@_translate.register
def _token_dropout(layer: described.TokenDropout, values: Any, builder: Builder) -> Any:
    return builder.noise(TokenDropout, layer.rate)(values)


@_translate.register
def _bidirectional_gru(layer: described.BidirectionalGRU, values: Any, builder: Builder) -> Any:
    # Not keras.layers.GRU: its choice between kernels names functions at random, so no two SavedModels would be equal.
    gru = keras.layers.RNN(keras.layers.GRUCell(layer.units), return_sequences=True)
    return keras.layers.Bidirectional(gru)(values, mask=builder.mask)


@_translate.register
def _max_mean_pool(layer: described.MaxMeanPool, values: Any, builder: Builder) -> Any:
    real = tf.cast(builder.mask, values.dtype)[:, :, tf.newaxis]
    count = tf.maximum(tf.reduce_sum(real, axis=1), 1.0)
    highest = tf.reduce_max(values - (1.0 - real) * 1e9, axis=1)
    highest = tf.where(tf.reduce_any(builder.mask, axis=1, keepdims=True), highest, tf.zeros_like(highest))
    return tf.concat([highest, tf.reduce_sum(values * real, axis=1) / count], axis=-1)


@_translate.register
def _dense(layer: described.Dense, values: Any, builder: Builder) -> Any:
    return keras.layers.Dense(layer.units, activation=None if layer.activation == "softmax" else layer.activation)(
        values
    )


def set_threads(threads: int) -> tuple[int, int]:
    """Set TensorFlow's threads for `threads` cores: (between operations, within one).

    The two directions of a bidirectional layer run side by side on threads of their own, about twice as fast on two
    cores as two threads within each of their small matrix products.
    """
    between, within = min(2, threads), max(1, threads // 2)
    tf.config.threading.set_inter_op_parallelism_threads(between)
    tf.config.threading.set_intra_op_parallelism_threads(within)
    return between, within


def export(model: keras.Model, folder: Path, length: int) -> None:
    """Write a SavedModel: `ids` int32 [batch, length] → `probabilities` float32 [batch, labels].

    The bytes depend on the model alone if the process has built nothing else before.
    """

    class Served(tf.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weights = model.variables

        @tf.function(input_signature=[tf.TensorSpec([None, length], tf.int32, name="ids")])
        def predict(self, ids: tf.Tensor) -> dict[str, tf.Tensor]:
            return {"probabilities": tf.nn.softmax(model(ids, training=False))}

    served = Served()
    tf.saved_model.save(served, str(folder), signatures={"serving_default": served.predict})
    (folder / "fingerprint.pb").unlink(missing_ok=True)  # holds a random identifier; readers do without


def weights_by_name(model: keras.Model) -> dict[str, np.ndarray]:
    """The model's weights under names that do not depend on what else the process has built: 000, 001 …."""
    return {f"{number:03d}": value for number, value in enumerate(model.get_weights())}
