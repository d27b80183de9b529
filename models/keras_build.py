"""A model's description as a tf_keras model. Importing this imports TensorFlow."""

from __future__ import annotations

from collections.abc import Sequence
from functools import singledispatch
from pathlib import Path
from typing import Any

import numpy as np

from models import keras_layers as own
from models import layers as described
from models.keras_layers import keras, tf
from models.layers import Layer
from textmill.errors import InputError
from textmill.transfer import plain


class Builder:
    """Translates the layers of one model, in order; `mask` bool [batch, length] says which positions are real."""

    def __init__(self, seed: int, step: tf.Variable) -> None:
        self.seed, self.step, self.mask, self._noises = seed, step, None, 0

    def noise(self, kind: type[own.Noise], rate: float) -> own.Noise:
        """A layer of noise with a seed of its own."""
        self._noises += 1
        return kind(rate, self.seed * 1000 + self._noises, self.step)

    def through(self, layers: Sequence[Layer], values: Any) -> Any:
        """`values` after all layers."""
        for layer in layers:
            values = _translate(layer, values, self)
        return values

    def cleared(self, values: Any) -> Any:
        """`values` [batch, length, n] with zeros at padding."""
        return values * tf.cast(self.mask, values.dtype)[:, :, tf.newaxis]


def build(described: Sequence[Layer] | keras.Model, length: int, seed: int, step: tf.Variable) -> keras.Model:
    """ids int32 [batch, length] → logits float32 [batch, labels]: the final softmax is left to loss and export.

    A tf_keras model is taken as it is; raises InputError where it does not take ids and give logits.
    """
    if isinstance(described, keras.Model):
        return _checked(described, length)
    ids = keras.Input((length,), dtype="int32", name="ids")
    return keras.Model(ids, Builder(seed, step).through(described, ids))


def _checked(model: keras.Model, length: int) -> keras.Model:
    shape = model.compute_output_shape((None, length))
    if len(shape) != 2:
        raise InputError(f"model {model.name} gives {tuple(shape)} where logits [batch, labels] are needed")
    return model


def start_from(model: keras.Model, vectors: np.ndarray) -> None:
    """Put vectors [ids, size] into the first rows of the model's embedding; raises InputError where they don't fit."""
    found = [layer for layer in model.layers if isinstance(layer, keras.layers.Embedding)]
    if len(found) != 1:
        raise InputError(f"vectors are given for one embedding, and the model has {len(found)}")
    table = found[0].get_weights()[0]
    if len(table) < len(vectors) or table.shape[1] != vectors.shape[1]:
        raise InputError(f"vectors of shape {vectors.shape} do not fit the model's embedding {table.shape}")
    table[: len(vectors)] = vectors
    found[0].set_weights([table])


@singledispatch
def _translate(layer: Any, values: Any, builder: Builder) -> Any:
    raise NotImplementedError(f"layer {layer} has no tf_keras build")


@_translate.register
def _embedding(layer: described.Embedding, values: Any, builder: Builder) -> Any:
    builder.mask = tf.not_equal(values, 0)
    return builder.cleared(keras.layers.Embedding(layer.vocabulary, layer.size, trainable=layer.trainable)(values))


@_translate.register
def _hashed_ngrams(layer: described.HashedNgrams, values: Any, builder: Builder) -> Any:
    tokens = tf.cast(values, tf.int64)
    found, hashed = [values], tokens
    for shift in range(1, layer.highest):
        following = tf.pad(tokens[:, shift:], [[0, 0], [0, shift]])
        hashed = (hashed * described.MULTIPLIER + following) % described.PRIME
        ids = layer.vocabulary + hashed % layer.buckets
        found.append(tf.cast(tf.where(tf.equal(following, 0), tf.zeros_like(ids), ids), tf.int32))
    return tf.concat(found, axis=1)


@_translate.register
def _spatial_dropout(layer: described.SpatialDropout, values: Any, builder: Builder) -> Any:
    return builder.noise(own.SpatialDropout, layer.rate)(values)


@_translate.register
def _dropout(layer: described.Dropout, values: Any, builder: Builder) -> Any:
    return builder.noise(own.Dropout, layer.rate)(values)


@_translate.register
def _token_dropout(layer: described.TokenDropout, values: Any, builder: Builder) -> Any:
    return builder.noise(own.TokenDropout, layer.rate)(values)


@_translate.register
def _conv(layer: described.Conv1D, values: Any, builder: Builder) -> Any:
    conv = keras.layers.Conv1D(layer.filters, layer.width, padding="same", activation=layer.activation)
    return builder.cleared(conv(values))


@_translate.register
def _batch_norm(layer: described.BatchNorm, values: Any, builder: Builder) -> Any:
    return own.BatchNorm(layer.momentum)((values, tf.reduce_any(builder.mask, axis=1)))


@_translate.register
def _activate(layer: described.Activate, values: Any, builder: Builder) -> Any:
    return keras.layers.Activation(layer.activation)(values)


@_translate.register
def _lstm(layer: described.LSTM, values: Any, builder: Builder) -> Any:
    return _recurrent(keras.layers.LSTMCell(layer.units), layer.bidirectional, values, builder)


@_translate.register
def _bidirectional_gru(layer: described.BidirectionalGRU, values: Any, builder: Builder) -> Any:
    return _recurrent(keras.layers.GRUCell(layer.units, reset_after=False), True, values, builder)


def _recurrent(cell: Any, bidirectional: bool, values: Any, builder: Builder) -> Any:
    # Not keras.layers.GRU or LSTM: their choice between kernels names functions at random, so no two SavedModels would
    # be equal.
    layer = keras.layers.RNN(cell, return_sequences=True)
    layer = keras.layers.Bidirectional(layer) if bidirectional else layer
    return builder.cleared(layer(values, mask=builder.mask))


@_translate.register
def _max_pool(layer: described.MaxPool, values: Any, builder: Builder) -> Any:
    padding = 1.0 - tf.cast(builder.mask, values.dtype)[:, :, tf.newaxis]
    highest = tf.reduce_max(values - padding * 1e9, axis=1)
    return tf.where(tf.reduce_any(builder.mask, axis=1, keepdims=True), highest, tf.zeros_like(highest))


@_translate.register
def _mean_pool(layer: described.MeanPool, values: Any, builder: Builder) -> Any:
    count = tf.reduce_sum(tf.cast(builder.mask, values.dtype), axis=1, keepdims=True)
    return tf.reduce_sum(builder.cleared(values), axis=1) / tf.maximum(count, 1.0)


@_translate.register
def _max_mean_pool(layer: described.MaxMeanPool, values: Any, builder: Builder) -> Any:
    both = (described.MaxPool(), described.MeanPool())
    return tf.concat([_translate(pool, values, builder) for pool in both], axis=-1)


@_translate.register
def _attention_pool(layer: described.AttentionPool, values: Any, builder: Builder) -> Any:
    hidden = keras.layers.Dense(layer.units, activation="tanh")(values)
    scores = keras.layers.Dense(1, use_bias=False)(hidden)[:, :, 0]
    weights = tf.nn.softmax(scores - (1.0 - tf.cast(builder.mask, values.dtype)) * 1e9)
    return tf.reduce_sum(builder.cleared(values) * weights[:, :, tf.newaxis], axis=1)


@_translate.register
def _parallel(layer: described.Parallel, values: Any, builder: Builder) -> Any:
    return tf.concat([builder.through(branch, values) for branch in layer.branches], axis=-1)


@_translate.register
def _dense(layer: described.Dense, values: Any, builder: Builder) -> Any:
    activation = None if layer.activation in ("softmax", "linear") else layer.activation
    return keras.layers.Dense(layer.units, activation=activation)(values)


@_translate.register
def _tfidf_linear(layer: described.TfidfLinear, values: Any, builder: Builder) -> Any:
    return own.TfidfLinear(layer.ids, layer.labels)(values)


def statistics(model: keras.Model) -> list[tf.Variable]:
    """What a model gathers of the batches it is trained on, beside what gradients train."""
    return [
        value for layer in model.layers if isinstance(layer, own.BatchNorm) for value in (layer.mean, layer.variance)
    ]


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
    folder.mkdir(exist_ok=True)
    with plain(folder) as path:
        tf.saved_model.save(served, path, signatures={"serving_default": served.predict})
    (folder / "fingerprint.pb").unlink(missing_ok=True)  # holds a random identifier; readers do without
