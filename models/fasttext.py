"""fasttext: the mean of the vectors of words and hashed n-grams, then linear."""

from __future__ import annotations

from pydantic import Field

from models.layers import Dense, Dropout, Embedding, HashedNgrams, Layer, MeanPool, TokenDropout
from textmill.params import Params as BaseParams

PAPER = "Joulin et al., Bag of Tricks for Efficient Text Classification, EACL 2017"


class Params(BaseParams):
    """The paper has vectors of 10, bigrams and 10 million buckets, for corpora of millions of rows."""

    embedding: int = Field(128, ge=1, description="Size of the vectors of words and n-grams.")
    ngrams: int = Field(2, ge=1, le=5, description="Tokens in the longest n-gram; 1: words alone.")
    buckets: int = Field(50_000, ge=1, description="Vectors that n-grams share by their hash.")
    token_dropout: float = Field(0.1, ge=0, lt=1, description="Share of tokens taken for unknown ones in training.")
    dropout: float = Field(0.3, ge=0, lt=1, description="Share of the mean's values left out.")


def layers(params: Params, vocabulary: int, labels: int) -> list[Layer]:
    """The description for a vocabulary size (ids 0 and 1 included) and a number of labels."""
    grams = HashedNgrams(vocabulary, params.buckets, params.ngrams)
    return [
        TokenDropout(params.token_dropout),
        grams,
        Embedding(grams.ids, params.embedding),
        MeanPool(),
        Dropout(params.dropout),
        Dense(labels, "softmax"),
    ]
