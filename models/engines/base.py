"""What every engine is: it takes a job, reports progress, and leaves the same files behind."""

from __future__ import annotations

import json
import signal
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from models.schedule import Name as ScheduleName
from models.schedule import Schedule
from models.tensors import opened
from textmill.errors import Unreadable
from textmill.params import Params
from textmill.places import Place, place
from textmill.stored import Kind

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_PLACES = ("tensors", "out", "checkpoints", "logs", "vectors", "start")
_JOB: Kind[dict[str, Any]] = Kind(dict[str, Any], "export the bundle again")
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
    resume: bool = True
    """Whether a training goes on from the checkpoint of an attempt that broke off."""
    optimizer: Literal["adam", "sgd"] = "adam"
    momentum: float = 0.9
    """Of sgd."""
    schedule: ScheduleName = "constant"
    warmup: float = 0.0
    """Share of the steps in which the learning rate rises."""
    weight_decay: float = 0.0
    """Decoupled, of all weights but biases and those of normalisation."""
    clip: float | None = 5.0
    """Largest norm of all gradients together; None: any."""
    label_smoothing: float = 0.0
    """Share of each row's label that is spread over all labels."""
    vectors: Place | None = None
    """Output folder of text.embed that the model's embedding starts from."""
    train_vectors: bool = True
    """False: the embedding stays what it starts from."""
    start: Place | None = None
    """Folder of a published version whose weights it starts from; None: from scratch."""
    code: Mapping[str, str] = field(default_factory=dict)
    """Of a model that is not in the catalogue: the text of its Python files by their paths."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """The engine's own settings, all of them: those of its Options."""

    def rates(self, steps_per_epoch: int) -> Schedule:
        """The learning rate of every step, from 0 on."""
        return Schedule(self.schedule, self.learning_rate, self.epochs * steps_per_epoch, self.warmup)

    def identity(self) -> dict[str, Any]:
        """All that decides the result, as JSON types; where files are and how many cores there are does not."""
        left_out = ("out", "checkpoints", "logs", "threads", "tensors", "vectors", "start", "resume")
        return {key: value for key, value in asdict(self).items() if key not in left_out}

    def to_json(self) -> str:
        """The job for a worker process."""
        given = asdict(self)
        named = {key: str(value) for key, value in given.items() if key in _PLACES and value is not None}
        return json.dumps({**given, **named})

    @classmethod
    def from_json(cls, text: str) -> TrainJob:
        """The job that `to_json` wrote."""
        given = json.loads(text)
        for key in _PLACES:
            given[key] = place(given[key]) if given[key] is not None else None
        return cls(**given)

    @classmethod
    def from_file(cls, file: Path) -> TrainJob:
        """The job in a file; relative paths in it start at the file's folder, so that both can be moved together.

        Raises Unreadable for a damaged one.
        """
        given = _JOB.read(file)
        try:
            job = cls.from_json(json.dumps(given))
        except (TypeError, KeyError) as error:
            raise Unreadable(file, f"it is no job ({error})", _JOB.cure) from error
        given = {key: getattr(job, key) for key in _PLACES}
        return replace(job, **{key: file.parent.absolute() / path for key, path in given.items() if _is_relative(path)})


def _is_relative(found: Place | None) -> bool:
    return isinstance(found, Path) and not found.is_absolute()


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
    restarts: int = 0
    """How often ranks were lost and the training went on from its last checkpoint."""
    steps: tuple[int, ...] = ()
    """Steps each rank has taken in all, in the order of ranks."""
    input_wait_share: float | None = None
    """Share of the epochs' time in which rank 0 waited for its next batch; None: not measured."""

    def as_dict(self) -> dict[str, Any]:
        """As JSON types."""
        return {**asdict(self), "seconds_per_epoch": list(self.seconds_per_epoch), "steps": list(self.steps)}


class Engine(ABC):
    """A way to train."""

    name: ClassVar[str]
    Options: ClassVar[type[Params]] = Params
    """What `options` of a training, or of the profile that names the engine, may say to this one."""

    starts_warm: ClassVar[bool] = False
    """Whether it heeds TrainJob.start."""

    on_executors: ClassVar[bool] = False
    """Whether it trains on Spark's executors, of which there must be a fixed number then."""

    def __init__(self, spark: Callable[[], SparkSession] | None = None) -> None:
        """`spark` gives the run's session to an engine that trains on executors."""
        self.spark = spark

    @abstractmethod
    def probe(self) -> Probe:
        """Whether it can be used here."""

    def details(self) -> str:
        """What an installation that can be used is able to do, for `textmill doctor`; may take seconds."""
        return ""

    def ready(self, options: Mapping[str, Any]) -> Probe:
        """Whether it can be used here with these options: some of them have others do the work."""
        return self.probe()

    def deciding(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Those of its options that decide the result: an output is made anew where they change."""
        return dict(options)

    def unbuildable(self, model: str) -> str:
        """Why this engine can't train a model, by the model's name; empty where it can."""
        return ""

    def check(self, job: TrainJob) -> list[str]:
        """What does not fit, found before anything expensive starts."""
        return unfit(job.tensors, 1)

    @abstractmethod
    def train(self, job: TrainJob, on_progress: Callable[[Progress], None]) -> TrainStats:
        """Train and fill job.out. Raises WorkerLost where a worker ends without a result."""


def unfit(folder: Place, ranks: int) -> list[str]:
    """Why these tensors can't be trained on: they must be whole and hold rows to train and to validate on."""
    tensors = opened(folder)
    problems = tensors.problems(ranks)
    rows = {part: each["rows"] for part, each in tensors.described.get("parts", {}).items()}
    return [f"no row in the {part} part of {folder}" for part in ("train", "valid") if not rows.get(part)] + problems


def note(job: TrainJob, text: str) -> None:
    """Add lines to a training's log."""
    with (job.logs / f"train-{job.name}.log").open("a", encoding="utf-8") as log:
        log.write(text + "\n")


def missing(packages: Mapping[str, str], install: str) -> Probe:
    """A probe for packages, given as module → name; a module is looked for, not imported."""
    absent = [name for module, name in packages.items() if find_spec(module) is None]
    return Probe(False, f"{' and '.join(absent)} not installed", install) if absent else Probe(True)


def named(status: int) -> str:
    """An exit status in words; negative ones are signals."""
    return f"signal {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"
