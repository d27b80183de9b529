"""A model's description as a model of BigDL's Keras-style API, and weights between it and the tf_keras build.

The recurrent cells are BigDL's with logistic gates; of padding they know nothing, so the second direction reads the real
positions of a row turned round. What BigDL has no layer for are small ones of ours in Java (src/bigdl).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import singledispatch
from typing import Any

import numpy as np

from models import layers as described
from models.bigdl_weights import STEP, Part, Weights, glorot, gru_part, lstm_part, same, turned, uniform
from models.layers import Layer
from textmill.errors import InputError

_NOISES = (described.TokenDropout, described.SpatialDropout, described.Dropout)


class Builder:
    """Translates the layers of one model, in order."""

    def __init__(self, jvm: Any, length: int, trainable: bool) -> None:
        self.jvm = jvm
        self.api = jvm.com.intel.analytics.bigdl.dllib.keras.python.PythonZooKeras.ofFloat()
        self.ours = jvm.io.textmill.bigdl
        self.length, self.trainable = length, trainable
        self.ids = self.api.createZooKerasInput([[length]], "ids")
        self.seeds = self.api.createZooKerasInput([[1]], "seeds")
        self.parts: list[Part] = []
        self._noises = 0

    def through(self, layers: Sequence[Layer], values: Any, size: int) -> tuple[Any, int]:
        """`values` after all layers, and the size of their last dimension."""
        for layer in layers:
            values, size = _translate(layer, values, size, self)
        return values, size

    def connect(self, layer: Any, *inputs: Any) -> Any:
        """The output of a layer on these inputs."""
        return self.api.connectInputs(layer, list(inputs))

    def joined(self, *values: Any) -> Any:
        """Along their last dimension; a single one stays as it is."""
        if len(values) == 1:
            return values[0]
        return self.connect(self.api.createZooKerasMerge(None, "concat", -1, None), *values)

    def own(self, module: Any, shape: Sequence[int], *inputs: Any) -> Any:
        """The output of one of our modules, of this shape without the batch's dimension."""
        given = self.jvm.java.lang.reflect.Array.newInstance(self.jvm.java.lang.Integer.TYPE, len(shape))
        for number, each in enumerate(shape):
            given[number] = each
        return self.connect(self.ours.Wrapped(module, given), *inputs)

    def cleared(self, values: Any, size: int) -> Any:
        """`values` [batch, length, size] with zeros at padding."""
        return self.own(self.ours.Cleared(), (self.length, size), values, self.ids)

    def noise(self) -> int:
        """The number of the next layer of noise."""
        if not self._noises:
            self.parts.append(STEP)
        self._noises += 1
        return self._noises


@dataclass
class Model:
    """A model in the JVM: ids float [batch, length] and seeds [batch, 1] to logits [batch, labels]."""

    jvm: Any
    module: Any
    parts: list[Part]
    places: list[list[tuple[int, tuple[int, ...]]]] = field(default_factory=list)
    """Of each part's weights: where they start among all, and their shape; then of what it gathers."""

    def __post_init__(self) -> None:
        ours = self.jvm.io.textmill.bigdl.Parameters
        self.size = int(ours.size(self.module))
        for part in self.parts:
            found = [*ours.places(self.module, part.layer)] if part.layer else []
            found += [*ours.gatheredPlaces(self.module, part.layer)] if part.gathered else []
            self.places.append([(place[0], tuple(place)[1:]) for place in found])

    def to_keras(self, weights: np.ndarray, gathered: np.ndarray) -> Weights:
        """float32 [size] and what is gathered, as the weights of the tf_keras build."""
        return [each for part, own in self._own(weights, gathered) for each in part.to_keras(own)]

    def from_keras(self, given: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """The weights of the tf_keras build as float32 [size] and what is gathered."""
        weights = np.zeros(self.size, np.float32)
        gathered = np.zeros(self._gathered(), np.float32)
        left = list(given)
        for part, own in self._own(weights, gathered):
            taken = [left.pop(0) for _ in part.to_keras(own)]
            for view, value in zip(own, part.from_keras(taken), strict=True):
                view[...] = value
        return weights, gathered

    def decayed(self) -> list[int]:
        """Begins and ends of the weights that decay: all matrices, no biases and nothing of normalisation."""
        return [
            edge
            for part, places in zip(self.parts, self.places, strict=True)
            for start, shape in places
            if len(shape) > 1 and not part.gathered
            for edge in (start, start + math.prod(shape))
        ]

    def initial(self, seed: int) -> Weights:
        """Weights to start from, in the order of tf_keras."""
        generator = np.random.Generator(np.random.PCG64(seed))
        return [each.astype(np.float32) for part in self.parts for each in part.initial(generator)]

    def set(self, weights: Sequence[np.ndarray]) -> None:
        """Give it the weights of the tf_keras build."""
        own, gathered = self.from_keras(weights)
        self.jvm.io.textmill.bigdl.Parameters.set(self.module, own.tobytes(), gathered.tobytes())

    def logits(self, ids: np.ndarray) -> np.ndarray:
        """Of int [rows, length], computed in the driver's JVM: float32 [rows, labels]."""
        told = np.ascontiguousarray(ids, np.float32).tobytes()
        answer = self.jvm.io.textmill.bigdl.Parameters.logits(self.module, told, len(ids))
        return np.frombuffer(answer, np.float32).reshape(len(ids), -1)

    def _gathered(self) -> int:
        parts = zip(self.parts, self.places, strict=True)
        return sum(math.prod(shape) for part, places in parts if part.gathered for _, shape in places[-2:])

    def _own(self, weights: np.ndarray, gathered: np.ndarray) -> Iterator[tuple[Part, Weights]]:
        """Each part with views of its own weights."""
        for part, places in zip(self.parts, self.places, strict=True):
            found = []
            for number, (start, shape) in enumerate(places):
                of = gathered if part.gathered and number >= len(places) - 2 else weights
                found.append(of[start : start + math.prod(shape)].reshape(shape))
            yield part, found


def problem(layers: Sequence[Layer]) -> str:
    """Why BigDL can't build these layers, and empty where it can."""
    for layer in layers:
        inner = [problem(branch) for branch in getattr(layer, "branches", ())]
        if _translate.dispatch(type(layer)) is _translate.dispatch(object):
            inner.append(f"BigDL has no build of the layer {type(layer).__name__}")
        if isinstance(layer, described.Embedding) and layer.vocabulary >= 1 << 24:
            inner.append(f"BigDL counts ids as floats, up to {1 << 24:,}, and {layer.vocabulary:,} are asked for")
        if found := next(filter(None, inner), ""):
            return found
    return ""


def build(layers: Sequence[Layer], length: int, jvm: Any, trainable: bool = True) -> Model:
    """The model of a description, in a JVM that has BigDL's jars. Raises InputError where BigDL can't build it.

    `trainable` tells whether its embeddings change in training.
    """
    if why := problem(layers):
        raise InputError(why)
    if not any(isinstance(layer, _NOISES) for layer in layers):
        layers = [described.TokenDropout(0.0), *layers]  # every input of a graph has to lead somewhere
    builder = Builder(jvm, length, trainable)
    inputs = [builder.ids, builder.seeds]
    values, _ = builder.through(layers, builder.ids, length)
    module = builder.api.createZooKerasModel(inputs, [values])
    return Model(jvm, module, builder.parts)


@singledispatch
def _translate(layer: Any, values: Any, size: int, builder: Builder) -> tuple[Any, int]:
    raise NotImplementedError(f"layer {layer} has no BigDL build")


@_translate.register
def _token_dropout(layer: described.TokenDropout, values: Any, size: int, builder: Builder) -> tuple[Any, int]:
    module = builder.ours.TokenDropout(layer.rate, builder.noise())
    builder.ids = builder.own(module, (size,), values, builder.seeds)
    return builder.ids, size


@_translate.register
def _hashed_ngrams(layer: described.HashedNgrams, values: Any, size: int, builder: Builder) -> tuple[Any, int]:
    numbers = (layer.vocabulary, layer.buckets, layer.highest, described.MULTIPLIER, described.PRIME)
    builder.length = size * layer.highest
    builder.ids = builder.own(builder.ours.Ngrams(*numbers), (builder.length,), values)
    return builder.ids, builder.length


@_translate.register
def _embedding(layer: described.Embedding, values: Any, size: int, builder: Builder) -> tuple[Any, int]:
    trainable = layer.trainable and builder.trainable
    made = builder.api.createZooKerasEmbedding(
        layer.vocabulary, layer.size, "uniform", None, trainable, None, [size], False, 0, True
    )
    shape = (layer.vocabulary, layer.size)
    builder.parts.append(Part(made, same, same, lambda generator: [uniform(generator, shape, 0.05)]))
    return builder.cleared(builder.connect(made, values), layer.size), layer.size


@_translate.register
def _spatial_dropout(layer: described.SpatialDropout, values: Any, size: int, builder: Builder) -> tuple[Any, int]:
    module = builder.ours.Dropout(layer.rate, builder.noise(), True)
    return builder.own(module, (builder.length, size), values, builder.seeds), size


@_translate.register
def _dropout(layer: described.Dropout, values: Any, size: int, builder: Builder) -> tuple[Any, int]:
    return builder.own(builder.ours.Dropout(layer.rate, builder.noise(), False), (size,), values, builder.seeds), size


@_translate.register
def _conv(layer: described.Conv1D, values: Any, size: int, builder: Builder) -> tuple[Any, int]:
    activation = None if layer.activation == "linear" else layer.activation
    made = builder.api.createZooKerasConvolution1D(
        layer.filters, layer.width, "glorot_uniform", None, activation, "same", 1, None, None, True, None
    )
    shape = (layer.width, size, layer.filters)

    def initial(generator: np.random.Generator) -> Weights:
        return [glorot(generator, *shape), np.zeros(layer.filters)]

    def to_keras(weights: Weights) -> Weights:
        return [weights[0].reshape(shape), weights[1]]

    def from_keras(weights: Weights) -> Weights:
        return [weights[0].reshape(1, layer.width, 1, size, layer.filters), weights[1]]

    builder.parts.append(Part(made, to_keras, from_keras, initial))
    return builder.cleared(builder.connect(made, values), layer.filters), layer.filters


@_translate.register
def _batch_norm(layer: described.BatchNorm, values: Any, size: int, builder: Builder) -> tuple[Any, int]:
    module = builder.ours.BatchNorm(size, layer.momentum)

    def initial(generator: np.random.Generator) -> Weights:
        return [np.ones(size), np.zeros(size), np.zeros(size), np.ones(size)]

    builder.parts.append(Part(module, same, same, initial, gathered=True))
    return builder.own(module, (size,), values, builder.ids), size


@_translate.register
def _activate(layer: described.Activate, values: Any, size: int, builder: Builder) -> tuple[Any, int]:
    return builder.connect(builder.api.createZooKerasActivation(layer.activation, None), values), size


@_translate.register
def _lstm(layer: described.LSTM, values: Any, size: int, builder: Builder) -> tuple[Any, int]:
    return _recurrent(
        layer.units, layer.bidirectional, builder.api.createZooKerasLSTM, lstm_part, values, size, builder
    )


@_translate.register
def _gru(layer: described.BidirectionalGRU, values: Any, size: int, builder: Builder) -> tuple[Any, int]:
    return _recurrent(layer.units, True, builder.api.createZooKerasGRU, gru_part, values, size, builder)


def _recurrent(
    units: int, both: bool, create: Any, part: Any, values: Any, size: int, builder: Builder
) -> tuple[Any, int]:
    found = []
    for backwards in (False, True)[: 1 + both]:
        made = create(units, "tanh", "sigmoid", True, False, None, None, None, None)
        builder.parts.append(part(made, size, units))
        found.append(_direction(made, units, backwards, values, size, builder))
    return builder.cleared(builder.joined(*found), units * len(found)), units * len(found)


def _direction(made: Any, units: int, backwards: bool, values: Any, size: int, builder: Builder) -> Any:
    if not backwards:
        return builder.connect(made, values)
    turned = builder.own(builder.ours.Reversed(), (builder.length, size), values, builder.ids)
    return builder.own(builder.ours.Reversed(), (builder.length, units), builder.connect(made, turned), builder.ids)


@_translate.register
def _max_pool(layer: described.MaxPool, values: Any, size: int, builder: Builder) -> tuple[Any, int]:
    return builder.own(builder.ours.MaxPool(), (size,), values, builder.ids), size


@_translate.register
def _mean_pool(layer: described.MeanPool, values: Any, size: int, builder: Builder) -> tuple[Any, int]:
    return builder.own(builder.ours.MeanPool(), (size,), values, builder.ids), size


@_translate.register
def _max_mean_pool(layer: described.MaxMeanPool, values: Any, size: int, builder: Builder) -> tuple[Any, int]:
    both = [_translate(pool, values, size, builder)[0] for pool in (described.MaxPool(), described.MeanPool())]
    return builder.joined(*both), 2 * size


@_translate.register
def _parallel(layer: described.Parallel, values: Any, size: int, builder: Builder) -> tuple[Any, int]:
    found = [builder.through(branch, values, size) for branch in layer.branches]
    return builder.joined(*[each for each, _ in found]), sum(width for _, width in found)


@_translate.register
def _dense(layer: described.Dense, values: Any, size: int, builder: Builder) -> tuple[Any, int]:
    activation = None if layer.activation in ("softmax", "linear") else layer.activation
    made = builder.api.createZooKerasDense(layer.units, "glorot_uniform", None, activation, None, None, True, None)

    def initial(generator: np.random.Generator) -> Weights:
        return [glorot(generator, size, layer.units), np.zeros(layer.units)]

    builder.parts.append(Part(made, turned, turned, initial))
    return builder.connect(made, values), layer.units
