"""The tokens whose vectors point the same way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

NEAREST = 10
_SHOWN = 30
_BLOCK = 512


def nearest(
    tokens: Sequence[str], vectors: np.ndarray, present: np.ndarray, asked: Sequence[str]
) -> dict[str, list[tuple[str, float]]]:
    """For every asked token that has a vector the NEAREST others by cosine, the nearest first, ties in token order.

    `vectors` is float32 [tokens, size]; `present`, bool [tokens], says which rows are vectors.
    """
    number = {token: index for index, token in enumerate(tokens) if present[index]}
    units = _units(vectors)
    found = {}
    for token in asked:
        if (index := number.get(token)) is not None:
            cosines = np.where(present, units @ units[index], -np.inf)
            cosines[index] = -np.inf
            best = np.argsort(-cosines, kind="stable")[:NEAREST]
            found[token] = [(tokens[row], round(float(cosines[row]), 4)) for row in best if np.isfinite(cosines[row])]
    return found


def frequent(tokens: Sequence[str], present: np.ndarray) -> list[str]:
    """The most frequent tokens of at least two letters: a guess at content words, for every language alike."""
    return [tokens[row] for row in _words(tokens, present)[:_SHOWN]]


def table(
    tokens: Sequence[str], vectors: np.ndarray, present: np.ndarray, wanted: int, similarity: float
) -> dict[str, dict[str, float]]:
    """For every word the `wanted` nearest words with at least this cosine, which is above 0; words without are left out."""
    rows = _words(tokens, present)
    words, units = [tokens[row] for row in rows], _units(vectors[rows])
    found: dict[str, dict[str, float]] = {}
    for index, others in _nearest_rows(units, wanted):
        cosines = [(words[other], round(float(units[index] @ units[other]), 4)) for other in others]
        if close := {word: cosine for word, cosine in cosines if cosine >= similarity and cosine > 0}:
            found[words[index]] = close
    return found


def _words(tokens: Sequence[str], present: np.ndarray) -> list[int]:
    """Rows of tokens of at least two letters that have a vector."""
    return [row for row, token in enumerate(tokens) if present[row] and len(token) > 1 and token.isalpha()]


def _units(vectors: np.ndarray) -> np.ndarray:
    """float32 [tokens, size]: the vectors at length 1, those of length 0 as they are."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.where(length > 0, length, 1)


def _nearest_rows(units: np.ndarray, wanted: int) -> Iterator[tuple[int, np.ndarray]]:
    """Each row's number and those of the `wanted` others nearest to it; a block of rows at a time, as all pairs of a
    large vocabulary don't fit in memory."""
    for start in range(0, len(units), _BLOCK):
        cosines = units[start : start + _BLOCK] @ units.T
        np.fill_diagonal(cosines[:, start:], -np.inf)
        for offset, row in enumerate(cosines):
            yield start + offset, np.argsort(-row, kind="stable")[: min(wanted, len(units) - 1)]
