"""The parts of a definition, as declared parameters: what the YAML may say."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, field_validator, model_validator

from pipelines import charsets, crontime, promotion
from textmill import names
from textmill.params import Params

Name = Annotated[str, Field(pattern=names.PATTERN, max_length=names.LONGEST)]
PipelineName = Annotated[Name, AfterValidator(names.unreserved)]


def _share(value: Any) -> Any:
    """`5%` as 0.05."""
    if isinstance(value, str) and (match := re.fullmatch(r"\s*([0-9.]+)\s*%\s*", value)):
        return float(match.group(1)) / 100
    return value


def _seconds(value: Any) -> Any:
    """`90s`, `10m` or `2h` as seconds."""
    match = re.fullmatch(r"(\d+)([smh])", value) if isinstance(value, str) else None
    return int(match[1]) * {"s": 1, "m": 60, "h": 3600}[match[2]] if match else value


def _bytes(value: Any) -> Any:
    """`512m` or `2g` as bytes."""
    match = re.fullmatch(r"(\d+)([mg])", value) if isinstance(value, str) else None
    return int(match[1]) << {"m": 20, "g": 30}[match[2]] if match else value


_SECONDS_SCHEMA = {"anyOf": [{"type": "number", "exclusiveMinimum": 0}, {"type": "string", "pattern": r"^\d+[smh]$"}]}
_BYTES_SCHEMA = {"anyOf": [{"type": "integer", "minimum": 1}, {"type": "string", "pattern": r"^\d+[mg]$"}]}
_SHARE_SCHEMA = {
    "anyOf": [{"type": "number", "minimum": 0, "maximum": 1}, {"type": "string", "pattern": r"^[0-9.]+\s*%$"}]
}


def _sign(value: str) -> str:
    if value in "\0\n\r" or value > "\uffff":
        raise ValueError("is a character that can't stand between or around cells: NUL, a line break or one beyond U+FFFF")
    return value


Sign = Annotated[str, Field(min_length=1, max_length=1), AfterValidator(_sign)]
Condition = Annotated[str, AfterValidator(promotion.checked)]
Share = Annotated[float, BeforeValidator(_share), Field(ge=0, le=1), WithJsonSchema(_SHARE_SCHEMA)]


class Input(Params):
    """Files of raw records and the columns that matter in them."""

    path: str = Field(description="File, folder or pattern (* and ?), also hdfs://, s3://; relative to the definition.")
    format: Literal["jsonl", "csv", "parquet", "text"] = Field(description="How records are stored; gzip, bzip2, zstd, xz too.")
    text: str = Field("text", description="Column or field that holds the text (formats jsonl, csv, parquet).")
    label: str | None = Field("label", description="Column or field that holds the label; null where there is none.")
    id: str | None = Field(None, description="Column or field of the record's id; else its file and position.")
    delimiter: Sign = Field(",", description="Between the columns of a csv file.")
    quote: Sign | None = Field('"', description="Around cells of a csv file; null: quotes are text.")
    encoding: Annotated[str, AfterValidator(charsets.of_jvm)] | None = Field(
        None, description="Of jsonl, csv and text: UTF-8 unless given; any that Java knows, such as CP949 or UTF-16."
    )
    empty: Literal["error", "allow"] = Field(
        "error", description="Whether files without a record, with a window those of the run's date, are an error."
    )
    max_bad: Share = Field(0.1, description="The run stops when more than this share of the records is unreadable.")
    max_record_bytes: int = Field(1 << 20, ge=1, le=1 << 30, description="Longer records are set aside (record_too_long).")
    window: str | None = Field(
        None,
        pattern=r"^([1-9]\d{0,3}d|all)$",
        description="With ${run.date} in the path: the files of how many days up to the run's date, or of all.",
    )

    @model_validator(mode="after")
    def _signs(self) -> Input:
        if self.delimiter == self.quote:
            raise ValueError("delimiter and quote are the same sign")
        return self

    def reading(self) -> dict[str, Any]:
        """What decides how a record of the files is understood: part of the key of the step that reads them.

        Settings that came later are left out where they are as they always were, so that keys stay.
        """
        found = self.model_dump(exclude={"path", "max_bad", "window", "empty", "quote", "encoding"})
        if self.quote != '"':
            found["quote"] = self.quote or ""
        return {**found, "encoding": self.encoding} if self.encoding not in (None, charsets.UTF8) else found


class EntityFile(Params):
    """A dictionary of an entity's surface forms."""

    path: str | None = Field(None, description="Tab-separated (.tsv) or comma-separated file with a header line.")
    value: str | None = Field(None, description="Column of the values; the first by default.")
    weight: str | None = Field(None, description="Column of weights: how often each value is drawn by populate.")
    values: tuple[str, ...] | None = Field(None, description="The values themselves, instead of a path.")
    span: bool = Field(True, description="Whether populate emits the spans of its values.")


class Stop(Params):
    """Early stopping."""

    patience: int = Field(2, ge=1, description="Epochs without a better metric before training stops.")


class Vectors(Params):
    """What a model's embedding starts from."""

    from_: str = Field(alias="from", description="The text.embed step, of the same tensors.")
    trainable: bool = Field(True, description="Whether training changes the vectors.")


class TrialSettings(Params):
    """How a model is trained: what may differ between the trials of a sweep."""

    epochs: int = Field(10, ge=1)
    batch: int = Field(512, ge=1, description="Rows per step, over all ranks.")
    learning_rate: float = Field(1e-3, gt=0, description="The highest of the schedule.")
    optimizer: Literal["adam", "sgd"] = Field("adam", description="Adam, or SGD with Nesterov's momentum.")
    momentum: float = Field(0.9, ge=0, lt=1, description="Of sgd.")
    schedule: Literal["constant", "linear", "cosine"] = Field("constant", description="How the rate falls, down to 0.")
    warmup: Share = Field(0.0, description="Share of the steps in which the rate rises from 0.")
    weight_decay: float = Field(0.0, ge=0, description="Decoupled (AdamW); not of biases and normalisation.")
    clip: float | None = Field(5.0, gt=0, description="Largest norm of all gradients together; null: any.")
    label_smoothing: float = Field(0.0, ge=0, lt=1, description="Share of the label that is spread over all labels.")
    seed: int = Field(7, description="Initial weights, order and dropout; the definition's seed by default.")


class Training(TrialSettings):
    """The settings of a training, or of all trials of a sweep."""

    from_: str = Field(alias="from", description="The tensor.encode step whose tensors it takes.")
    metric: Literal["macro_f1", "accuracy", "loss"] = Field("macro_f1", description="What early stopping watches.")
    stop: Stop = Stop()


class Train(Training):
    """One training: an engine, a model and its settings."""

    engine: str = Field("local", description="Where it trains; a profile may name another engine.")
    model: str = Field(description="A model of the catalogue, or module:function of a file beside the definition.")
    params: dict[str, Any] = Field({}, description="The model's parameters.")
    start: Literal["scratch", "warm"] = Field(
        "scratch", description="warm: from the weights of the version promoted last before the run's date."
    )
    evaluate: dict[Name, str] = Field(
        {},
        description="Test rows measured by themselves too: a name, and the step whose rows they are; of a step by "
        "date those of the run's date.",
    )
    embedding: Vectors | None = Field(None, description="Word vectors that the model's embedding starts from.")
    options: dict[str, Any] = Field({}, description="Settings of this engine alone; see docs/engines.md.")
    resume: bool = Field(True, description="Go on from the last checkpoint where an attempt broke off or lost a rank.")


Seconds = Annotated[float, BeforeValidator(_seconds), Field(gt=0), WithJsonSchema(_SECONDS_SCHEMA)]
Bytes = Annotated[int, BeforeValidator(_bytes), Field(gt=0), WithJsonSchema(_BYTES_SCHEMA)]
Values = Annotated[
    Any,
    WithJsonSchema(
        {
            "description": "A value, a list of values to try, or a range to draw from.",
            "anyOf": [
                {"type": ["string", "number", "boolean", "null", "array"]},
                {
                    "type": "object",
                    "properties": {name: {"type": "number"} for name in ("low", "high")} | {"log": {"type": "boolean"}},
                    "required": ["low", "high"],
                    "additionalProperties": False,
                },
            ],
        }
    ),
]


class Candidates(Params):
    """Models and what to try of each."""

    model: str | tuple[str, ...] = Field(description="A model as in a training, or a list of them.")
    params: dict[str, Values] = Field({}, description="The model's parameters: values to try of each.")
    settings: dict[str, Values] = Field({}, description="Settings of the training: values to try of each.")


class Draw(Params):
    """So many of the combinations instead of all; then ranges `{low, high, log}` may stand for values."""

    n: int = Field(ge=1, description="Trials.")
    by: Literal["random", "tpe"] = Field("random", description="At random, or by Optuna's sampler from what was seen.")
    seed: int = Field(7, description="Of the draws; the definition's seed by default.")


class Asha(Params):
    """Asynchronous successive halving (Li et al., MLSys 2020)."""

    min_epochs: int = Field(1, ge=1, description="Epochs that every trial gets.")
    reduction: int = Field(3, ge=2, description="One of so many goes on, to so many times the epochs.")


class Sweep(Training):
    """Trainings of many models and parameters, each one Spark task in a process of its own."""

    trials: tuple[Candidates, ...] = Field(min_length=1, description="Every combination of what each entry lists.")
    draw: Draw | None = None
    asha: Asha | None = None
    time_limit: Seconds | None = Field(None, description="Of each trial, such as 10m; then it has failed.")
    memory_limit: Bytes | None = Field(None, description="Of each trial's process, such as 2g; then it has failed.")
    parallel: int | None = Field(None, ge=1, description="At most so many trials at a time; by default all slots.")
    keep: Literal["best", "all"] = Field("best", description="Whose model stays: the best trial's, or each one's.")


class Estimators(Params):
    """Estimators of scikit-learn's and what to try of each."""

    estimator: str | tuple[str, ...] = Field(description="logistic, svm, sgd or naive_bayes, or a list of them.")
    params: dict[str, Values] = Field({}, description="Of the estimator and of TF-IDF: values to try of each.")


class Search(Params):
    """Many TF-IDF pipelines of scikit-learn's on the tokens, fitted on the executors by spark_sklearn."""

    from_: str = Field(alias="from", description="The text.tokenize step: fitted on train, compared on valid.")
    trials: tuple[Estimators, ...] = Field(min_length=1, description="Every combination of what each entry lists.")
    draw: Draw | None = None
    metric: Literal["macro_f1", "accuracy"] = Field("macro_f1", description="What the best one is best in.")
    seed: int = Field(7, description="Of the solvers; the definition's seed by default.")


class Promote(Params):
    """Which daily run's model is published."""

    if_: Condition = Field("macro_f1 > last", alias="if", description="Such as `macro_f1 > last + 0.002`.")
    train: str | None = Field(None, description="The training whose model it is, where there are several.")
    keep: int = Field(5, ge=1, description="Versions that are kept, the current one always.")


Duration = Annotated[str, Field(pattern=r"^\d+[smh]$")]


class Schedule(Params):
    """When `textmill daily` runs, and how."""

    cron: Annotated[str, AfterValidator(crontime.checked)] = Field(
        "0 3 * * *", description="Minute, hour, day of month, month, day of week."
    )
    catchup: int = Field(0, ge=0, description="Days before the date that are run first where they were not.")
    wait: Duration = Field("0s", description="How long a run waits for a date's input, such as 2h.")
    day: Literal["today", "yesterday"] = Field("today", description="The date of a run that is not given one.")
    metrics: str | None = Field(None, description="File for Prometheus' node exporter, written after each daily run.")


class Notify(Params):
    """Who is told when a daily run fails."""

    webhook: str | None = Field(None, pattern=r"^https?://", description="Gets a JSON object by POST.")
    command: tuple[str, ...] = Field((), description="A program and its arguments; the JSON object is on its input.")


class Tracking(Params):
    """Where trainings and trials are logged with MLflow."""

    uri: str | None = Field(None, description="Tracking URI of MLflow; MLFLOW_TRACKING_URI by default.")
    experiment: str | None = Field(None, description="Its experiment; the definition's name by default.")


class Spark(Params):
    """Where Spark runs."""

    master: str = "local[*]"
    memory: str = Field("2g", pattern=r"^\d+[mg]$", description="Heap of the driver (local) or of each executor.")
    queue: str | None = Field(None, description="Queue of YARN.")
    executors: int | None = Field(None, ge=1, description="This many, on YARN; else as many as there is work.")
    cores: int | None = Field(None, ge=1, description="Cores of each executor on YARN; 1 by default.")
    conf: dict[str, str] = Field({}, description="Any other setting of Spark.")

    def settings(self) -> dict[str, str]:
        """`conf`, with what else is said of executors on YARN as Spark's settings."""
        asked = {"spark.yarn.queue": self.queue, "spark.executor.instances": self.executors,
                 "spark.executor.cores": self.cores, "spark.executor.memory": self.memory}  # fmt: skip
        on_yarn = asked if self.master == "yarn" else {}
        return {key: str(value) for key, value in on_yarn.items() if value is not None} | self.conf


class Profile(Params):
    """Where a definition runs, never what it computes."""

    spark: Spark = Spark()
    engine: str | None = Field(None, description="Engine of all trainings.")
    options: dict[str, Any] = Field({}, description="Settings of that engine, in place of the trainings' own.")
    root: str | None = Field(None, description="Folder of step outputs and runs, in place of the definition's.")
    inputs: dict[str, str] = Field({}, description="Paths of inputs, in place of the definition's.")


class Definition(Params):
    """A whole definition, but for the operations' own parameters, which each operation declares."""

    name: PipelineName = Field(description="Runs are kept under this name.")
    root: str = Field(
        "runs", description="Folder of step outputs and runs, also hdfs://, s3://; relative to the working folder."
    )
    seed: int = Field(7, description="Default of every seed below.")
    vars: dict[str, str | int | float | bool] = Field({}, description="Values for ${name}.")
    inputs: dict[Name, Input]
    entities: dict[Name, EntityFile] = {}
    steps: dict[Name, Any] = Field(description="do: an operation; from: what it takes; its parameters.")
    checks: dict[Name, tuple[str, ...]] = Field({}, description="Per step: conditions such as `dropped < 20%`.")
    train: dict[Name, Train] = {}
    sweep: dict[Name, Sweep] = Field({}, description="Many trainings, each a task on Spark's executors.")
    search: dict[Name, Search] = Field({}, description="Many fits of scikit-learn's, on Spark's executors.")
    promote: Promote | None = None
    schedule: Schedule = Schedule()
    notify: Notify = Notify()
    tracking: Tracking = Tracking()
    profiles: dict[Name, Profile] = {}

    @property
    def promoted(self) -> str | None:
        """The training whose model is published; None where that can't be told."""
        if self.promote is not None and self.promote.train is not None:
            return self.promote.train
        return next(iter(self.train)) if len(self.train) == 1 else None

    @field_validator("entities", mode="before")
    @classmethod
    def _lists(cls, entities: Any) -> Any:
        """`COLOR: [red, blue]` is short for `COLOR: {values: [red, blue]}`."""
        if not isinstance(entities, dict):
            return entities
        return {name: {"values": given} if isinstance(given, list) else given for name, given in entities.items()}
