"""What `textmill export` sends: a training of a run, with the run's tensors as TFRecords."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models import catalogue, engines
from models.engines.base import TrainJob
from pipelines import kinds, lineage, runs, trainings
from pipelines.keys import Because, of_jar
from pipelines.runs import Record
from pipelines.store import Manifest, Store
from spark_jobs import records
from spark_jobs.base import digest
from spark_jobs.installation import jar_path
from textmill.bundles import Content
from textmill.errors import InputError
from textmill.places import Place

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from pipelines.pins import Pin

OP = "tensor.records"
"""Records are kept in the store until `textmill gc`: sending a bundle again, or elsewhere, needs no Spark."""
_ENGINE = "horovod"


@dataclass(frozen=True)
class Export:
    """A training that leaves with its tensors."""

    run: Record
    train: str
    job: TrainJob
    """Its folders out, checkpoints and logs are nowhere yet."""
    tensors_key: str
    shards: int
    ranks: int

    @property
    def title(self) -> str:
        """A name for jobs of schedulers."""
        return f"{self.run['name']}-{self.train}"

    @property
    def about(self) -> dict[str, Any]:
        """What the manifest of the bundle says beside its files."""
        return {"name": self.run["name"], "run": self.run["run"], "train": self.train, "model": self.job.model,
                "ranks": self.ranks, "shards": self.shards, "tensors": self.tensors_key}  # fmt: skip


def of_run(root: Place, run: Record, train: str | None, ranks: int) -> Export:
    """A run's training, the only one unless named; the run need not have carried it out, only made its tensors.

    Raises InputError where there is no such training, its model is of another engine, or an output that it takes is
    gone or damaged.
    """
    reasons: dict[str, Because] = runs.plan(root, run)
    name, store = lineage.training_of(run, reasons, train), Store(root)
    because = reasons[f"train.{name}"]
    if (fitting := catalogue.engines(because["params"]["model"])) and _ENGINE not in fitting:
        raise InputError(f"model {because['params']['model']} trains in engine {' or '.join(fitting)} alone, not on GPUs")
    step = lineage.taken(because, "tensors")
    folders: dict[str, Place | None] = {key: Path(key) for key in ("out", "checkpoints", "logs")}
    taken = {role: lineage.output(store, reasons, step, run).folder for role, _, step, _ in because["takes"]}
    job = trainings.job(f"train.{name}", because["params"], {**folders, "vectors": None, **taken})
    described = kinds.TENSORS.read(taken["tensors"] / "tensors.json")
    shards = records.shards_for(described["shards"], ranks)
    return Export(run, name, replace(job, options=_options(because["params"])), digest(reasons[step]), shards, ranks)


def _options(params: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of the engine that trains there, whichever engine the run's profile named."""
    if params["engine"] == _ENGINE or _ENGINE not in engines.NAMES:
        return dict(params["options"])
    return engines.options(_ENGINE)().canonical()


def staged(root: Place, export: Export, spark: Callable[[], SparkSession], pin: Pin) -> dict[str, Content]:
    """The training's tensors as TFRecords in the store, written where they are not there whole; files by their names.

    `spark` is called where they have to be written; `pin` keeps them.
    """
    store, because = Store(root, pin), _because(export)
    key = digest(because)
    pin.keep([key])
    manifest = store.whole(OP, key, lambda name: True)
    if not isinstance(manifest, dict):
        manifest = _write(store, export, because, spark())
    folder = store.folder(OP, key)
    return {name: Content(folder / name, file["bytes"], file["sha256"]) for name, file in manifest["files"].items()}


def _because(export: Export) -> Because:
    return {"op": OP, "version": records.VERSION, "params": {"shards": export.shards},
            "takes": [["tensors", [], "tensors", export.tensors_key]], "files": {}, "jar": of_jar(jar_path())}  # fmt: skip


def _write(store: Store, export: Export, because: Because, spark: SparkSession) -> Manifest:
    started = time.monotonic()
    with store.building(f"records of {export.run['name']}", OP, digest(because), because) as building:
        written = records.write(spark, export.job.tensors, building.folder, export.shards)
        return store.publish(building, written, time.monotonic() - started)
