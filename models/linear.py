"""linear: TF-IDF of words and n-grams, and a linear classifier that scikit-learn fits; what a network has to beat."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from models.layers import HashedNgrams, Layer, TfidfLinear
from textmill.params import Params as BaseParams

PAPER = "Joachims, Text Categorization with Support Vector Machines, ECML 1998"
ENGINES = ("local",)
TRAINER = "models.linear_trainer:LinearTrainer"


class Params(BaseParams):
    """The settings of scikit-learn's LinearSVC or LogisticRegression, with its defaults."""

    ngrams: int = Field(2, ge=1, le=5, description="Tokens in the longest n-gram; 1: words alone.")
    buckets: int = Field(32_768, ge=1, description="Features that n-grams share by their hash.")
    kind: Literal["svm", "logistic"] = Field("svm", description="Hinge loss squared, or multinomial logistic loss.")
    c: float = Field(1.0, gt=0, description="Inverse of the regularisation's strength.")
    iterations: int = Field(1000, ge=1, description="The solver stops after so many.")


def layers(params: Params, vocabulary: int, labels: int) -> list[Layer]:
    """The description for a vocabulary size (ids 0 and 1 included) and a number of labels."""
    grams = HashedNgrams(vocabulary, params.buckets, params.ngrams)
    return [grams, TfidfLinear(grams.ids, labels)]
