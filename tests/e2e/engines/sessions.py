"""Spark sessions of the engines that train on executors, each in a JVM of its own: one may need other jars in it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from tests.e2e.engines.cases import Case

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def opened(case: Case, folder: Path) -> SparkSession:
    """The session an engine trains in; its executors' files are under `folder`."""
    from spark_jobs import session

    os.environ["SPARK_WORKER_DIR"] = str(folder / "work")
    return session.start(session.SparkSettings(case.master, "1g", case.conf), folder / "spark.log")


def closed(session: SparkSession) -> None:
    """End the session and its JVM."""
    from pyspark import SparkContext

    gateway = SparkContext._gateway  # noqa: SLF001
    session.stop()
    gateway.shutdown()
    gateway.proc.stdin.close()
    gateway.proc.wait(timeout=60)
    SparkContext._gateway = SparkContext._jvm = None  # noqa: SLF001
