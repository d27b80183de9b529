"""Weights of an earlier version in a model of another vocabulary and other labels."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models import catalogue, warm
from models.engines.base import TrainJob
from models.keras_build import build, keras, tf
from models.tensors import Tensors
from textmill.errors import InputError

LENGTH, BUCKETS = 4, 7


def names(folder: Path, tokens: Sequence[str], labels: Sequence[str], unknown: int = 0) -> Path:
    """The files of tensors, or of a version, that say what ids and labels mean."""
    folder.mkdir()
    (folder / "vocabulary.tsv").write_text("".join(f"{token}\t1\n" for token in tokens))
    (folder / "labels.json").write_text(json.dumps(labels))
    size = {"size": 2 + len(tokens) + unknown, "unknown_buckets": unknown}
    (folder / "tensors.json").write_text(json.dumps({"length": LENGTH, "vocabulary": size}))
    return folder


def network(folder: Path, seed: int, kind: str, **params: Any) -> keras.Model:
    tensors = Tensors(folder)
    keras.utils.set_random_seed(seed)
    layers = catalogue.layers(kind, params, tensors.vocabulary, len(tensors.labels))
    return build(layers, LENGTH, seed, tf.Variable(0, trainable=False))


def job(start: Path, tensors: Path, **more: Any) -> TrainJob:
    at = dict.fromkeys(("tensors", "out", "checkpoints", "logs"), tensors)
    return TrainJob("m", "m", {}, **at, epochs=1, batch=1, learning_rate=1.0, metric="loss", patience=1, seed=1,
                    start=start, **more)  # fmt: skip


def table(model: keras.Model) -> np.ndarray:
    """The embedding [ids, size]."""
    return next(layer for layer in model.layers if isinstance(layer, keras.layers.Embedding)).get_weights()[0]


def published(folder: Path, model: keras.Model) -> None:
    weights = {f"{number:03d}": value for number, value in enumerate(model.get_weights())}
    np.savez(folder / "weights.npz", **weights)


def carry(
    before: Path, now: Path, kind: str, params: dict[str, Any], **more: Any
) -> tuple[keras.Model, keras.Model, Any]:
    old, new = network(before, 1, kind, **params), network(now, 2, kind, **params)
    published(before, old)
    return old, new, warm.start(new, job(before, now, **more), Tensors(now))


def test_with_the_same_names_every_weight_is_that_of_the_version(tmp_path: Path) -> None:
    before, now = (names(tmp_path / name, ["a", "b"], ["x", "y"]) for name in ("before", "now"))
    old, new, told = carry(before, now, "bigru_attention", {"embedding": 4, "units": 3})
    assert all((a == b).all() for a, b in zip(old.get_weights(), new.get_weights(), strict=True))
    assert told == {"ids_known": 2, "ids": 2, "labels_known": 2}


def test_known_tokens_and_labels_keep_their_weights_and_new_ones_start_anew(tmp_path: Path) -> None:
    before = names(tmp_path / "before", ["a", "b", "c"], ["x", "y", "z"], unknown=2)
    now = names(tmp_path / "now", ["c", "new", "a"], ["w", "x", "z"], unknown=2)
    fresh = network(now, 2, "cnn", embedding=4, filters=3)
    old, new, told = carry(before, now, "cnn", {"embedding": 4, "filters": 3})
    rows, had = table(new), table(old)
    assert (rows[[0, 1, 2, 4]] == had[[0, 1, 4, 2]]).all(), "padding, unknown, c and a"
    assert (rows[3] == table(fresh)[3]).all() and (rows[5:7] == had[5:7]).all(), "new; the buckets of unknown tokens"
    kernel, bias = new.layers[-1].get_weights()
    kernel_before, _ = old.layers[-1].get_weights()
    assert (kernel[:, [1, 2]] == kernel_before[:, [0, 2]]).all() and (
        kernel[:, 0] == fresh.layers[-1].get_weights()[0][:, 0]
    ).all()
    assert bias.shape == (3,) and told == {"ids_known": 2, "ids": 3, "labels_known": 2}
    convolutions = [[layer for layer in model.layers if isinstance(layer, keras.layers.Conv1D)] for model in (old, new)]
    assert convolutions[0]
    for a, b in zip(*convolutions, strict=True):
        assert all((x == y).all() for x, y in zip(a.get_weights(), b.get_weights(), strict=True))


@pytest.mark.parametrize(("tokens", "kept"), [(["a", "b", "new"], True), (["b", "a"], False)])
def test_hashed_n_grams_are_kept_where_ids_stay(tmp_path: Path, tokens: list[str], kept: bool) -> None:
    before, now = names(tmp_path / "before", ["a", "b"], ["x", "y"]), names(tmp_path / "now", tokens, ["x", "y"])
    old, new, _ = carry(before, now, "fasttext", {"embedding": 3, "buckets": BUCKETS})
    assert (table(new)[-BUCKETS:] == table(old)[-BUCKETS:]).all() == kept


def test_a_frozen_embedding_stays_what_its_vectors_say(tmp_path: Path) -> None:
    before, now = (names(tmp_path / name, ["a", "b"], ["x", "y"]) for name in ("before", "now"))
    fresh = table(network(now, 2, "cnn", embedding=4, filters=3))
    old, new, _ = carry(before, now, "cnn", {"embedding": 4, "filters": 3}, train_vectors=False)
    assert (table(new) == fresh).all() and (new.layers[-1].get_weights()[0] == old.layers[-1].get_weights()[0]).all()


def test_the_steps_of_the_earlier_training_are_not_counted_on(tmp_path: Path) -> None:
    before, now = (names(tmp_path / name, ["a", "b"], ["x", "y"]) for name in ("before", "now"))
    old = network(before, 1, "cnn", embedding=4, filters=3)
    (step,) = {id(value): value for value in old.weights if value.dtype.is_integer}.values()
    step.assign(99)
    published(before, old)
    new = network(now, 2, "cnn", embedding=4, filters=3)
    warm.start(new, job(before, now), Tensors(now))
    assert [int(value) for value in new.weights if value.dtype.is_integer] == [0]


def test_weights_of_other_shapes_are_refused(tmp_path: Path) -> None:
    before, now = (names(tmp_path / name, ["a", "b"], ["x", "y"]) for name in ("before", "now"))
    published(before, network(before, 1, "cnn", embedding=4, filters=3))
    with pytest.raises(InputError, match="don't fit: .* publish one with start: scratch first"):
        warm.start(network(now, 2, "cnn", embedding=4, filters=5), job(before, now), Tensors(now))
    with pytest.raises(InputError, match="weights, the model"):
        warm.start(network(now, 2, "bigru", embedding=4, units=3), job(before, now), Tensors(now))
