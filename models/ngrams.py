"""The ids of hashed n-grams, as the layer HashedNgrams describes them, in numpy."""

from __future__ import annotations

import numpy as np

from models.layers import MULTIPLIER, PRIME, HashedNgrams


def hashed(layer: HashedNgrams, ids: np.ndarray) -> np.ndarray:
    """Ids int32 [rows, length] → int32 [rows, highest · length]."""
    tokens = ids.astype(np.int64)
    found, value = [tokens], tokens
    for shift in range(1, layer.highest):
        following = np.zeros_like(tokens)
        following[:, :-shift] = tokens[:, shift:]
        value = (value * MULTIPLIER + following) % PRIME
        found.append(np.where(following == 0, 0, layer.vocabulary + value % layer.buckets))
    return np.concatenate(found, axis=1).astype(np.int32)
