"""Steps computed in parts: the same update, also where memory decides how many parts there are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.tensors import Shard
from tests.e2e.engines import cases

ROWS = 33


@dataclass
class Trained:
    """A model after some steps, and what the steps told."""

    weights: list[np.ndarray]
    totals: list[np.ndarray]
    parts: int


@pytest.fixture(scope="module")
def batches() -> list[Shard]:
    generator = np.random.default_rng(3)
    label = generator.integers(0, cases.LABELS, (4, ROWS), dtype=np.int32)
    ids = generator.integers(1, cases.VOCABULARY, (4, ROWS, cases.LENGTH), dtype=np.int32)
    weight = np.ones(ROWS, np.float32)
    weight[-3:] = 0
    return [Shard(ids[number], label[number], weight) for number in range(4)]


def trained(batches: list[Shard], folder: Path, layer: Any = None, **numerics: Any) -> Trained:
    """A small model trained on `batches`; `layer` comes last."""
    from models.keras_build import keras, tf
    from models.optimization import optimizer
    from models.ranks import alone
    from models.steps import Numerics, Steps

    keras.utils.set_random_seed(5)
    keras.mixed_precision.set_global_policy("mixed_bfloat16" if numerics.get("bfloat16") else "float32")
    layers = [keras.layers.Embedding(cases.VOCABULARY, 8), keras.layers.GlobalAveragePooling1D(),
              *([layer] if layer else []), keras.layers.Dense(cases.LABELS)]  # fmt: skip
    model = keras.Sequential([keras.Input((cases.LENGTH,), dtype="int32"), *layers])
    job = cases.job(folder, folder, optimizer="sgd", learning_rate=0.1, momentum=0.0)
    made = optimizer(job)
    made.build(model.trainable_variables)
    draws = tf.Variable(0, dtype=tf.int64, trainable=False)
    steps = Steps(job, cases.LENGTH, model, made, alone(), draws, Numerics(**numerics))
    totals = [steps.train(batch) for batch in batches]
    keras.mixed_precision.set_global_policy("float32")
    return Trained(model.get_weights(), totals, steps.parts)


def assert_equal(found: Trained, expected: Trained, within: float) -> None:
    for one, other in zip(found.weights, expected.weights, strict=True):
        np.testing.assert_allclose(one, other, atol=within)
    np.testing.assert_allclose(found.totals, expected.totals, atol=within * 100)


@pytest.fixture(scope="module")
def whole(batches: list[Shard], tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return trained(batches, tmp_path_factory.mktemp("whole"))


@pytest.mark.parametrize("parts", [2, 5, 40])
def test_parts_add_up(batches: list[Shard], whole: Trained, tmp_path: Path, parts: int) -> None:
    """40 are more than there are rows: some are empty."""
    assert_equal(trained(batches, tmp_path, accumulate=parts), whole, 1e-6)


def test_xla_computes_the_same(batches: list[Shard], whole: Trained, tmp_path: Path) -> None:
    assert_equal(trained(batches, tmp_path, xla=True), whole, 1e-6)


def test_bfloat16_computes_nearly_the_same_and_keeps_weights_in_float32(
    batches: list[Shard], whole: Trained, tmp_path: Path
) -> None:
    found = trained(batches, tmp_path, bfloat16=True)
    assert {value.dtype for value in found.weights} == {np.dtype("float32")}
    assert_equal(found, whole, 2e-3)


def test_memory_that_runs_out_halves_the_parts(batches: list[Shard], whole: Trained, tmp_path: Path) -> None:
    found = trained(batches, tmp_path, _greedy(), halve=True)
    assert found.parts in (2, 4, 8, 16)
    assert_equal(found, whole, 1e-6)


def test_memory_that_runs_out_fails_where_parts_are_not_to_be_halved(batches: list[Shard], tmp_path: Path) -> None:
    import tensorflow as tf

    with pytest.raises(tf.errors.ResourceExhaustedError):
        trained(batches, tmp_path, _greedy())


def _greedy() -> Any:
    """A layer that asks for an eighth of this machine's memory per row, and does not touch it."""
    import psutil

    from models.keras_build import keras, tf

    per_row = psutil.virtual_memory().total // 8

    class Greedy(keras.layers.Layer):
        def call(self, values: Any) -> Any:
            wasted = tf.raw_ops.Empty(shape=tf.stack([tf.shape(values)[0], per_row // 16]), dtype=tf.complex128)
            return values + 0.0 * tf.cast(tf.shape(wasted[:, :1])[0], values.dtype)

    return Greedy()


def test_adam_in_one_pass_is_adam(tmp_path: Path) -> None:
    """Also for rows that a sparse gradient names twice, and for those it does not name."""
    from models.keras_build import keras, tf
    from models.optimization import optimizer

    generator, found = np.random.default_rng(1), []
    starts = generator.normal(size=(6, 3)).astype(np.float32), generator.normal(size=4).astype(np.float32)
    rows = [generator.normal(size=(5, 3)).astype(np.float32) for _ in range(4)]
    for made in (optimizer(cases.job(tmp_path, tmp_path, learning_rate=0.05)), keras.optimizers.Adam(0.05)):
        table, bias = (tf.Variable(start) for start in starts)
        for values in rows:
            sparse = tf.IndexedSlices(tf.constant(values), tf.constant([4, 0, 4, 1, 0]), tf.constant([6, 3]))
            made.apply_gradients([(sparse, table), (tf.constant(values[:4, 0]), bias)])
        found.append((table.numpy(), bias.numpy()))
    for one, other, start in zip(*found, starts, strict=True):
        assert np.allclose(one, other, rtol=0, atol=5e-6) and not np.allclose(one, start, atol=1e-3)
