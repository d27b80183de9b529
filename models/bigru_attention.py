"""bigru_attention: a bidirectional GRU whose states are weighed by attention."""

from __future__ import annotations

from pydantic import Field

from models.layers import (
    AttentionPool,
    BidirectionalGRU,
    Dense,
    Dropout,
    Embedding,
    Layer,
    SpatialDropout,
    TokenDropout,
)
from textmill.params import Params as BaseParams

PAPER = "Yang et al., Hierarchical Attention Networks for Document Classification, NAACL 2016"


class Params(BaseParams):
    """The word level of the paper's network, which has 50 units in each direction and attention of 100."""

    embedding: int = Field(128, ge=1, description="Size of the word vectors.")
    units: int = Field(96, ge=1, description="Units of the GRU in each direction.")
    attention: int = Field(100, ge=1, description="Units that the attention's weights are computed with.")
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
        AttentionPool(params.attention),
        Dropout(params.dropout),
        Dense(labels, "softmax"),
    ]
