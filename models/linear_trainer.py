"""Fits the linear baseline with scikit-learn on the ids of the tensors; it ends with the files every training ends with."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix
from scipy.special import log_softmax
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from models import metrics, ngrams, results
from models.engines.base import Progress, TrainJob
from models.layers import HashedNgrams
from models.linear import Params
from models.tensors import Tensors, batches, opened


@dataclass(frozen=True)
class Part:
    """The real rows of a part: counts [rows, ids] and label [rows]."""

    counts: csr_matrix
    label: np.ndarray


class LinearTrainer:
    """A training without epochs: `epochs`, `batch`, `patience` and the optimizer's settings have no meaning here."""

    def __init__(self, job: TrainJob, tensors: Tensors | None = None) -> None:
        """`tensors` are those of the job, where they are not to be read from its folder.

        Raises pydantic's ValidationError for parameters the model does not take.
        """
        self.job, self.tensors = job, tensors or opened(job.tensors)
        self.params = Params.model_validate(dict(job.model_params))
        self.grams = HashedNgrams(self.tensors.vocabulary, self.params.buckets, self.params.ngrams)

    def train(self, report: Callable[[Progress], None]) -> dict[str, Any]:
        """Fit on the train part, measure on valid, and write the results; timings are returned."""
        started = time.monotonic()
        train, valid = self._part("train"), self._part("valid")
        tfidf = TfidfTransformer().fit(train.counts)
        print(f"{train.counts.shape[0]} rows, {train.counts.nnz} counts", file=sys.stderr, flush=True)
        kernel, bias = self._fit(tfidf.transform(train.counts), train.label)
        measured = {
            key: value
            for prefix, part in (("", train), ("val_", valid))
            for key, value in self._measure(tfidf.transform(part.counts) @ kernel + bias, part.label, prefix).items()
        }
        weights = [np.asarray(value, dtype=np.float32) for value in (tfidf.idf_, kernel, bias)]
        used = int((np.diff(train.counts.tocsc().indptr) > 0).sum()) * len(bias)
        results.write(
            self.job, self.tensors, weights, [{"epoch": 1, **measured}], parameters=used, ranks=1, stopped="solved"
        )
        seconds = time.monotonic() - started
        report(Progress(1, 1, 1, 1, measured["loss"], len(train.label) / seconds))
        rate = round(len(train.label) / seconds, 1)
        return {"seconds_per_epoch": [round(seconds, 3)], "records_per_s": rate, "resumed_from_epoch": 0, "steps": 1}

    def _part(self, name: str) -> Part:
        found = [batch.take(np.flatnonzero(batch.weight > 0)) for batch in batches(self.tensors, name, 65_536)]
        ids = ngrams.hashed(self.grams, np.concatenate([batch.ids for batch in found]))
        row, column = np.nonzero(ids)
        ones = np.ones(len(row), dtype=np.float64)
        counts = csr_matrix((ones, (row, ids[row, column])), shape=(len(ids), self.grams.ids))
        return Part(counts, np.concatenate([batch.label for batch in found]))

    def _fit(self, features: csr_matrix, label: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The kernel [ids, labels] and bias [labels] of one linear function for each label."""
        shared = {"C": self.params.c, "max_iter": self.params.iterations, "random_state": self.job.seed}
        model = LinearSVC(**shared) if self.params.kind == "svm" else LogisticRegression(**shared)
        model.fit(features, label)
        kernel, bias = model.coef_.T, model.intercept_
        if len(model.classes_) == 2:  # one function, whose sign decides
            kernel, bias = np.hstack([-kernel / 2, kernel / 2]), np.array([-bias[0] / 2, bias[0] / 2])
        return kernel, bias

    def _measure(self, logits: np.ndarray, label: np.ndarray, prefix: str) -> dict[str, float]:
        labels = self.tensors.labels
        found = metrics.summarize(metrics.confusion(label, logits.argmax(axis=1), len(labels)), labels)
        loss = float(-log_softmax(logits, axis=1)[np.arange(len(label)), label].mean())
        return {f"{prefix}loss": loss, **{f"{prefix}{name}": found[name] for name in ("accuracy", "macro_f1")}}
