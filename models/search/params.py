"""The parameters of a search's estimators; importing this imports nothing of scikit-learn's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from textmill.params import Params


class Features(Params):
    """TF-IDF of tokens and n-grams (scikit-learn's TfidfVectorizer on the tokens as they are)."""

    ngrams: int = Field(1, ge=1, le=5, description="Tokens in the longest n-gram; 1: words alone.")
    min_count: int = Field(1, ge=1, description="Rows that a token or n-gram must occur in.")
    max_features: int | None = Field(None, ge=1, description="At most so many, the most frequent.")
    sublinear: bool = Field(False, description="1 + log(count) instead of the count.")


class Logistic(Features):
    """Multinomial logistic regression."""

    c: float = Field(1.0, gt=0, description="Inverse of the regularisation's strength.")
    balanced: bool = Field(False, description="Weigh labels by the inverse of how often they occur.")
    iterations: int = Field(1000, ge=1, description="The solver stops after so many.")


class Svm(Logistic):
    """Linear support vector machine, one against the rest (LinearSVC)."""


class Sgd(Features):
    """A linear model by stochastic gradient descent (SGDClassifier)."""

    loss: Literal["hinge", "log_loss", "modified_huber"] = Field("hinge", description="What is minimised.")
    penalty: Literal["l2", "l1", "elasticnet"] = Field("l2", description="The regularisation.")
    alpha: float = Field(1e-4, gt=0, description="Its strength.")
    balanced: bool = Field(False, description="Weigh labels by the inverse of how often they occur.")
    iterations: int = Field(1000, ge=1, description="Epochs at most.")


class NaiveBayes(Features):
    """Multinomial naive Bayes, or its complement (Rennie et al., ICML 2003)."""

    alpha: float = Field(1.0, ge=0, description="Smoothing.")
    complement: bool = Field(False, description="Counts of all other labels instead of the label's own.")


PARAMS: Mapping[str, type[Features]] = {"logistic": Logistic, "svm": Svm, "sgd": Sgd, "naive_bayes": NaiveBayes}
SEPARATOR = "\x1f"
"""Between the tokens of a row, where a row is one text: a control character, which text.clean removes."""
