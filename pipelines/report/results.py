"""Trainings and their evaluations: curves, scores by class, confusions, mistakes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from models import metrics
from pipelines.report.corpus import Made
from pipelines.report.reading import Reading, json_object, number, share, whole, words
from textmill.places import Place

MISTAKES, PAIRS = 50, 20
_CURVES = ("loss", "val_loss", "accuracy", "val_accuracy", "val_macro_f1")
_SHOWN = ("id", "text", "label", "predicted", "confidence")


@dataclass(frozen=True)
class History:
    """A training epoch by epoch; a figure that was not measured is None."""

    epochs: tuple[Mapping[str, float | None], ...]
    best: int | None
    metric: str
    stopped: str
    parameters: int | None
    batch: int | None
    steps: int | None
    rows: int | None
    ranks: int | None

    def curve(self, name: str) -> list[float | None]:
        """One figure over the epochs."""
        return [epoch[name] for epoch in self.epochs]

    def has(self, *names: str) -> bool:
        """Whether one of the figures was measured in any epoch."""
        return any(value is not None for name in names for value in self.curve(name))


@dataclass(frozen=True)
class ClassScore:
    """A row of the table of classes."""

    label: str
    precision: float | None
    recall: float | None
    f1: float | None
    support: int


@dataclass(frozen=True)
class Scores:
    """metrics.json of an evaluation."""

    rows: int
    accuracy: float | None
    macro_f1: float | None
    classes: tuple[ClassScore, ...] = ()
    labels: tuple[str, ...] = ()
    confusion: tuple[tuple[int, ...], ...] = ()
    sets: tuple[tuple[str, int, float | None], ...] = ()
    """Name, rows and accuracy of each set of test rows that was measured by itself too."""

    @property
    def right(self) -> int:
        """Rows predicted right."""
        return round((self.accuracy or 0) * self.rows)

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the accuracy."""
        return metrics.interval(self.accuracy or 0, self.rows)

    @property
    def weakest(self) -> tuple[ClassScore, ...]:
        """Classes by F1, the lowest first."""
        return tuple(sorted(self.classes, key=lambda one: (one.f1 if one.f1 is not None else -1, one.label)))

    @property
    def confused(self) -> tuple[tuple[str, str, int, float], ...]:
        """True label, predicted label, rows and their share of the true label's rows; the most frequent first."""
        pairs = [
            (self.labels[true], self.labels[predicted], rows, rows / sum(counts))
            for true, counts in enumerate(self.confusion)
            for predicted, rows in enumerate(counts)
            if rows and true != predicted
        ]
        return tuple(sorted(pairs, key=lambda pair: (-pair[2], -pair[3], pair[0], pair[1])))


@dataclass(frozen=True)
class Mistake:
    """A row predicted wrong."""

    id: str
    text: str
    label: str
    predicted: str
    confidence: float | None


@dataclass(frozen=True)
class Model:
    """A training and its evaluation; either may be missing."""

    name: str
    kind: str
    history: History | None
    scores: Scores | None
    mistakes: tuple[Mistake, ...]
    seconds_per_epoch: tuple[float | None, ...]
    rate: float | None


def models(reading: Reading, made: Made, told: Any) -> tuple[Model, ...]:
    """All models with a history or scores, in the order of the plan; `told` are the run record's metrics."""
    told = told if isinstance(told, Mapping) else {}
    trained = {_model_name(step): step for step, (op, _, _) in made.items() if op == "model.train"}
    evaluated = {_model_name(step): step for step, (op, _, _) in made.items() if op == "model.evaluate"}
    names = dict.fromkeys([*trained, *evaluated, *map(str, told)])
    found = [_model(reading, made, name, trained.get(name), evaluated.get(name), told.get(name)) for name in names]
    return tuple(model for model in found if model.history or model.scores)


def _model_name(step: str) -> str:
    """`bigru` of train.bigru and evaluate.bigru."""
    return step.partition(".")[2] or step


def _model(reading: Reading, made: Made, name: str, trained: str | None, evaluated: str | None, told: Any) -> Model:
    history, kind = _training(reading, trained, made) if trained else (None, "")
    scores, mistakes = _evaluation(reading, evaluated, made) if evaluated else (None, ())
    if scores is None and isinstance(told, Mapping):
        scores = reading.attempt(f"the metrics of {name}", lambda: _headline(told), None)
    stats = made[trained][2].get("stats") if trained else None
    times, rate = reading.attempt(f"the timings of {trained}", lambda: _timings(stats or {}), ((), None))
    return Model(name, kind, history, scores, mistakes, times, rate)


def _training(reading: Reading, step: str, made: Made) -> tuple[History | None, str]:
    folder = made[step][1]
    history = reading.attempt(f"history.json of {step}", lambda: _history(folder), None)
    kind = reading.attempt(f"model.json of {step}", lambda: words(_json(folder, "model.json")["model"]), "")
    return history, kind


def _timings(stats: Mapping[str, Any]) -> tuple[tuple[float | None, ...], float | None]:
    times = tuple(number(value) for value in stats.get("seconds_per_epoch") or ())
    return times, number(stats.get("records_per_s"))


def _evaluation(reading: Reading, step: str, made: Made) -> tuple[Scores | None, tuple[Mistake, ...]]:
    folder = made[step][1]
    scores = reading.attempt(f"metrics.json of {step}", lambda: _scores(_json(folder, "metrics.json")), None)
    mistakes = reading.attempt(f"the predictions of {step}", lambda: _mistakes(folder / "predictions"), ())
    return scores, mistakes


def _json(folder: Place, name: str) -> Mapping[str, Any]:
    return json_object(folder / name)


def _history(folder: Place) -> History:
    found = _json(folder, "history.json")
    epochs = tuple({name: number(epoch.get(name)) for name in _CURVES} for epoch in found["epochs"])
    counts = {name: _maybe(found.get(name)) for name in ("parameters", "batch", "rows", "ranks")}
    return History(
        epochs,
        best=_maybe(found.get("best_epoch")),
        metric=words(found.get("metric")),
        stopped=words(found.get("stopped")),
        steps=_maybe(found.get("steps_per_epoch")),
        **counts,
    )


def _maybe(value: Any) -> int | None:
    return None if value is None else whole(value)


def _headline(found: Mapping[str, Any]) -> Scores:
    return Scores(whole(found.get("rows")), share(found.get("accuracy")), share(found.get("macro_f1")))


def _scores(found: Mapping[str, Any]) -> Scores:
    """Raises LookupError, TypeError, ValueError where metrics.json has another shape."""
    headline, labels = _headline(found), tuple(map(str, found.get("labels") or ()))
    classes = tuple(_class(one) for one in found.get("per_class") or ())
    confusion = tuple(tuple(map(whole, counts)) for counts in found.get("confusion") or ())
    if any(len(line) != len(labels) for line in (confusion, *confusion) if confusion):
        raise ValueError(f"the confusion matrix doesn't fit {len(labels)} labels")
    measured = (found.get("sets") or {}).items()
    sets = tuple((str(name), whole(one.get("rows")), share(one.get("accuracy"))) for name, one in measured)
    return Scores(headline.rows, headline.accuracy, headline.macro_f1, classes, labels, confusion, sets)


def _class(found: Mapping[str, Any]) -> ClassScore:
    figures = {name: share(found.get(name)) for name in ("precision", "recall", "f1")}
    return ClassScore(str(found["label"]), **figures, support=whole(found.get("support")))


def _mistakes(folder: Place) -> tuple[Mistake, ...]:
    """The wrong predictions the model was surest of. Raises what pyarrow raises."""
    import pyarrow as pa
    import pyarrow.compute as pc

    wrong = pa.concat_tables(_wrong(folder))
    # Table.sort_by would import pyarrow's query engine, which takes longer than the whole report.
    order = pc.sort_indices(wrong, [("confidence", "descending"), ("id", "ascending")])
    rows = wrong.take(order.slice(0, MISTAKES)).to_pylist()
    return tuple(_mistake(row) for row in rows)


def _mistake(row: Mapping[str, Any]) -> Mistake:
    texts = {name: words(row[name]) for name in _SHOWN if name != "confidence"}
    return Mistake(**texts, confidence=number(row["confidence"]))


def _wrong(folder: Place) -> Iterator[Any]:
    """A table of the rows predicted wrong for each file; FileNotFoundError where there is none."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    files = sorted(folder.glob("*.parquet"))
    if not files:
        raise FileNotFoundError(folder)
    for file in files:
        with file.open("rb") as stream:  # threads that read Python's files can abort the process at its end (arrow#34314)
            table = pq.ParquetFile(stream).read(columns=[*_SHOWN, "correct"], use_threads=False)
        yield table.filter(pc.equal(table["correct"], False)).select(list(_SHOWN))
