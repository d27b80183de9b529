"""joblib's view of the cluster: collects the fits that scikit-learn hands over and has them run on Spark."""

from __future__ import annotations

import sys
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any

import joblib
import numpy as np
from joblib.parallel import BatchedCalls, ParallelBackendBase
from pyspark import Broadcast, SparkContext
from sklearn.base import BaseEstimator

from spark_sklearn import contexts, shared
from spark_sklearn.jobs import FitJobs, LostWorker
from spark_sklearn.worker import Call, Left, Outcome


class FitTraceback(Exception):
    """The cause of an error that comes from an executor: its traceback there."""

    def __str__(self) -> str:
        return f"\n{self.args[0]}"


@contextmanager
def fits_on(context: SparkContext, name: str) -> Iterator[None]:
    """The first joblib.Parallel entered in this block, in this thread, is carried out on `context`; `name` is shown."""
    backend = SparkFits(context, name)
    backend.lease = joblib.parallel_config(backend=backend, n_jobs=-1)
    try:
        with backend.lease:
            yield
    finally:
        backend.terminate()


@dataclass
class _Batch:
    """Calls that joblib submitted together; their results once they have run."""

    calls: Sequence[tuple[Any, Sequence[Any], dict[str, Any]]]
    callback: Callable[[Any], None]
    results: list[Any] = field(default_factory=list)


class SparkFits(ParallelBackendBase):  # type: ignore[misc]
    """A joblib backend that begins to work when the first result is asked for: it then knows all the calls."""

    supports_retrieve_callback = False
    lease: Any = None

    def __init__(self, context: SparkContext, name: str) -> None:
        super().__init__()
        self._context, self._name = context, name
        self._batches: list[_Batch] = []
        self._shared: dict[int, tuple[object, shared.Place]] = {}
        self._tables: list[Broadcast[Any]] = []

    def effective_n_jobs(self, n_jobs: int | None) -> int:
        """The cluster's slots, but never 1, for which joblib would run the calls itself."""
        if n_jobs == 0:
            raise ValueError("n_jobs == 0 in Parallel has no meaning")
        return max(2, self._context.defaultParallelism)

    def configure(self, n_jobs: int | None = 1, parallel: Any = None, **others: Any) -> int:
        """Takes on `parallel` and gives the configuration back: what else is parallel, as the refit, is the user's."""
        self.parallel = parallel
        parallel.pre_dispatch = "all"
        self.lease.unregister()
        return self.effective_n_jobs(n_jobs)

    def submit(self, func: BatchedCalls, callback: Callable[[Any], None]) -> _Batch:
        """Keeps the calls for later."""
        batch = _Batch(func.items, callback)
        self._batches.append(batch)
        return batch

    apply_async = submit  # its name before joblib 1.5

    def retrieve_result(self, out: _Batch, timeout: float | None = None) -> list[Any]:
        """The batch's results. Raises the error of a call, with a FitTraceback as its cause."""
        if not out.results:
            batches, self._batches = self._batches, []
            self._run(batches)
        return out.results

    def terminate(self) -> None:
        """Takes the shared arguments off the executors' disks."""
        if not contexts.is_stopped(self._context):
            for table in self._tables:
                table.destroy()
        self._tables.clear()
        self._shared.clear()

    def _run(self, batches: Sequence[_Batch]) -> None:
        calls = [call for batch in batches for call in batch.calls]
        with contexts.named_when_stopped(self._context):
            self._share(calls)
        results: list[Any] = [None] * len(calls)
        jobs = FitJobs(self._context, [self._placed(call) for call in calls], self._tables, self._name)
        with closing(jobs.outcomes()) as waves:
            for outcome in (outcome for wave in waves for outcome in wave):
                results[outcome.fit] = _value(outcome, calls[outcome.fit])
        remaining = iter(results)
        for batch in batches:
            batch.results = [next(remaining) for _ in batch.calls]
            batch.callback(None)

    def _share(self, calls: Sequence[tuple[Any, Sequence[Any], dict[str, Any]]]) -> None:
        """Broadcasts the arguments that all calls have in common, and the arrays that several have."""
        objects = {id(value): value for call in calls for value in _arguments(call)}
        uses = Counter(id(value) for call in calls for value in _arguments(call))
        new = [
            value
            for key, value in objects.items()
            if key not in self._shared and (uses[key] == len(calls) or uses[key] > 1 and isinstance(value, np.ndarray))
        ]
        for item, value in enumerate(new):
            self._shared[id(value)] = value, shared.Place(len(self._tables), item)
        if new:
            self._tables.append(shared.broadcast(self._context, new))

    def _placed(self, call: tuple[Any, Sequence[Any], dict[str, Any]]) -> Call:
        def place(value: object) -> object:
            return self._shared[id(value)][1] if id(value) in self._shared else value

        function, args, kwargs = call
        return Call(function, [place(value) for value in args], {name: place(value) for name, value in kwargs.items()})


def _arguments(call: tuple[Any, Sequence[Any], dict[str, Any]]) -> Iterator[object]:
    """Those worth sharing."""
    _, args, kwargs = call
    return (value for value in (*args, *kwargs.values()) if not isinstance(value, (str, int, float, tuple, type(None))))


def _value(outcome: Outcome, call: tuple[Any, Sequence[Any], dict[str, Any]]) -> Any:
    """A call's value, after what it printed and warned of. Raises its error."""
    sys.stdout.write(outcome.printed)
    for warned in outcome.warned:
        warnings.warn_explicit(warned.message, warned.category, warned.filename, warned.lineno)
    if isinstance(outcome.error, (LostWorker, Left)):
        function, args, kwargs = call
        return function(_Lost(outcome.error), *args[1:], **kwargs)
    if outcome.error is not None:
        raise outcome.error from FitTraceback(outcome.traceback)
    return outcome.value


class _Lost(BaseEstimator):  # type: ignore[misc]
    """Takes the place of an estimator whose fit cannot be run: scikit-learn counts the fit as failed, by its rules."""

    def __init__(self, reason: Exception) -> None:
        self.reason = reason

    def set_params(self, **params: Any) -> _Lost:
        """Any parameters do."""
        return self

    def fit(self, X: Any, y: Any = None, **params: Any) -> _Lost:
        """Raises the reason."""
        raise self.reason
