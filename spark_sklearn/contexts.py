"""The context of a search: the interpreter that its workers run, and whether it is still there."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from py4j.protocol import Py4JError
from pyspark import SparkContext


class StoppedContext(RuntimeError):
    """The SparkContext of a search was stopped, before it began or while it ran."""


def ready(context: SparkContext) -> SparkContext:
    """The context, its workers running this interpreter where nothing else was said. Raises StoppedContext."""
    if is_stopped(context):
        raise StoppedContext("the SparkContext has been stopped: start another, and give the search that one as `sc`")
    # On this machine alone it is sure to be there; else Spark takes the first python3 of the PATH.
    chosen = os.environ.get("PYSPARK_PYTHON") or context.getConf().get("spark.pyspark.python")
    if not chosen and (context.master or "").startswith("local"):
        context.pythonExec = sys.executable
    return context


def is_stopped(context: SparkContext) -> bool:
    """Whether it was stopped, by this program or on its Java side, or its Java process has ended."""
    java = context._jsc
    try:
        return java is None or bool(java.sc().isStopped())
    except (Py4JError, OSError, AttributeError):
        return True


@contextmanager
def named_when_stopped(context: SparkContext) -> Iterator[None]:
    """What fails because the context was stopped says so, in place of how Spark and py4j put it."""
    try:
        yield
    except Exception:
        if is_stopped(context):
            raise StoppedContext("the SparkContext was stopped while the search ran") from None
        raise
