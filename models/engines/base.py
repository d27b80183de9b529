"""What every engine is: it takes a job, reports progress, and leaves the same files behind."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

from textmill.places import Place, place

_PLACES = ("tensors", "out", "checkpoints", "logs")
Metric = Literal["loss", "accuracy", "macro_f1"]


@dataclass(frozen=True)
class Probe:
    """Whether an engine can be used here."""

    available: bool
    reason: str = ""
    install: str = ""


@dataclass(frozen=True)
class TrainJob:
    """One training: what is trained on what, and where its files go."""

    name: str
    model: str
    model_params: Mapping[str, Any]
    tensors: Place
    """Output folder of tensor.encode."""
    out: Place
    """Empty folder for weights.npz, model.json, history.json and saved_model/."""
    checkpoints: Place
    """Kept between attempts at the same job."""
    logs: Path
    epochs: int
    batch: int
    """Rows per step, over all ranks."""
    learning_rate: float
    metric: Metric
    patience: int
    seed: int
    threads: int | None = None
    """Cores to use; None: all."""

    def identity(self) -> dict[str, Any]:
        """All that decides the result, as JSON types; where files are and how many cores there are does not."""
        left_out = ("out", "checkpoints", "logs", "threads", "tensors")
        return {key: value for key, value in asdict(self).items() if key not in left_out}

    def to_json(self) -> str:
        """The job for a worker process."""
        return json.dumps({key: str(value) if key in _PLACES else value for key, value in asdict(self).items()})

    @classmethod
    def from_json(cls, text: str) -> TrainJob:
        """The job that `to_json` wrote."""
        given = json.loads(text)
        for key in _PLACES:
            given[key] = place(given[key])
        return cls(**given)


@dataclass(frozen=True)
class Progress:
    """Where a training is."""

    epoch: int
    """Counted from 1."""
    epochs: int
    step: int
    steps: int
    loss: float
    records_per_s: float


@dataclass(frozen=True)
class TrainStats:
    """How a training went, apart from its result."""

    seconds_per_epoch: tuple[float, ...]
    records_per_s: float
    resumed_from_epoch: int

    def as_dict(self) -> dict[str, Any]:
        """As JSON types."""
        return {**asdict(self), "seconds_per_epoch": list(self.seconds_per_epoch)}


class Engine(ABC):
    """A way to train."""

    name: ClassVar[str]

    @abstractmethod
    def probe(self) -> Probe:
        """Whether it can be used here."""

    @abstractmethod
    def check(self, job: TrainJob) -> list[str]:
        """What does not fit, found before anything expensive starts."""

    @abstractmethod
    def train(self, job: TrainJob, on_progress: Callable[[Progress], None]) -> TrainStats:
        """Train and fill job.out. Raises WorkerLost where a worker ends without a result."""
