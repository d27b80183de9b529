"""The tokens whose vectors point the same way."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

NEAREST = 10
_SHOWN = 30


def nearest(
    tokens: Sequence[str], vectors: np.ndarray, present: np.ndarray, asked: Sequence[str]
) -> dict[str, list[tuple[str, float]]]:
    """For every asked token that has a vector the NEAREST others by cosine, the nearest first, ties in token order.

    `vectors` is float32 [tokens, size]; `present`, bool [tokens], says which rows are vectors.
    """
    number = {token: index for index, token in enumerate(tokens) if present[index]}
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    units = vectors / np.where(length > 0, length, 1)
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
    words = (token for token, here in zip(tokens, present, strict=True) if here and len(token) > 1 and token.isalpha())
    return [token for _, token in zip(range(_SHOWN), words, strict=False)]
