"""The first ids of every vocabulary, in tensors and in the rows of a matrix of vectors."""

from __future__ import annotations

PAD, UNKNOWN, FIRST_TOKEN = 0, 1, 2
"""Filling up, any token that is not in the vocabulary, and the most frequent one that is."""
