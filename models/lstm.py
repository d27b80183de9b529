"""lstm: long short-term memory over word vectors, pooled over time."""

from __future__ import annotations

from pydantic import Field

from models.layers import LSTM, Dense, Dropout, Embedding, Layer, MaxMeanPool, SpatialDropout, TokenDropout
from textmill.params import Params as BaseParams

PAPER = "Hochreiter and Schmidhuber, Long Short-Term Memory, Neural Computation 1997"


class Params(BaseParams):
    """The pooling is that of Howard and Ruder (ULMFiT, ACL 2018) without the last state."""

    embedding: int = Field(128, ge=1, description="Size of the word vectors.")
    units: int = Field(128, ge=1, description="Units in each direction.")
    bidirectional: bool = Field(False, description="A second one reads from the end (Graves and Schmidhuber 2005).")
    token_dropout: float = Field(0.1, ge=0, lt=1, description="Share of tokens taken for unknown ones in training.")
    spatial_dropout: float = Field(0.2, ge=0, lt=1, description="Share of embedding dimensions left out.")
    dropout: float = Field(0.4, ge=0, lt=1, description="Share of pooled values left out.")


def layers(params: Params, vocabulary: int, labels: int) -> list[Layer]:
    """The description for a vocabulary size (ids 0 and 1 included) and a number of labels."""
    return [
        TokenDropout(params.token_dropout),
        Embedding(vocabulary, params.embedding),
        SpatialDropout(params.spatial_dropout),
        LSTM(params.units, params.bidirectional),
        MaxMeanPool(),
        Dropout(params.dropout),
        Dense(labels, "softmax"),
    ]
