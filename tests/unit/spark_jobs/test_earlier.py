"""Vectors of an earlier version: kept, and extended by new ones in the same space."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from spark_jobs.embeddings import earlier
from textmill.errors import InputError

TOKENS = [f"t{number}" for number in range(30)]


@pytest.fixture
def version(tmp_path: Path) -> Path:
    """30 tokens, the last of which has no vector of its own."""
    (tmp_path / "vocabulary.tsv").write_text("".join(f"{token}\t1\n" for token in TOKENS))
    (tmp_path / "tensors.json").write_text(json.dumps({"vocabulary": {"size": 32}}))
    matrix = np.random.default_rng(1).normal(size=(32, 5)).astype(np.float32)
    matrix[0], matrix[1] = 0, matrix[2:31].mean(axis=0)
    matrix[31] = matrix[1]
    np.save(tmp_path / "matrix.npy", matrix)
    return tmp_path


def test_kept_vectors_are_those_of_the_version(version: Path) -> None:
    matrix, before = np.load(version / "matrix.npy"), earlier.read(version, 5)
    vectors, own = earlier.only(before, ["new", "t3", "t29"])
    assert own.tolist() == [False, True, False], "the mean is nobody's vector"
    assert (vectors[1] == matrix[5]).all()


def test_new_tokens_come_turned_into_the_earlier_space(version: Path) -> None:
    before, draw = earlier.read(version, 5), np.random.default_rng(2)
    turn = np.linalg.qr(draw.normal(size=(5, 5)))[0].astype(np.float32)
    truth = np.vstack([before.vectors, draw.normal(size=(1, 5)).astype(np.float32)])
    tokens = [*TOKENS[:29], "new", "rare"]
    trained = np.vstack([truth @ turn, np.zeros((1, 5), np.float32)])  # the same space seen by another training
    own = np.array([*[True] * 30, False])
    vectors, has = earlier.extended(before, tokens, trained, own)
    assert np.allclose(vectors[:30], truth, atol=1e-5) and has.tolist() == own.tolist()
    assert (vectors[:29] == before.vectors).all(), "known tokens keep every bit"


def test_another_size_is_refused(version: Path) -> None:
    with pytest.raises(InputError, match="have 5 numbers, not 4: take rule: refit once"):
        earlier.read(version, 4)
