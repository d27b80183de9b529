"""One trial: what it trains, the limits it has, and the row that stands for its end."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from models.engines.base import TrainJob
from models.sweep.space import Point

Status = Literal["done", "failed", "stopped"]


@dataclass(frozen=True)
class Limits:
    """What ends a trial before its time."""

    seconds: float | None = None
    memory: int | None = None
    """Bytes of the trial's process that are its own: code and mapped tensors are not counted."""


@dataclass(frozen=True)
class Order:
    """What a Spark task is told: a trial, or its way to a rung of it."""

    number: int
    job: str
    """The TrainJob as JSON, but for its folders, which are the executor's own."""
    ledger: str
    owner: str
    limits: Limits
    metric: str
    until: int | None = None
    """The epoch at which it pauses, where the trial is longer."""
    rung: int = 0

    def to_json(self) -> str:
        """For the executor."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Order:
        """What `to_json` wrote."""
        given = json.loads(text)
        return cls(**{**given, "limits": Limits(**given["limits"])})


@dataclass(frozen=True)
class End:
    """How a trial ended, or how far it has come at a rung."""

    trial: int
    status: Status | Literal["paused"]
    error: str | None = None
    epochs: tuple[Mapping[str, Any], ...] = ()
    best_epoch: int | None = None
    valid: Mapping[str, float] | None = None
    test: Mapping[str, float] | None = None
    value: float | None = None
    """The metric at the best epoch, higher is better: a loss has its sign changed."""
    parameters: int | None = None
    records_per_s: float | None = None
    seconds: float = 0.0
    """From the first to the last instruction of its processes."""
    training_seconds: float = 0.0
    """Of them in epochs."""
    bytes: int | None = None
    """Of its weights."""
    memory: int | None = None
    """The most bytes its process was seen to have of its own."""
    host: str = ""
    owner: str = ""
    """Which attempt at the sweep it ended in."""

    def __post_init__(self) -> None:
        """A lone surrogate, as of a file's name that is no UTF-8, could be written nowhere."""
        if self.error is not None:
            object.__setattr__(self, "error", self.error.encode(errors="backslashreplace").decode())

    def to_json(self) -> str:
        """For the ledger."""
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> End:
        """What `to_json` wrote."""
        given = json.loads(text)
        return cls(**{**given, "epochs": tuple(given["epochs"])})


_ROW = ("error", "epochs", "best_epoch", "valid", "test", "parameters", "records_per_s", "seconds", "bytes")


def row(point: Point, end: End, engine: str, metric: str) -> dict[str, Any]:
    """The trial's line of trials.jsonl."""
    told = asdict(end)
    return {
        "trial": name(end.trial),
        "model": point.model,
        "engine": engine,
        "params": dict(point.params),
        "settings": dict(point.settings),
        "status": end.status,
        "metric": metric,
        **{key: told[key] for key in _ROW},
    }


def name(number: int) -> str:
    """`0007`: how a trial is called."""
    return f"{number:04d}"


@dataclass(frozen=True)
class Plan:
    """A sweep made ready: what is tried, how each is trained, and when it ends."""

    name: str
    settings: Mapping[str, Any]
    """Of every trial's training, unless its point says otherwise."""
    metric: Literal["loss", "accuracy", "macro_f1"]
    patience: int
    limits: Limits
    codes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Of the user's own models: the text of their files."""

    def job(self, number: int, point: Point, **folders: Any) -> TrainJob:
        """The training of a trial."""
        settings = {**self.settings, **point.settings}
        code = self.codes.get(point.model, {})
        return TrainJob(name(number), point.model, point.params, metric=self.metric, patience=self.patience,
                        code=code, **settings, **folders)  # fmt: skip
