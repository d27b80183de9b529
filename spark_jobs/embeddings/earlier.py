"""Vectors of an earlier version: kept as they are, or extended by new tokens in the same space."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from spark_jobs.embeddings import vocabulary
from textmill.errors import InputError
from textmill.ids import UNKNOWN
from textmill.places import Place


@dataclass(frozen=True)
class Earlier:
    """The vectors of a published version."""

    vectors: np.ndarray
    """float32 [tokens, size]: of the tokens that have one of their own."""
    rows: Mapping[str, int]
    """Their rows by token."""


def read(version: Place, size: int) -> Earlier:
    """The vectors in a version's folder; raises InputError where they are not `size` numbers each."""
    with (version / "matrix.npy").open("rb") as stream:
        matrix = np.load(stream, allow_pickle=False)
    if matrix.shape[1] != size:
        raise InputError(f"the vectors of {version} have {matrix.shape[1]} numbers, not {size}: take rule: refit once")
    known = vocabulary.read(version)
    own = (matrix[known.ids] != matrix[UNKNOWN]).any(axis=1)  # the others stand for no token: their mean
    named = [token for token, has in zip(known.tokens, own, strict=True) if has]
    return Earlier(matrix[known.ids][own], {token: row for row, token in enumerate(named)})


def only(before: Earlier, tokens: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """(vectors float32 [tokens, size], bool [tokens]: has one) of `tokens`, the earlier ones alone."""
    own = np.array([token in before.rows for token in tokens], dtype=bool)
    vectors = np.zeros((len(tokens), before.vectors.shape[1]), dtype=np.float32)
    vectors[own] = before.vectors[[before.rows[token] for token in tokens if token in before.rows]]
    return vectors, own


def extended(
    before: Earlier, tokens: Sequence[str], vectors: np.ndarray, own: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """As `only`, and tokens that are new with their `vectors` [tokens, size] (where `own`), turned to fit the earlier.

    Two trainings give spaces that differ by a rotation; the one that takes this training's vectors nearest to the
    earlier ones of the tokens in both is the solution of the orthogonal Procrustes problem (Schönemann 1966; for word
    vectors of different times Hamilton et al., ACL 2016).
    """
    kept, had = only(before, tokens)
    both, new = own & had, own & ~had
    kept[new] = vectors[new] @ rotation(vectors[both], kept[both])
    return kept, own | had


def rotation(from_: np.ndarray, to: np.ndarray) -> np.ndarray:
    """float32 [size, size], orthogonal: what takes rows of `from_` [n, size] nearest to those of `to`, in squares."""
    left, _, right = np.linalg.svd(from_.astype(np.float64).T @ to.astype(np.float64))
    return (left @ right).astype(np.float32)
