"""cnn_lstm: a convolution finds phrases, an LSTM reads them in order."""

from __future__ import annotations

from pydantic import Field

from models.layers import LSTM, Conv1D, Dense, Dropout, Embedding, Layer, MaxMeanPool, SpatialDropout, TokenDropout
from textmill.params import Params as BaseParams

PAPER = "Zhou et al., A C-LSTM Neural Network for Text Classification, arXiv:1511.08630, 2015"


class Params(BaseParams):
    """The paper's best has one width of 3, as many filters as units (150), and dropout before both and at the end (0.5)."""

    embedding: int = Field(128, ge=1, description="Size of the word vectors.")
    filters: int = Field(150, ge=1, description="Filters of the convolution.")
    width: int = Field(3, ge=1, description="Words that a filter spans.")
    units: int = Field(150, ge=1, description="Units of the LSTM in each direction.")
    bidirectional: bool = Field(False, description="A second LSTM reads from the end.")
    token_dropout: float = Field(0.1, ge=0, lt=1, description="Share of tokens taken for unknown ones in training.")
    spatial_dropout: float = Field(0.2, ge=0, lt=1, description="Share of embedding dimensions left out.")
    dropout: float = Field(0.5, ge=0, lt=1, description="Share of pooled values left out.")


def layers(params: Params, vocabulary: int, labels: int) -> list[Layer]:
    """The description for a vocabulary size (ids 0 and 1 included) and a number of labels."""
    return [
        TokenDropout(params.token_dropout),
        Embedding(vocabulary, params.embedding),
        SpatialDropout(params.spatial_dropout),
        Conv1D(params.filters, params.width, "relu"),
        LSTM(params.units, params.bidirectional),
        MaxMeanPool(),
        Dropout(params.dropout),
        Dense(labels, "softmax"),
    ]
