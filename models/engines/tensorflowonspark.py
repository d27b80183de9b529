"""engine tensorflowonspark: synchronous training on Spark's executors, one rank on each.

Settings are Spark settings, given in the profile's `conf`:
    spark.textmill.train.ranks      executors to train on; all that Spark was asked for by default
    spark.textmill.train.wait       seconds to wait for them (60)
    spark.textmill.train.silence    seconds without a sign of life after which a rank is lost (8)
    spark.textmill.train.restarts   how often lost ranks are started again from the last checkpoint (1; 0: never)
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, model_validator

from models.engines import slots
from models.engines.base import Engine, Probe, Progress, TrainJob, TrainStats, missing, named, note, unfit
from models.engines.listener import Listener, Rank
from models.engines.messages import Message
from textmill.errors import EnvironmentProblem, TextmillError, WorkerLost
from textmill.params import Params

if TYPE_CHECKING:
    from pyspark import SparkConf, SparkContext
    from pyspark.sql import SparkSession

    from models.engines.feeder import Feeder

_POLL_SECONDS = 0.2
_GRACE_SECONDS = 1.0
_FAILED = "exit status"


class Options(Params):
    """What a training, or the profile, may set for this engine."""

    feed: Literal["shards", "spark"] = Field(
        "shards", description="Ranks read their shards, or tasks of Spark on executors beyond the ranks bring them as Arrow."
    )
    num_ps: int = Field(
        0, ge=0, description="Executors that hold the weights (parameter servers); 0: every rank holds them, in step."
    )

    @property
    def spare(self) -> int:
        """Executors that do not train: one at least has to feed."""
        return 1 if self.feed == "spark" else 0

    @model_validator(mode="after")
    def _fed_or_handed_out(self) -> Options:
        if self.num_ps and self.feed == "spark":
            raise ValueError("feed: spark feeds ranks in step; with num_ps the coordinator hands rows out: set one of both")
        return self


@dataclass(frozen=True)
class Settings:
    """What the profile sets; see above."""

    ranks: int
    wait: float
    silence: float
    restarts: int

    spare: int = 0
    """Executors wanted beyond the ranks."""

    @classmethod
    def of(cls, conf: SparkConf, spare: int) -> Settings:
        """From Spark's configuration."""

        def given(name: str, default: str) -> str:
            return conf.get(f"spark.textmill.train.{name}", default) or default

        return cls(slots.wanted(conf, spare), float(given("wait", "60")), float(given("silence", "8")),
                   int(given("restarts", "1")), spare)  # fmt: skip


class TensorFlowOnSpark(Engine):
    """Every rank computes the sum of gradients over its share of a batch; their sums are added, so all weights stay equal."""

    name = "tensorflowonspark"
    Options = Options
    starts_warm = True
    on_executors = True

    def probe(self) -> Probe:
        """TensorFlow, tf_keras, TensorFlowOnSpark and what that imports must be installed."""
        packages = {name: name for name in ("tensorflow", "tf_keras", "tensorflowonspark")}
        install = "scripts/setup.sh --with tensorflowonspark, or pip install textmill[tensorflowonspark]"
        return missing({**packages, "pkg_resources": "setuptools<81 (for pkg_resources)"}, install)

    def check(self, job: TrainJob) -> list[str]:
        """Also the session's settings, and that the ranks can share the shards equally."""
        conf, options = self._context().getConf(), Options.model_validate(job.options)
        ranks, servers = max(1, slots.wanted(conf, options.spare)), options.num_ps
        few = [
            f"{ranks} executors can't be {servers} parameter servers, a coordinator and a worker: ask for "
            f"{servers + 2} or more, or set a smaller `num_ps` in `options`"
        ]
        misfits = [*slots.misfits(conf), *(few if servers and ranks < servers + 2 else ())]
        # A coordinator reads all shards; else the ranks share them.
        return misfits + unfit(job.tensors, 1 if servers else ranks)

    def train(self, job: TrainJob, on_progress: Callable[[Progress], None]) -> TrainStats:
        """Train on the executors, again from the last checkpoint if ranks are lost; the chief exports."""
        job.checkpoints.mkdir(parents=True, exist_ok=True)
        options = Options.model_validate(job.options)
        job = replace(job, options=options.canonical())
        settings = Settings.of(self._context().getConf(), options.spare)
        restarts = 0
        while True:
            try:
                done = _Attempt(job, settings, self._session()).run(on_progress)
                break
            except WorkerLost as lost:
                note(job, str(lost))
                # A rank that failed by itself would fail again.
                if not job.resume or restarts == settings.restarts or lost.status.startswith(_FAILED):
                    raise
                restarts += 1
                note(job, f"restart {restarts} of {settings.restarts}, from the last checkpoint")
        chief, steps = done[0], tuple(done[rank]["steps"] for rank in sorted(done))
        return TrainStats(
            tuple(chief["seconds_per_epoch"]), chief["records_per_s"], chief["resumed_from_epoch"], restarts, steps,
            chief["input_wait_share"],
        )  # fmt: skip

    def _session(self) -> SparkSession:
        if self.spark is None:
            raise EnvironmentProblem("engine tensorflowonspark trains on Spark's executors and was given no session")
        return self.spark()

    def _context(self) -> SparkContext:
        return self._session().sparkContext


class _Attempt:
    """One start of all ranks, until they are done or one is lost."""

    def __init__(self, job: TrainJob, settings: Settings, session: SparkSession) -> None:
        from models.engines.tensorflowonspark_cluster import Cluster, driver_host

        self.job, self.settings, self.session, self.context = job, settings, session, session.sparkContext
        context, group = self.context, f"train {job.name} {time.time_ns()}"
        self.cluster = Cluster(context, group)
        self.feeder: Feeder | None = None
        self.listener = Listener(driver_host(context), self._log, settings.silence)
        self.done: dict[int, dict[str, Any]] = {}

    def run(self, on_progress: Callable[[Progress], None]) -> dict[int, dict[str, Any]]:
        """What each rank's trainer returns. Raises WorkerLost, or TextmillError where the ranks do not start."""
        from models.engines.feeder import Feeder
        from models.engines.tensorflowonspark_node import Order

        try:
            ranks = self._hold()
            if self.job.options["feed"] == "spark":
                self.feeder = Feeder(self.job, self.session, ranks, self.cluster.group, self.listener.token)
            order = Order(self.job.to_json(), ranks, self.listener.address, self.listener.token)
            self.cluster.start(order, self.settings.wait)
            self._follow(ranks, on_progress)
        finally:
            self.listener.close()
            if self.feeder is not None:
                self.feeder.stop()
            self.cluster.stop()
        return self.done

    def _hold(self) -> int:
        settings = self.settings
        there = slots.hold(self.context, settings.ranks, settings.wait, settings.spare)
        ranks = settings.ranks or len(there) - settings.spare
        note(self.job, f"{ranks} ranks; {self.settings}; executors: " + ", ".join(map(str, there)))
        return ranks

    def _follow(self, ranks: int, on_progress: Callable[[Progress], None]) -> None:
        # Parameter servers and their workers serve until they are ended.
        last = 1 if self.job.options["num_ps"] else ranks
        while sum(rank.ended == 0 for rank in self.listener.ranks.values()) < last:
            over = self.cluster.ended.is_set()
            broken = self.feeder and self.feeder.error
            for rank, message in self.listener.heard(_POLL_SECONDS):
                if message.get("ended") or "gone" in message:
                    raise self._lost(rank, message)
                self._take(rank, message, on_progress)
            if broken:  # and no rank was lost, which breaks it too
                raise TextmillError(f"the feed of {self.job.name} broke: {broken}")
            if over and len(self.listener.ranks) < ranks:
                raise TextmillError(f"the ranks of {self.job.name} did not start: {self.cluster.error or 'no error'}")

    def _take(self, rank: Rank, message: Message, on_progress: Callable[[Progress], None]) -> None:
        if rank.number == 0 and "progress" in message:
            on_progress(Progress(**message["progress"]))
        elif "done" in message:
            self.done[rank.number] = message["done"]
        elif self.feeder is not None:
            self.feeder.heard(rank.number, message)

    def _lost(self, rank: Rank, message: Message) -> WorkerLost:
        """The rank that was lost first: the others fail because of it, and some may be heard before."""
        found = [(rank, message)]
        until = time.monotonic() + _GRACE_SECONDS
        while time.monotonic() < until:
            found += [each for each in self.listener.heard(_POLL_SECONDS) if each[1].get("ended") or "gone" in each[1]]
        rank, message = min(found, key=lambda each: each[1].get("ended", -1) > 0)
        status = named(message["ended"]) if "ended" in message else self._fate(rank, message["gone"])
        return WorkerLost(rank.number, rank.host, status, str(rank.log), rank.tail())

    def _fate(self, rank: Rank, gone: str) -> str:
        said = self.cluster.fate(rank.number)
        return said if said.startswith("signal ") else ": ".join(filter(None, (gone, said)))

    def _log(self, rank: int) -> Path:
        return self.job.logs / f"train-{self.job.name}-rank-{rank}.log"
