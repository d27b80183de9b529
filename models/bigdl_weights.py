"""The weights of BigDL's layers: how they start, and how they are told to tf_keras and back."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Weights = list[np.ndarray]


@dataclass(frozen=True)
class Part:
    """A BigDL layer with weights, and how they are told to tf_keras and back."""

    layer: Any
    to_keras: Callable[[Weights], Weights]
    from_keras: Callable[[Weights], Weights]
    initial: Callable[[np.random.Generator], Weights]
    """As tf_keras would start it."""
    gathered: bool = False
    """Whether the last two of its weights in tf_keras are moving statistics."""


STEP = Part(None, lambda own: [np.zeros((), np.int64)], lambda given: [], lambda generator: [np.zeros(())])
"""tf_keras counts the variable with the step among the weights of the first layer of noise."""


def same(weights: Weights) -> Weights:
    """As they are."""
    return weights


def turned(weights: Weights) -> Weights:
    """The kernel of a dense layer, between [in, out] and [out, in]."""
    return [weights[0].T, *weights[1:]]


def uniform(generator: np.random.Generator, shape: tuple[int, ...], limit: float) -> np.ndarray:
    """Between minus the limit and the limit."""
    return generator.uniform(-limit, limit, shape)


def glorot(generator: np.random.Generator, *shape: int) -> np.ndarray:
    """Glorot and Bengio (AISTATS 2010); all but the last two dimensions are a window."""
    window = math.prod(shape[:-2])
    return uniform(generator, shape, math.sqrt(6 / (window * (shape[-2] + shape[-1]))))


def orthogonal(generator: np.random.Generator, rows: int, columns: int) -> np.ndarray:
    """Saxe et al. (ICLR 2014)."""
    q, r = np.linalg.qr(generator.standard_normal((columns, rows)))
    return (q * np.sign(np.diag(r))).T


def _gates(matrix: np.ndarray, order: Sequence[int]) -> np.ndarray:
    """Blocks of the first dimension, one for each gate, in another order."""
    blocks = np.split(matrix, len(order))
    return np.concatenate([blocks[number] for number in order])


def lstm_part(made: Any, size: int, units: int) -> Part:
    """BigDL's gates are input, cell, forget, output; those of tf_keras input, forget, cell, output."""
    order = (0, 2, 1, 3)

    def to_keras(weights: Weights) -> Weights:
        kernel, bias, recurrent = (_gates(each, order) for each in weights)
        return [kernel.T, recurrent.T, bias]

    def from_keras(weights: Weights) -> Weights:
        kernel, recurrent, bias = (_gates(each.T, order) for each in weights)
        return [kernel, bias, recurrent]

    def initial(generator: np.random.Generator) -> Weights:
        bias = np.zeros(4 * units)
        bias[units : 2 * units] = 1  # the forget gate's
        return [glorot(generator, size, 4 * units), orthogonal(generator, units, 4 * units), bias]

    return Part(made, to_keras, from_keras, initial)


def gru_part(made: Any, size: int, units: int) -> Part:
    """BigDL's gates are reset, update, candidate, whose recurrent kernel is apart; in tf_keras the update comes first."""
    order = (1, 0, 2)

    def to_keras(weights: Weights) -> Weights:
        kernel, bias, gates, candidate = weights
        recurrent = np.concatenate([_gates(gates, order[:2]), candidate])
        return [_gates(kernel, order).T, recurrent.T, _gates(bias, order)]

    def from_keras(weights: Weights) -> Weights:
        kernel, recurrent, bias = (each.T for each in weights)
        gates, candidate = recurrent[: 2 * units], recurrent[2 * units :]
        return [_gates(kernel, order), _gates(bias, order), _gates(gates, order[:2]), candidate]

    def initial(generator: np.random.Generator) -> Weights:
        return [glorot(generator, size, 3 * units), orthogonal(generator, units, 3 * units), np.zeros(3 * units)]

    return Part(made, to_keras, from_keras, initial)
