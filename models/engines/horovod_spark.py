"""engine horovod with `on: spark`: horovod.spark.run starts a rank in a task on each of the session's executors."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from models.engines import slots
from models.engines.base import Progress, TrainJob, named, unfit
from models.engines.horovod_follow import Follow, Lost
from models.engines.horovod_options import Options
from models.engines.horovod_worker import PEER_LOST
from models.engines.listener import Listener, Rank, connected, tell
from models.engines.messages import Message
from models.engines.watch import Watch
from models.subprocesses import end, environ, started
from textmill.errors import EnvironmentProblem, TextmillError

if TYPE_CHECKING:
    from pyspark import SparkContext
    from pyspark.sql import SparkSession

_POLL_SECONDS = 0.2
_GRACE_SECONDS = 1.0
_END_SECONDS = 10.0
Session = Callable[[], "SparkSession"] | None


@dataclass(frozen=True)
class Order:
    """What a rank is to do and whom to tell."""

    job: str
    """A TrainJob as JSON."""
    driver: tuple[str, int]
    token: str = field(repr=False)
    """Shows that both ends of a connection are of this training. It travels in Spark's closure."""


def on_executor(order: Order) -> None:
    """What horovod.spark.run calls in a process on each executor, with Horovod's environment: run the rank, tell how it is."""
    with connected(order.driver, order.token, int(os.environ["HOROVOD_RANK"])) as driver:
        pipes = dict.fromkeys(("stdout", "stderr"), subprocess.PIPE)
        command = [sys.executable, "-m", "models.engines.horovod_rank", order.job]
        process = started(command, env=environ(), **pipes)
        try:
            status = Watch(process, partial(tell, driver), driver).until_it_ends()
        finally:
            end(process)
        if status is not None:
            tell(driver, ended=status)
    if status != 0:
        sys.exit(1)


def unfit_for(job: TrainJob, spark: Session) -> list[str]:
    """Why this session can't train the job."""
    conf = _context(spark).getConf()
    return [*slots.misfits(conf), *unfit(job.tensors, job.options.get("ranks") or max(1, slots.wanted(conf)))]


def run(job: TrainJob, options: Options, spark: Session, on_progress: Callable[[Progress], None]) -> Follow:
    """Train on the executors. Raises WorkerLost, or TextmillError where the ranks do not start."""
    return _Attempt(job, options, _context(spark), on_progress).run()


def _context(spark: Session) -> SparkContext:
    if spark is None:
        raise EnvironmentProblem("engine horovod with `on: spark` trains on executors and was given no session")
    return spark().sparkContext


class _Attempt:
    """One start of all ranks, until they are done or one is lost."""

    def __init__(
        self, job: TrainJob, options: Options, context: SparkContext, on_progress: Callable[[Progress], None]
    ) -> None:
        self.options, self.context = options, context
        self.job = TrainJob.from_json(json.dumps({**json.loads(job.to_json()), "threads": self._threads()}))
        self.follow = Follow(job, {}, on_progress)
        host = str(context.getConf().get("spark.driver.host"))  # Spark sets it where nobody did
        self.listener = Listener(host, self._log, options.silence)
        self.over, self.error = threading.Event(), ""
        self.ending = threading.Event()
        """Ends what horovod.spark.run has started."""

    def _threads(self) -> int:
        return self.options.threads or int(self.context.getConf().get("spark.task.cpus", "1") or 1)

    def _log(self, rank: int) -> Path:
        return self.follow.log(rank)

    def run(self) -> Follow:
        """What was heard until all ranks ended well."""
        started = False
        try:
            ranks = self._hold()
            order = Order(self.job.to_json(), self.listener.address, self.listener.token)
            threading.Thread(target=self._start, args=(order, ranks), daemon=True).start()
            started = True
            self._until_all_ended(ranks)
        finally:
            self.listener.close()  # whatever still runs ends by that
            self.ending.set()
            if started:
                self.over.wait(_END_SECONDS)
        return self.follow

    def _hold(self) -> int:
        wanted = self.options.ranks or slots.wanted(self.context.getConf())
        there = slots.hold(self.context, wanted, self.options.start_timeout)
        return wanted or len(there)

    def _start(self, order: Order, ranks: int) -> None:
        import horovod.spark
        from horovod.runner import gloo_run

        # Its own takes SIGINT and SIGTERM from this program, which it may only in the main thread, that follows the ranks.
        gloo_run.register_shutdown_event = lambda: self.ending
        nics = set(self.options.interfaces) or None
        try:
            horovod.spark.run(on_executor, (order,), num_proc=ranks, start_timeout=self.options.start_timeout,
                              use_gloo=True, nics=nics, verbose=0)  # fmt: skip
        except Exception as error:  # told by the thread that waits
            self.error = str(error)
        finally:
            self.over.set()

    def _until_all_ended(self, ranks: int) -> None:
        known = self.listener.ranks
        while sum(rank.ended == 0 for rank in known.values()) < ranks:
            over = self.over.is_set()
            for rank, message in self.listener.heard(_POLL_SECONDS):
                if message.get("ended") or "gone" in message:
                    raise self._first_of(_lost(rank, message)).error(rank.log)
                self._take(message)
                self.follow.hosts = {rank.number: rank.host for rank in known.values()}  # type: ignore[assignment]
            if over and len(known) < ranks:
                raise TextmillError(f"the ranks of {self.job.name} did not start: {self.error or 'no error'}")

    def _take(self, message: Message) -> None:
        if "progress" in message:
            self.follow.on_progress(Progress(**message["progress"]))
        self.follow.done = message.get("done", self.follow.done)

    def _first_of(self, lost: Lost) -> Lost:
        """The rank that was lost first: the others fail because of it, and some may be heard before."""
        self.follow.lost.append(lost)
        until = time.monotonic() + _GRACE_SECONDS
        while time.monotonic() < until:
            self.follow.lost += [
                _lost(rank, message) for rank, message in self.listener.heard(_POLL_SECONDS)
                if message.get("ended") or "gone" in message
            ]  # fmt: skip
        return self.follow.first() or lost


def _lost(rank: Rank, message: Message) -> Lost:
    status = named(message["ended"]) if "ended" in message else message["gone"]
    return Lost(rank.number, rank.host, status, rank.tail(), message.get("ended") == PEER_LOST)
