"""The vocabulary of a tensor.encode step, as the rows of a matrix of vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.tensors import DESCRIBED
from textmill.ids import FIRST_TOKEN
from textmill.places import Place


@dataclass(frozen=True)
class Vocabulary:
    """Tokens in the order of their ids, from FIRST_TOKEN on."""

    tokens: Sequence[str]
    counts: np.ndarray
    """Occurrences in the train part, int64 [tokens]."""
    size: int
    """Ids in all: padding, unknown, the tokens and the buckets of unknown tokens."""

    @property
    def ids(self) -> slice:
        """The rows of the tokens."""
        return slice(FIRST_TOKEN, FIRST_TOKEN + len(self.tokens))


def read(tensors: Place) -> Vocabulary:
    """The vocabulary of the finished tensor.encode step in the folder `tensors`."""
    pairs = _pairs(tensors / "vocabulary.tsv")
    size = DESCRIBED.read(tensors / "tensors.json")["vocabulary"]["size"]
    counts = np.array([int(count) for _, _, count in pairs], dtype=np.int64)
    return Vocabulary([token for token, _, _ in pairs], counts, size)


def tokens(file: Place) -> list[str]:
    """The tokens of a vocabulary.tsv, in the order of their ids."""
    return [token for token, _, _ in _pairs(file)]


def _pairs(file: Place) -> list[tuple[str, str, str]]:
    return [line.rpartition("\t") for line in file.read_text(encoding="utf-8").split("\n")[:-1]]
