"""Vectors for tokens that have none, from those of the tokens that share character n-grams with them."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np

SHORTEST, LONGEST = 3, 6
BUCKETS = 2_000_000
"""As in fastText: n-grams with the same hash share a vector."""
_EPOCHS, _RATE = 10, 0.5


def ngrams(token: str) -> list[int]:
    """The buckets, each once, of the n-grams (3 to 6 characters) of `<token>` (Bojanowski et al. 2017)."""
    word = f"<{token}>"
    grams = {
        word[start : start + length]
        for length in range(SHORTEST, LONGEST + 1)
        for start in range(len(word) - length + 1)
    }
    return sorted({zlib.crc32(gram.encode()) % BUCKETS for gram in grams})


def complete(tokens: Sequence[str], vectors: np.ndarray, own: np.ndarray, seed: int) -> np.ndarray:
    """Fill the rows of `vectors` (float32 [tokens, size]) that are not `own` (bool [tokens]); which ones could be.

    n-gram vectors are fitted so that their mean is the vector of every known token (Zhao et al. 2018, "Generalizing
    word embeddings using bag of subwords"), by randomized Kaczmarz steps; an unknown token gets the mean of its
    n-grams' vectors. A token none of whose n-grams occurs in a known one stays as it is.
    """
    grams = [ngrams(token) for token in tokens]
    rows, learnt = _compact(grams, own)
    table = np.zeros((len(rows), vectors.shape[1]), dtype=np.float32)
    placed = [np.array([rows[gram] for gram in found if gram in rows], dtype=np.int64) for found in grams]
    _fit(table, placed, vectors, np.flatnonzero(own), seed)
    filled = ~own & learnt
    for token in np.flatnonzero(filled):
        vectors[token] = table[placed[token]].mean(axis=0)
    return filled


def _compact(grams: Sequence[Sequence[int]], own: np.ndarray) -> tuple[dict[int, int], np.ndarray]:
    """The buckets of known tokens numbered from 0, and which tokens have one of them."""
    known = sorted({gram for token in np.flatnonzero(own) for gram in grams[token]})
    rows = {gram: row for row, gram in enumerate(known)}
    return rows, np.array([any(gram in rows for gram in found) for found in grams], dtype=bool)


def _fit(table: np.ndarray, placed: Sequence[np.ndarray], vectors: np.ndarray, known: np.ndarray, seed: int) -> None:
    dice = np.random.default_rng(seed)
    for epoch in range(_EPOCHS):
        rate = np.float32(_RATE * (1 - epoch / _EPOCHS))
        for token in dice.permutation(known):
            if len(rows := placed[token]):
                table[rows] += rate * (vectors[token] - table[rows].mean(axis=0))
