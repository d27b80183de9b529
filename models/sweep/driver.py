"""Runs a sweep from the driver: a Spark job of one task for each trial, or for each step of it up a ladder of rungs."""

from __future__ import annotations

import contextlib
import logging
import math
import re
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from models.engines.slots import held
from models.sweep import task, trial
from models.sweep.asha import Ladder
from models.sweep.ledger import Ledger, stopped
from models.sweep.source import Source
from models.sweep.trial import End, Order, Plan
from textmill.errors import TextmillError
from textmill.places import Place

if TYPE_CHECKING:
    from pyspark import SparkContext

_THREADS = 1000
_ATTEMPTS = 3
"""How often a trial is tried whose worker or executor is lost, beside Spark's own attempts at a task."""
_LOST = ("Python worker exited unexpectedly", "ExecutorLostFailure", "Connection reset", "the server of trials")
_TELLING = re.compile(r"(?:textmill|models|pyspark|py4j)?[\w.]*(?:Error|Exception|Problem|Superseded): ")
_LOOK_SECONDS = 0.5


@dataclass(frozen=True)
class Progress:
    """Where a sweep is."""

    total: int
    done: int
    failed: int
    running: int
    best: End | None
    seconds_left: float | None

    def __str__(self) -> str:
        best = (
            f"best {self.best.value:.4f} ({trial.name(self.best.trial)}), "
            if self.best and self.best.value is not None
            else ""
        )
        left = f", {_duration(self.seconds_left)} left" if self.seconds_left is not None else ""
        return f"{best}{self.done}/{self.total} done, {self.running} running, {self.failed} failed{left}"


@dataclass
class Meter:
    """Slot seconds that went by while trials waited for slots, and those of them that trials had."""

    slot_seconds: float = 0.0
    trial_seconds: float = 0.0
    begun: int = 0
    full_until: float = field(default_factory=time.monotonic)

    def passed(self, slots: int) -> None:
        """Time has passed in which no slot was free for want of work."""
        now = time.monotonic()
        self.slot_seconds += slots * (now - self.full_until)
        self.full_until = now

    def ended(self, end: End) -> None:
        """A process ended just now; what it did after the last trial had begun does not count."""
        self.trial_seconds += end.seconds - min(
            end.seconds, max(0.0, time.monotonic() - self.full_until - _LOOK_SECONDS)
        )

    @property
    def overhead(self) -> float | None:
        """Seconds of a slot for each process that began, beyond those of the process itself."""
        return max(0.0, self.slot_seconds - self.trial_seconds) / self.begun if self.begun else None


@dataclass
class Sweeper:
    """One attempt at a sweep. `ledger` holds what earlier ones came to."""

    context: SparkContext
    plan: Plan
    source: Source
    ledger: Ledger
    tensors: Place
    parallel: int | None
    keep_all: bool
    ladder: Ladder | None
    told: Callable[[Progress], None]
    log: logging.Logger
    ends: dict[int, End]
    owner: str = field(default_factory=lambda: uuid.uuid4().hex)
    meter: Meter = field(default_factory=Meter)

    def __post_init__(self) -> None:
        self._running: dict[Future[str], tuple[int, int]] = {}
        self._paused: dict[int, End] = {}
        self._lost: dict[int, int] = {}
        self._again: list[tuple[int, int]] = []
        self._before, self._started, self._none_left = len(self.ends), time.monotonic(), False
        self._tag = f"sweep-{self.owner}"
        self._threads = int(self.context.getConf().get("spark.task.cpus", "1"))

    def run(self) -> dict[int, End]:
        """All trials' ends, by number. Raises TextmillError where executors can't carry trials out."""
        self.ledger.open(self.owner)
        self._recall()
        with ThreadPoolExecutor(_THREADS, "trial") as pool, self._cancelled_on_error():
            while True:
                slots = self._slots()
                self._fill(pool, slots)
                if not self._running:
                    break
                ended, _ = wait(self._running, _LOOK_SECONDS, FIRST_COMPLETED)
                if not self._none_left:
                    self.meter.passed(slots)
                for future in ended:
                    self._settle(future, *self._running.pop(future))
                self.told(self._progress(slots))
        return self._all()

    def _recall(self) -> None:
        """Bring the ladder to where earlier attempts have left it."""
        if self.ladder is None:
            return
        for rung, end in self.ledger.rungs():
            self._paused[end.trial] = end
            self.ladder.reached(end.trial, rung, float(end.value or 0))
        for end in self.ends.values():
            self._climbed(end, self._rung_of(end))

    def _rung_of(self, end: End) -> int:
        rungs = self.ladder.halving.rungs if self.ladder else ()
        return next((number for number, epochs in enumerate(rungs) if len(end.epochs) <= epochs), 0)

    def _climbed(self, end: End, rung: int) -> None:
        if self.ladder is None:
            return
        if end.value is not None:
            self.ladder.reached(end.trial, rung, end.value)
        {"done": self.ladder.done, "failed": self.ladder.failed}.get(end.status, set()).add(end.trial)

    def _slots(self) -> int:
        """Tasks that can run side by side now."""
        executors = sum(each.tasks for each in held(self.context))
        return max(1, executors or self.context.defaultParallelism // self._threads)

    def _fill(self, pool: ThreadPoolExecutor, slots: int) -> None:
        """One more than there are slots: the next begins when Spark sees a free one, not when the driver hears of it.

        With dynamic allocation as many again, which is what Spark asks for more executors by.
        """
        growing = self.context.getConf().get("spark.dynamicAllocation.enabled", "false") == "true"
        room = min(slots * 2 if growing else slots + 1, self.parallel or _THREADS)
        while len(self._running) < room and (work := self._next()) is not None:
            self._running[pool.submit(self._job, *work)] = work
            self.meter.begun += 1
        self._none_left = len(self._running) < room

    def _next(self) -> tuple[int, int] | None:
        """A trial, and the rung it is to reach."""
        if self._again:
            return self._again.pop(0)
        if self.ladder and (promoted := self.ladder.promotable()):
            return self._begun(*promoted)
        while (number := self.source.next()) is not None:
            if self.ladder is None or number not in self.ladder.begun[0]:
                return self._begun(number, 0)
        if self.ladder and not self._running and (last := self.ladder.last_chance()):
            return self._begun(*last)
        return None

    def _begun(self, number: int, rung: int) -> tuple[int, int]:
        if self.ladder:
            self.ladder.begin(number, rung)
        return number, rung

    def _job(self, number: int, rung: int) -> str:
        """In a thread of its own: Spark's tags and descriptions belong to threads."""
        from pyspark import inheritable_thread_target

        order = self._order(number, rung).to_json()

        def submitted() -> str:
            self.context.addJobTag(self._tag)
            self.context.setJobDescription(f"{self.plan.name}: trial {trial.name(number)}")
            (end,) = self.context.parallelize([order], 1).mapPartitions(task.tasks).collect()
            return str(end)

        return str(inheritable_thread_target(submitted)())

    def _order(self, number: int, rung: int) -> Order:
        point, nowhere = self.source.points[number], self.tensors
        job = self.plan.job(
            number, point, tensors=self.tensors, out=nowhere, checkpoints=nowhere, logs="", threads=self._threads
        )
        until = self.ladder.halving.rungs[rung] if self.ladder and rung < self.ladder.halving.top else None
        return Order(
            number, job.to_json(), str(self.ledger.folder), self.owner, self.plan.limits, self.plan.metric, until, rung
        )

    def _settle(self, future: Future[str], number: int, rung: int) -> None:
        try:
            found: End | None = End.from_json(future.result())
        except Exception as error:  # of Spark, in as many classes as there are ways to lose a task
            found = self._without_end(error, number, rung)
        if found is not None:
            self._ended(found, rung)

    def _ended(self, end: End, rung: int) -> None:
        self._climbed(end, rung)
        self.meter.ended(end)
        self._note(end)
        if end.status == "paused":
            self._paused[end.trial] = end
            return
        before = self._best()
        self.ends[end.trial] = end
        self.source.told(end)
        self._drop_model(before, end)

    def _note(self, end: End) -> None:
        overhead = f"; overhead {self.meter.overhead:.2f} s" if self.meter.overhead is not None else ""
        told = f"trial {trial.name(end.trial)} {end.status} after {end.seconds:.1f} s on {end.host}{overhead}"
        self.log.info("%s%s", told, f": {end.error}" if end.error else "")

    def _without_end(self, error: Exception, number: int, rung: int) -> End | None:
        said = str(error)
        reason = next((lost for lost in _LOST if lost in said), None)
        if reason is None:
            raise TextmillError(f"trial {trial.name(number)} could not run: {_headline(said)}") from error
        self._lost[number] = self._lost.get(number, 0) + 1
        self.log.warning("trial %s was lost (%s)", trial.name(number), reason)
        if self._lost[number] < _ATTEMPTS:
            self._again.append((number, rung))
            return None
        end = End(
            number, "failed", f"its executor or Python worker was lost {_ATTEMPTS} times ({reason})", owner=self.owner
        )
        self.ledger.write(end, rung)
        return end

    def _drop_model(self, before: End | None, end: End) -> None:
        """Of two models the worse one."""
        if self.keep_all or end.status != "done" or before is None:
            return
        from textmill.places import remove

        worse = before if self._best() is end else end
        remove(self.ledger.model(worse.trial))

    def _best(self) -> End | None:
        return best(self.ends)

    def _all(self) -> dict[int, End]:
        paused = {number: stopped(end) for number, end in self._paused.items() if number not in self.ends}
        return dict(sorted({**self.ends, **paused}.items()))

    def _progress(self, slots: int) -> Progress:
        failed = sum(end.status == "failed" for end in self.ends.values())
        ended, seen = len(self.ends) - self._before, self._paused.keys() | self.ends.keys()
        each = (time.monotonic() - self._started) / ended if ended else math.nan
        left = each * (self.source.total - len(self.ends)) if ended and self.ladder is None else None
        if self.ladder is not None and len(seen) > self._before:
            left = (time.monotonic() - self._started) / (len(seen) - self._before) * (self.source.total - len(seen))
        done = len(self.ends) - failed if self.ladder is None else len(seen) - failed
        return Progress(self.source.total, done, failed, min(slots, len(self._running)), self._best(), left)

    @contextlib.contextmanager
    def _cancelled_on_error(self) -> Iterator[None]:
        try:
            yield
        except BaseException:
            self.context.cancelJobsWithTag(self._tag)
            raise


def best(ends: dict[int, End]) -> End | None:
    """The done trial with the highest value; of equal ones that with the lowest number."""
    done = [end for end in ends.values() if end.status == "done"]
    return min(done, key=lambda end: (-float(end.value or 0), end.trial)) if done else None


def _headline(text: str) -> str:
    """The last line of a Python exception within Spark's message."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    told = [line for line in lines if _TELLING.match(line) and not line.startswith("py4j")]
    return told[-1] if told else lines[0] if lines else "no message"


def _duration(seconds: float) -> str:
    minutes = seconds / 60
    if minutes < 1:
        return f"{seconds:.0f} s"
    return f"{minutes:.0f} min" if minutes < 90 else f"{minutes / 60:.1f} h"


def figures(sweeper: Sweeper, ends: dict[int, End]) -> dict[str, Any]:
    """What a sweep counted, for the manifest."""
    found = best(ends)
    by_status = {status: sum(end.status == status for end in ends.values()) for status in ("done", "failed", "stopped")}
    overhead = sweeper.meter.overhead
    return {
        "trials": len(ends),
        **by_status,
        "resumed": sum(end.owner != sweeper.owner for end in ends.values()),
        "best": trial.name(found.trial) if found else None,
        "trial_seconds": round(sum(end.seconds for end in ends.values()), 1),
        "training_seconds": round(sum(end.training_seconds for end in ends.values()), 1),
        "overhead_per_trial": round(overhead, 3) if overhead is not None else None,
    }
