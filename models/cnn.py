"""cnn: convolutions of several widths side by side, their maxima normalised over the batch."""

from __future__ import annotations

from pydantic import Field

from models.layers import (
    Activate,
    BatchNorm,
    Conv1D,
    Dense,
    Dropout,
    Embedding,
    Layer,
    MaxPool,
    Parallel,
    SpatialDropout,
    TokenDropout,
)
from textmill.params import Params as BaseParams

PAPER = "Kim, Convolutional Neural Networks for Sentence Classification, EMNLP 2014"


class Params(BaseParams):
    """Filters and dropout are Kim's; so is the size of the vectors, word2vec's 300, but for a corpus of its own smaller."""

    embedding: int = Field(128, ge=1, description="Size of the word vectors.")
    filters: int = Field(100, ge=1, description="Filters of each width.")
    widths: tuple[int, ...] = Field((3, 4, 5), min_length=1, description="Words that a filter spans, for each branch.")
    batch_norm: bool = Field(True, description="Normalise the maxima over the batch (Ioffe and Szegedy, ICML 2015).")
    token_dropout: float = Field(0.1, ge=0, lt=1, description="Share of tokens taken for unknown ones in training.")
    spatial_dropout: float = Field(0.2, ge=0, lt=1, description="Share of embedding dimensions left out.")
    dropout: float = Field(0.5, ge=0, lt=1, description="Share of pooled values left out.")


def layers(params: Params, vocabulary: int, labels: int) -> list[Layer]:
    """The description for a vocabulary size (ids 0 and 1 included) and a number of labels."""
    # The maximum commutes with an increasing activation, so normalisation can stand after the pool, where it is cheap.
    branches = tuple((Conv1D(params.filters, width, "linear"), MaxPool()) for width in params.widths)
    normalised = [BatchNorm()] if params.batch_norm else []
    return [
        TokenDropout(params.token_dropout),
        Embedding(vocabulary, params.embedding),
        SpatialDropout(params.spatial_dropout),
        Parallel(branches),
        *normalised,
        Activate("relu"),
        Dropout(params.dropout),
        Dense(labels, "softmax"),
    ]
