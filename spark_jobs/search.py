"""model.search: many TF-IDF pipelines fitted by spark_sklearn's search on the train tokens, compared on valid."""

from __future__ import annotations

import contextlib
import io
import json
import time
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from pydantic import Field
from pyspark.sql import functions as F

from models import metrics
from models.search.params import SEPARATOR
from models.sweep import output, trial
from models.sweep.space import Point
from models.sweep.trial import End
from spark_jobs.base import Operation, Work, Written
from spark_jobs.encode import order_key
from textmill import places
from textmill.errors import InputError, TextmillError
from textmill.params import Params as BaseParams
from textmill.places import Place, place

_PARTS = ("train", "valid", "test")


class Params(BaseParams):
    """A search made ready."""

    trials: tuple[tuple[str, dict[str, Any]], ...] = Field(description="Estimator and parameters of each.")
    metric: Literal["macro_f1", "accuracy"] = Field("macro_f1", description="What the best one is best in.")
    seed: int = Field(7, description="Of the solvers.")
    order: int = Field(7, description="The seed of the tensors' order, in which predictions are written.")


@dataclass(frozen=True)
class Texts:
    """The rows of a part: one text of each, its tokens joined, and label numbers int32 [rows]."""

    texts: list[str]
    label: np.ndarray


class Search(Operation):
    """Writes what a sweep writes: trials.jsonl, predictions.npz, labels.json, and the best pipeline's arrays."""

    name = "model.search"
    version = 1
    Params = Params
    takes = "parts"

    def outputs(self, params: Params) -> tuple[str, ...]:
        """One part: the trials."""
        return ("trials",)

    def _run(self, work: Work) -> Written:
        """Raises InputError where a part has no row, TextmillError where no fit ended well."""
        parts, labels = _read(work)
        scratch = work.out / "fits"
        scratch.mkdir(parents=True, exist_ok=True)
        _fit(work, parts, Scorer(str(scratch), parts["test"], work.params.metric, len(labels)))
        ends = [_end(scratch, number) for number in range(len(work.params.trials))]
        done = [end for end in ends if end.status == "done"]
        if not done:
            raise TextmillError(f"none of {len(ends)} fits ended well; the error of the first: {ends[0].error}")
        points = [Point(name, given) for name, given in work.params.trials]
        rows = [trial.row(points[end.trial], end, "search", work.params.metric) for end in ends]
        found = {end.trial: _loaded(scratch / f"{trial.name(end.trial)}.npy") for end in done}
        output.put(work.out, rows, found, parts["test"].label, labels)
        best = min(done, key=lambda end: (-float(end.value or 0), end.trial))
        _write_best(work, parts["train"], points[best.trial], rows[best.trial], labels)
        places.remove(scratch)
        return Written({}, {"trials": len(ends), "done": len(done), "failed": len(ends) - len(done),
                            "best": trial.name(best.trial)})  # fmt: skip


def _read(work: Work) -> tuple[dict[str, Texts], list[str]]:
    read = {}
    for part in _PARTS:
        if not sum(source.rows for source in work.rows(part)):
            raise InputError(f"no row in the {part} part: a search fits on train, compares on valid, measures on test")
        joined = F.concat_ws(SEPARATOR, "tokens").alias("text")
        ordered = work.role(part).withColumn("_key", order_key(work.params.order)).orderBy("_key")
        read[part] = ordered.select(joined, "label").toPandas()
    labels = sorted({str(label) for label in read["train"]["label"]})
    number = {label: index for index, label in enumerate(labels)}
    for part, rows in read.items():
        if unseen := set(rows["label"]) - number.keys():
            raise InputError(f"the {part} part has labels that train lacks: {', '.join(sorted(map(str, unseen))[:10])}")
    made = {
        part: Texts(list(rows["text"]), rows["label"].map(number).to_numpy(np.int32)) for part, rows in read.items()
    }
    return made, labels


@dataclass
class Scorer:
    """scikit-learn calls it after each fit: it puts the trial's figures and its predictions on record."""

    folder: str
    test: Texts
    metric: str
    labels: int

    def __call__(self, fitted: Any, X: Sequence[str], y: np.ndarray) -> dict[str, float]:
        """The scores on the valid part."""
        seconds = time.perf_counter() - fitted.began_
        number, folder = fitted.number, place(self.folder)
        valid, predicted = self._scores(fitted.predict(X), y), fitted.predict(self.test.texts).astype(np.int32)
        test = {"rows": len(predicted), **self._scores(predicted, self.test.label)}
        content = io.BytesIO()
        np.save(content, predicted, allow_pickle=False)
        places.write_bytes(folder / f"{trial.name(number)}.npy", content.getvalue())
        size = sum(value.size for value in _weights(fitted).values())
        end = End(number, "done", valid=valid, test=test, value=valid[self.metric], parameters=size, bytes=4 * size,
                  seconds=round(seconds, 3))  # fmt: skip
        places.write_bytes(folder / f"{trial.name(number)}.json", end.to_json().encode())
        return valid

    def _scores(self, predicted: np.ndarray, true: np.ndarray) -> dict[str, float]:
        names = [str(number) for number in range(self.labels)]
        found = metrics.summarize(metrics.confusion(true, predicted, self.labels), names)
        return {name: found[name] for name in ("accuracy", "macro_f1")}


def _weights(fitted: Any) -> dict[str, np.ndarray]:
    from models.search.estimators import weights

    return weights(fitted)


def _fit(work: Work, parts: Mapping[str, Texts], scorer: Scorer) -> None:
    """Run the search: fits and errors are on record in the scorer's folder then."""
    from sklearn.exceptions import FitFailedWarning

    import spark_sklearn

    train, valid = parts["train"], parts["valid"]
    texts, label = np.array(train.texts + valid.texts, object), np.concatenate([train.label, valid.label])
    split = [(np.arange(len(train.label)), np.arange(len(train.label), len(label)))]
    first, grid = _grid(work.params, scorer.folder)
    search = spark_sklearn.GridSearchCV(work.spark, first, grid, scoring=scorer, cv=split, refit=False)
    with warnings.catch_warnings(), contextlib.suppress(ValueError):  # which it raises where all fits failed
        warnings.simplefilter("ignore", FitFailedWarning)
        warnings.filterwarnings("ignore", "One or more of the test scores are non-finite")
        search.fit(texts, label)


def _grid(params: Params, errors: str) -> tuple[Any, list[dict[str, list[Any]]]]:
    """A grid of one point for each trial."""
    from models.search.estimators import pipeline

    made = [pipeline(name, given, params.seed, n, errors) for n, (name, given) in enumerate(params.trials)]
    return made[0], [{"tfidf": [one["tfidf"]], "model": [one["model"]], "number": [one.number]} for one in made]


def _end(folder: Place, number: int) -> End:
    """How a trial ended: what its fit left."""
    scored, error = folder / f"{trial.name(number)}.json", folder / f"{number}.error"
    if scored.exists():
        return End.from_json(scored.read_text(encoding="utf-8"))
    said = error.read_text(encoding="utf-8") if error.exists() else "its fit ended the Python worker it ran in"
    return End(number, "failed", said)


def _loaded(file: Place) -> np.ndarray:
    return np.load(io.BytesIO(file.read_bytes()), allow_pickle=False)  # type: ignore[no-any-return]


def _write_best(work: Work, train: Texts, point: Point, row: Mapping[str, Any], labels: list[str]) -> None:
    """The best pipeline, fitted once more: a fit takes seconds, and its arrays need not travel then."""
    from models.search.estimators import pipeline, vocabulary, weights

    fitted = pipeline(point.model, point.params, work.params.seed).fit(train.texts, train.label)
    folder = work.out / "best"
    folder.mkdir(parents=True, exist_ok=True)
    with places.replacing(folder / "weights.npz") as stream:
        np.savez(stream, **weights(fitted))
    files = {"features.json": vocabulary(fitted), "trial.json": dict(row),
             "model.json": {"model": point.model, "params": dict(point.params), "labels": labels}}  # fmt: skip
    for name, content in files.items():
        (folder / name).write_text(json.dumps(content, ensure_ascii=False) + "\n", encoding="utf-8")
