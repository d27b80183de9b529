"""Runs on the executors: the fits of one task, one after the other."""

from __future__ import annotations

import contextlib
import functools
import gc
import io
import random
import time
import traceback
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import joblib
import numpy as np
import threadpoolctl
from pyspark import Broadcast, cloudpickle

from spark_sklearn import shared


@dataclass(frozen=True)
class Call:
    """A fit to do: `function(*args, **kwargs)`, where a Place stands for what lies in a table."""

    function: Any
    args: Sequence[Any]
    kwargs: Mapping[str, Any]


class Left(RuntimeError):
    """A fit raised what is meant to end a process."""


@dataclass(frozen=True)
class Warned:
    """A warning as `warnings.warn_explicit` takes it."""

    message: Warning
    category: type[Warning]
    filename: str
    lineno: int


@dataclass(frozen=True)
class Outcome:
    """How the fit with this number ended: with a value, or an error and its traceback."""

    fit: int
    seconds: float
    value: Any = None
    error: Exception | None = None
    traceback: str = ""
    printed: str = ""
    warned: tuple[Warned, ...] = ()


def run_task(tables: Sequence[Broadcast[Any]], seconds: float, fits: Iterable[tuple[int, Call]]) -> Iterator[Outcome]:
    """The outcomes of the fits, in order; after `seconds` no further one is begun."""
    loaded = [_loaded(table) for table in tables]
    _settle_in()
    done: list[Outcome] = []
    end = time.monotonic() + seconds
    # As in joblib's own worker processes a fit has one thread unless its estimator asks for more.
    with threadpoolctl.threadpool_limits(1), joblib.parallel_config(backend="threading", n_jobs=1):
        for fit, call in fits:
            done.append(_outcome(fit, call, loaded))
            if time.monotonic() >= end:
                break
    return iter(done)


def _outcome(fit: int, call: Call, tables: Sequence[Sequence[Any]]) -> Outcome:
    printed, value, error, trace = io.StringIO(), None, None, ""
    started = time.perf_counter()
    with warnings.catch_warnings(record=True) as caught, contextlib.redirect_stdout(printed):
        warnings.simplefilter("always")  # the driver's filters decide when they are issued again there
        try:
            value = _run(call, tables)
        except Exception as raised:
            error, trace = raised, traceback.format_exc()
        except BaseException as raised:  # sys.exit, KeyboardInterrupt: Spark would take it for the end of its worker
            place = traceback.extract_tb(raised.__traceback__)[-1]
            said = f"{type(raised).__name__}: {raised}".removesuffix(": ")
            error = Left(f"the estimator raised {said} in {place.filename}:{place.lineno}, to end its process")
            trace = traceback.format_exc()
    warned = tuple(Warned(w.message, w.category, w.filename, w.lineno) for w in caught)  # type: ignore[arg-type]
    seconds = time.perf_counter() - started
    return _portable(Outcome(fit, seconds, value, error, trace, printed.getvalue(), warned))


def _run(call: Call, tables: Sequence[Sequence[Any]]) -> Any:
    def found(value: Any) -> Any:
        return tables[value.table][value.item] if isinstance(value, shared.Place) else value

    return call.function(*map(found, call.args), **{name: found(value) for name, value in call.kwargs.items()})


def _portable(outcome: Outcome) -> Outcome:
    """Errors and warnings whose class does not survive pickling become plain ones with the same text."""
    if outcome.error is None and not outcome.warned:
        return outcome
    try:
        cloudpickle.loads(cloudpickle.dumps((outcome.error, outcome.warned)))
    except Exception:
        error = outcome.error and RuntimeError(f"{type(outcome.error).__name__}: {outcome.error}")
        warned = [replace(w, message=UserWarning(str(w.message)), category=UserWarning) for w in outcome.warned]
        return replace(outcome, error=error, warned=tuple(warned))
    return outcome


_tables: dict[str, list[Any]] = {}


def _loaded(table: Broadcast[Any]) -> list[Any]:
    """Kept for the next tasks of this process; the oldest go, and with them the last hold on a deleted file."""
    key = getattr(table, "_path", None)
    if key is None:  # encrypted: Spark hands the content to each task anew
        return shared.load(table)
    if key not in _tables:
        while len(_tables) >= 8:
            del _tables[next(iter(_tables))]
        _tables[key] = shared.load(table)
    return _tables[key]


@functools.cache
def _settle_in() -> None:
    """Once in the life of a worker process."""
    # Workers are forks of one process: they would all draw the same numbers where random_state is None.
    random.seed()
    np.random.seed()
    # Spark collects garbage after every task, and would walk through all of scikit-learn's modules: 70 ms each time.
    gc.collect()
    gc.freeze()
