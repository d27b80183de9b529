"""The BigDL build of a model beside its tf_keras build: the same weights, the same predictions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyspark.sql import SparkSession

from models import bigdl_build, bigdl_jvm, catalogue
from models import layers as described
from models.engines import probe
from textmill.errors import InputError

pytestmark = pytest.mark.skipif(not probe("bigdl").available, reason=probe("bigdl").reason)

LENGTH, VOCABULARY, LABELS = 9, 40, 5
MODELS: dict[str, tuple[str, dict[str, Any]]] = {
    "cnn": ("cnn", {"embedding": 6, "filters": 5, "widths": [1, 2, 3, 4]}),
    "cnn without normalisation": ("cnn", {"embedding": 6, "filters": 5, "widths": [2], "batch_norm": False}),
    "lstm": ("lstm", {"embedding": 6, "units": 4}),
    "lstm in both directions": ("lstm", {"embedding": 6, "units": 4, "bidirectional": True}),
    "cnn_lstm": ("cnn_lstm", {"embedding": 6, "filters": 5, "width": 2, "units": 4}),
    "cnn_lstm in both directions": ("cnn_lstm", {"embedding": 6, "filters": 5, "units": 4, "bidirectional": True}),
    "bigru": ("bigru", {"embedding": 6, "units": 4}),
    "fasttext": ("fasttext", {"embedding": 6, "ngrams": 3, "buckets": 30}),
}


class Both:
    """The two builds of one description."""

    def __init__(self, jvm: Any, name: str, vocabulary: int, length: int) -> None:
        from models import keras_build

        layers = catalogue.layers(*MODELS[name], vocabulary, LABELS)
        self.keras = keras_build.build(layers, length, 1, keras_build.tf.Variable(0, dtype="int64", trainable=False))
        self.first = self.keras.get_weights()
        self.bigdl = bigdl_build.build(layers, length, jvm)

    def difference(self, ids: np.ndarray) -> float:
        """The largest between their logits."""
        return float(np.abs(self.keras(ids, training=False).numpy() - self.bigdl.logits(ids)).max())


@pytest.fixture(scope="module")
def jvm(spark: SparkSession) -> Any:
    bigdl_jvm.load(spark.sparkContext)
    found: Any = spark.sparkContext._jvm
    found.com.intel.analytics.bigdl.dllib.utils.Engine.init(1, 2, True)
    return found


@pytest.fixture(scope="module", params=MODELS)
def both(jvm: Any, request: pytest.FixtureRequest) -> Both:
    return Both(jvm, request.param, VOCABULARY, LENGTH)


def padded(rows: list[list[int]]) -> np.ndarray:
    """Rows of ids with padding on the right."""
    return np.array([row + [0] * (LENGTH - len(row)) for row in rows], np.int32)


rows = st.lists(st.lists(st.integers(1, VOCABULARY - 1), max_size=LENGTH), min_size=1, max_size=6).map(padded)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ids=rows, seed=st.integers(0, 1000))
def test_predictions_agree_for_any_weights_and_rows(both: Both, ids: np.ndarray, seed: int) -> None:
    generator = np.random.default_rng(seed)
    # Squares, for a moving variance is never negative.
    made = [generator.normal(0, 0.7, each.shape).astype(np.float32) ** 2 for each in both.keras.get_weights()]
    both.keras.set_weights(made)
    both.bigdl.set(made)
    assert both.difference(ids) < 1e-4


def test_weights_come_back_as_they_went(both: Both) -> None:
    made = [np.random.default_rng(0).normal(size=each.shape).astype(np.float32) for each in both.keras.get_weights()]
    back = both.bigdl.to_keras(*both.bigdl.from_keras(made))
    assert [each.shape for each in back] == [each.shape for each in made]
    assert all(np.array_equal(one, other) for one, other in zip(made, back, strict=True) if one.ndim)


def test_it_starts_with_weights_of_the_size_that_tf_keras_starts_with(both: Both) -> None:
    started, usual = both.bigdl.initial(3), both.first
    assert [each.shape for each in started] == [each.shape for each in usual]
    for one, other in zip(started, usual, strict=True):
        assert one.std() == pytest.approx(other.std(), rel=0.4, abs=1e-6)


@pytest.mark.parametrize("name", ["cnn", "bigru", "cnn_lstm in both directions", "fasttext"])
def test_predictions_agree_on_real_texts(jvm: Any, name: str) -> None:
    seed = Path(__file__).parents[2] / "conf/seed"
    lines = [line for file in sorted(seed.glob("*.jsonl")) for line in file.read_text(encoding="utf-8").splitlines()]
    texts = [json.loads(line)["text"].split() for line in lines[:400]]
    known = {word: number + 1 for number, word in enumerate(sorted({word for text in texts for word in text}))}
    ids = padded([[known[word] for word in text[:LENGTH]] for text in texts])
    made = Both(jvm, name, len(known) + 1, LENGTH)
    made.bigdl.set(made.keras.get_weights())
    assert made.difference(ids) < 1e-4


def test_what_bigdl_has_no_layer_for_is_named(jvm: Any) -> None:
    layers = catalogue.layers("bigru_attention", {}, VOCABULARY, LABELS)
    with pytest.raises(InputError, match="no build of the layer AttentionPool"):
        bigdl_build.build(layers, LENGTH, jvm)
    branches = (tuple(layers[1:5]),)
    assert "AttentionPool" in bigdl_build.problem([described.Parallel(branches)])
