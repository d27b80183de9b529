"""bigru: a bidirectional GRU over word embeddings, pooled over time."""

from __future__ import annotations

from pydantic import Field

from models.layers import BidirectionalGRU, Dense, Dropout, Embedding, Layer, MaxMeanPool, SpatialDropout, TokenDropout
from textmill.params import Params as BaseParams

PAPER = "Cho et al., Learning Phrase Representations using RNN Encoder-Decoder, EMNLP 2014"


class Params(BaseParams):
    """Sizes and dropout; the pooling is that of Howard and Ruder (ULMFiT, ACL 2018) without the last state."""

    embedding: int = Field(128, ge=1, description="Size of the word vectors.")
    units: int = Field(96, ge=1, description="Units of the GRU in each direction.")
    token_dropout: float = Field(0.1, ge=0, lt=1, description="Share of tokens taken for unknown ones in training.")
    spatial_dropout: float = Field(0.2, ge=0, lt=1, description="Share of embedding dimensions left out.")
    dropout: float = Field(0.4, ge=0, lt=1, description="Share of pooled values left out.")


def layers(params: Params, vocabulary: int, labels: int) -> list[Layer]:
    """The description for a vocabulary size (ids 0 and 1 included) and a number of labels."""
    return [
        TokenDropout(params.token_dropout),
        Embedding(vocabulary, params.embedding),
        SpatialDropout(params.spatial_dropout),
        BidirectionalGRU(params.units),
        MaxMeanPool(),
        Dropout(params.dropout),
        Dense(labels, "softmax"),
    ]
