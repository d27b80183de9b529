"""What a search may fit: a TF-IDF pipeline with one of scikit-learn's linear classifiers, by name."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.naive_bayes import ComplementNB, MultinomialNB
from sklearn.pipeline import Pipeline
from sklearn.svm import LinearSVC

from models.search.params import PARAMS, SEPARATOR
from textmill import places
from textmill.places import place


class TrialPipeline(Pipeline):  # type: ignore[misc]
    """A trial's pipeline: it knows its number, notes when a fit began, and leaves the error of one that fails.

    scikit-learn tells of failed fits all together, not which failed how.
    """

    def __init__(
        self, steps: Any, *, memory: Any = None, verbose: bool = False, number: int = 0, errors: str = ""
    ) -> None:
        """`errors` is the folder for NUMBER.error files."""
        super().__init__(steps, memory=memory, verbose=verbose)
        self.number, self.errors = number, errors

    def fit(self, X: Any, y: Any = None, **params: Any) -> TrialPipeline:
        """As Pipeline's."""
        self.began_ = time.perf_counter()
        try:
            return super().fit(X, y, **params)  # type: ignore[no-any-return]
        except Exception as error:
            said = f"{type(error).__name__}: {error}"
            if self.errors:
                places.write_bytes(place(self.errors) / f"{self.number}.error", said.encode())
            raise


def pipeline(name: str, given: Mapping[str, Any], seed: int, number: int = 0, errors: str = "") -> TrialPipeline:
    """The pipeline of a trial: from texts whose tokens are joined by SEPARATOR to label numbers. Raises KeyError."""
    params = PARAMS[name].model_validate(dict(given))
    features = TfidfVectorizer(tokenizer=tokens, token_pattern=None, lowercase=False, ngram_range=(1, params.ngrams),
                               min_df=params.min_count, max_features=params.max_features,
                               sublinear_tf=params.sublinear, dtype=np.float32)  # fmt: skip
    return TrialPipeline([("tfidf", features), ("model", _MODELS[name](params, seed))], number=number, errors=errors)


def tokens(text: str) -> list[str]:
    """The tokens of a row."""
    return text.split(SEPARATOR) if text else []


def _weights(balanced: bool) -> str | None:
    return "balanced" if balanced else None


def _logistic(params: Any, seed: int) -> Any:
    weights = _weights(params.balanced)
    return LogisticRegression(C=params.c, max_iter=params.iterations, class_weight=weights, random_state=seed)


def _svm(params: Any, seed: int) -> Any:
    weights = _weights(params.balanced)
    return LinearSVC(C=params.c, max_iter=params.iterations, class_weight=weights, random_state=seed, dual="auto")


def _sgd(params: Any, seed: int) -> Any:
    return SGDClassifier(loss=params.loss, penalty=params.penalty, alpha=params.alpha, max_iter=params.iterations,
                         class_weight=_weights(params.balanced), random_state=seed)  # fmt: skip


def _naive_bayes(params: Any, seed: int) -> Any:
    return (ComplementNB if params.complement else MultinomialNB)(alpha=params.alpha)


_MODELS: Mapping[str, Callable[[Any, int], Any]] = {
    "logistic": _logistic, "svm": _svm, "sgd": _sgd, "naive_bayes": _naive_bayes,
}  # fmt: skip


def weights(fitted: Pipeline) -> dict[str, np.ndarray]:
    """What a fitted pipeline knows, as plain arrays: idf [features], kernel [labels, features], bias [labels].

    Scores of a row are tfidf · kernelᵀ + bias; of two labels, where the kernel has one row, its sign decides.
    """
    model, features = fitted["model"], fitted["tfidf"]
    naive = isinstance(model, MultinomialNB | ComplementNB)
    kernel = model.feature_log_prob_ if naive else model.coef_
    bias = model.intercept_ if not naive else _priors(model)
    found = {"idf": features.idf_, "kernel": kernel, "bias": bias}
    return {name: np.asarray(value, np.float32) for name, value in found.items()}


def _priors(model: MultinomialNB | ComplementNB) -> np.ndarray:
    of_no_use = isinstance(model, ComplementNB) and len(model.classes_) > 1
    return np.zeros(len(model.classes_)) if of_no_use else model.class_log_prior_  # type: ignore[no-any-return]


def vocabulary(fitted: Pipeline) -> list[str]:
    """The features in the order of the arrays; tokens of an n-gram are joined by a space."""
    return list(fitted["tfidf"].get_feature_names_out())
