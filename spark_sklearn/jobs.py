"""Runs the fits of one search as Spark jobs, from the driver."""

from __future__ import annotations

import re
import sys
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from functools import partial
from itertools import chain
from typing import Any

from py4j.protocol import Py4JJavaError
from pyspark import Broadcast, SparkContext, inheritable_thread_target

from spark_sklearn import contexts
from spark_sklearn.scheduling import FitQueue, Wave
from spark_sklearn.worker import Call, Outcome, run_task

# Two jobs at a time: slots that one leaves idle at its end already work for the other.
_JOBS = 2
# First fits that last longer than this need no measuring: their like go one to a task.
_LONG_SECONDS = 3.0
_MISSING = re.compile(r"ModuleNotFoundError: No module named '([^']+)'")
# What Spark says when a fit takes its process or its executor down with it, on every attempt.
_LOST = ("Python worker exited unexpectedly", "ExecutorLostFailure")


class LostWorker(RuntimeError):
    """A fit ended the Python worker that ran it: a crash in native code, or too little memory."""


class MissingModule(RuntimeError):
    """The executors' Python lacks a module that the search needs there."""


class FitJobs:
    """The fits `calls` on a cluster; arguments replaced by Places lie in `tables`."""

    def __init__(
        self, context: SparkContext, calls: Sequence[Call], tables: Sequence[Broadcast[Any]], name: str
    ) -> None:
        self._context, self._calls, self._tables, self._name = context, calls, tables, name
        self._queue = FitQueue(len(calls))
        self._running: dict[Future[list[Outcome]], Wave] = {}
        self._tag = f"spark_sklearn-{uuid.uuid4().hex}"

    def outcomes(self) -> Iterator[list[Outcome]]:
        """All outcomes as they come, each list in the order of the fits.

        Fits whose worker died are outcomes with a LostWorker. Raises StoppedContext where the context was stopped
        meanwhile, MissingModule where the executors lack one, Py4JJavaError for any other failed job. Jobs that still
        run then, or when the iterator is closed early, are cancelled.
        """
        with contexts.named_when_stopped(self._context), ThreadPoolExecutor(_JOBS) as pool, self._cancelled_on_error():
            while self._queue or self._running:
                while self._queue and (not self._running or self._queue.known and len(self._running) < _JOBS):
                    self._start(pool)
                ended, _ = wait(self._running, None if self._queue.known else _LONG_SECONDS, FIRST_COMPLETED)
                if not ended and self._queue and len(self._running) < _JOBS:
                    self._start(pool)
                for future in ended:
                    yield self._settled(future, self._running.pop(future))

    def _start(self, pool: ThreadPoolExecutor) -> None:
        wave = self._queue.take(max(1, self._context.defaultParallelism))
        self._running[pool.submit(inheritable_thread_target(self._run), wave)] = wave

    def _run(self, wave: Wave) -> list[Outcome]:
        """In a thread of its own: Spark's tags and descriptions belong to threads."""
        self._context.addJobTag(self._tag)
        self._context.setJobDescription(f"{self._name}: {wave.fits} fits in {len(wave.groups)} tasks")
        groups = [[(fit, self._calls[fit]) for fit in group] for group in wave.groups]
        task = partial(_run_groups, self._tables, wave.seconds)
        return self._context.parallelize(groups, len(groups)).mapPartitions(task).collect()

    def _settled(self, future: Future[list[Outcome]], wave: Wave) -> list[Outcome]:
        try:
            outcomes = sorted(future.result(), key=lambda outcome: outcome.fit)
        except Py4JJavaError as failure:
            return self._without_worker(wave, failure)
        done = {outcome.fit for outcome in outcomes}
        self._queue.give_back(fit for fit in chain.from_iterable(wave.groups) if fit not in done)
        for outcome in outcomes:
            self._queue.measured(outcome.seconds)
        return outcomes

    def _without_worker(self, wave: Wave, failure: Py4JJavaError) -> list[Outcome]:
        """A lone fit is the one that ended its worker; of several, each has to show."""
        reason = next((lost for lost in _LOST if lost in str(failure)), None)
        if reason is None and (missing := _MISSING.search(str(failure))):
            raise MissingModule(
                f"Spark's Python workers have no module {missing[1]!r}. They run {self._context.pythonExec}; this program "
                f"runs {sys.executable}: where it is there too, set PYSPARK_PYTHON={sys.executable} before Spark starts; "
                "a module of your own is given to them by --py-files or SparkContext.addPyFile"
            ) from None
        if reason is None:
            raise failure
        if wave.fits > 1:
            self._queue.set_apart(wave)
            return []
        lost = LostWorker(
            f"the fit ended the Python worker it ran in, on every attempt ({reason}): a crash, or too little memory"
        )
        return [Outcome(wave.groups[0][0], 0.0, error=lost)]

    @contextmanager
    def _cancelled_on_error(self) -> Iterator[None]:
        try:
            yield
        except BaseException:
            if not contexts.is_stopped(self._context):
                self._context.cancelJobsWithTag(self._tag)
            raise


def _run_groups(
    tables: Sequence[Broadcast[Any]], seconds: float, groups: Iterator[list[tuple[int, Call]]]
) -> Iterator[Outcome]:
    """A partition has one group. Spark keeps a worker only if its input was read to the end."""
    (group,) = groups
    return run_task(tables, seconds, group)
