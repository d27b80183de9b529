"""engine bigdl: DistriOptimizer of BigDL 2.4 inside the JVM, on Spark's executors or, of a local master, beside it.

A local master's JVM has the run's steps in its heap, so there a worker process starts one of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from models import bigdl_build, bigdl_jvm, catalogue
from models.bigdl_training import ExecutorLost, Training, Where
from models.engines import slots
from models.engines.base import Engine, Probe, Progress, TrainJob, TrainStats, missing, note, unfit
from models.engines.local import run_worker
from models.engines.tensorflowonspark_cluster import headline
from models.export import export
from spark_jobs.session import is_local
from textmill.errors import InputError, WorkerLost
from textmill.params import Params
from textmill.transfer import filling

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

WORKER = "models.engines.bigdl_worker"


class Options(Params):
    """What a training says to this engine."""

    memory: str = Field(
        "4g", pattern=r"^\d+[mg]$", description="Heap of the JVM that trains where the master is local."
    )
    compress: Literal["none", "fp16"] = Field(
        "none",
        description="Whether weights and gradients lose half of their bits between ranks, as BigDL's own default is.",
    )
    wait: float = Field(60.0, gt=0, description="Seconds to wait for executors.")
    restarts: int = Field(
        1, ge=0, description="How often a training whose executor is lost goes on from its checkpoint."
    )


class BigDL(Engine):
    """One rank on each executor, as many threads as it has cores, each with a model of its own on shared weights."""

    name = "bigdl"
    Options = Options

    def probe(self) -> Probe:
        """BigDL's wheels must be installed, and what exports and writes events."""
        packages = {name: name for name in ("tensorflow", "tf_keras", "bigdl")}
        install = "scripts/setup.sh --with bigdl, or pip install textmill[bigdl]"
        found = missing(packages, install)
        if found.available and len(bigdl_jvm.jars()) < 2:
            return Probe(False, "bigdl-dllib-spark3 or bigdl-core brings no jar", install)
        return found

    def unbuildable(self, model: str) -> str:
        """Models of the user's own are built by tf_keras; of the catalogue's some have layers that BigDL has not."""
        if catalogue.is_custom(model):
            return "models of your own are built by tf_keras alone"
        fitting = catalogue.engines(model)
        return "" if fitting and self.name not in fitting else bigdl_build.problem(catalogue.layers(model, {}, 2, 2))

    def check(self, job: TrainJob) -> list[str]:
        """Also the session's settings, and that the ranks can share the shards equally."""
        found = [f"model {job.model}: {why}"] if (why := self.unbuildable(job.model)) else []
        session = self._cluster()
        if session is None:
            return [*found, *unfit(job.tensors, 1)]
        conf = session.sparkContext.getConf()
        if conf.get("spark.serializer", "") != bigdl_jvm.JAVA_SERIALIZER:
            found.append(f"BigDL needs `conf: {{spark.serializer: {bigdl_jvm.JAVA_SERIALIZER}}}` in the profile")
        return [*found, *slots.misfits(conf), *unfit(job.tensors, max(1, slots.wanted(conf)))]

    def train(self, job: TrainJob, on_progress: Callable[[Progress], None]) -> TrainStats:
        """Train where the master says, then export."""
        if why := self.unbuildable(job.model):
            raise InputError(f"engine bigdl can't train model {job.model}: {why}")
        job.checkpoints.mkdir(parents=True, exist_ok=True)
        session = self._cluster()
        with filling(job.out) as out:
            here = replace(job, out=out)
            stats = run_worker(WORKER, here, on_progress) if session is None else _train(here, session, on_progress)
            export(out)
        return stats

    def _cluster(self) -> SparkSession | None:
        """The run's session where its master has executors."""
        session = self.spark() if self.spark is not None else None
        return None if session is None or is_local(session.sparkContext.master) else session


def _train(job: TrainJob, session: SparkSession, on_progress: Callable[[Progress], None]) -> TrainStats:
    """On the executors of a session, again from the last checkpoint where one is lost."""
    options, restarts = Options.model_validate(job.options), 0
    while True:
        there = slots.hold(session.sparkContext, slots.wanted(session.sparkContext.getConf()), options.wait)
        note(job, f"{len(there)} ranks; {options}; executors: {', '.join(map(str, there))}")
        training = Training(session, job, Where(len(there), min(each.cores for each in there), options.compress))
        try:
            done: dict[str, Any] = training.train(on_progress)
            break
        except ExecutorLost as error:
            lost = _named(error, there, job)
            if not job.resume or restarts == options.restarts:
                raise lost from error
            restarts += 1
            note(job, f"{lost}\nrestart {restarts} of {options.restarts}, from the last checkpoint")
        finally:
            training.cancel()
    steps = (done["steps"],) * len(there)
    return TrainStats(
        tuple(done["seconds_per_epoch"]), done["records_per_s"], done["resumed_from_epoch"], restarts, steps
    )


def _named(error: ExecutorLost, there: list[slots.Executor], job: TrainJob) -> WorkerLost:
    names = [each.name for each in there]
    rank = names.index(error.executor) if error.executor in names else 0
    log = job.logs / f"train-{job.name}.log"
    return WorkerLost(rank, there[rank].host, headline(error.reason), str(log), [error.reason])
