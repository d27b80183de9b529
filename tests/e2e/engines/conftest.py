"""Each engine once, with the session it trains in: engines without one, or whose packages are missing, are told apart."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from models import engines
from models.engines.base import Engine
from tests.e2e.engines import cases
from tests.e2e.engines.cases import CASES, Case

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@pytest.fixture(scope="session", params=CASES, ids=lambda case: case.name)
def case(request: pytest.FixtureRequest) -> Case:
    """An engine that can be used here."""
    found: Case = request.param
    probe = engines.probe(found.name)
    if not probe.available:
        pytest.skip(f"{probe.reason}: {probe.install}")
    return found


@pytest.fixture(scope="session")
def spark(case: Case, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], SparkSession]]:
    """The session of the engine's master in a JVM of its own: another engine may need other jars in it."""
    from spark_jobs import session

    started: list[SparkSession] = []

    def start() -> SparkSession:
        if not started:
            folder = tmp_path_factory.mktemp("spark")
            os.environ["SPARK_WORKER_DIR"] = str(folder / "work")
            settings = session.SparkSettings(case.master, "1g", case.conf)
            started.append(session.start(settings, folder / "spark.log"))
        return started[0]

    yield start
    if started:
        _end(started[0])


def _end(session: SparkSession) -> None:
    from pyspark import SparkContext

    gateway = session.sparkContext._gateway  # noqa: SLF001
    session.stop()
    gateway.shutdown()
    gateway.proc.stdin.close()
    gateway.proc.wait(timeout=60)
    SparkContext._gateway = SparkContext._jvm = None  # noqa: SLF001


@pytest.fixture(scope="session")
def engine(case: Case, spark: Callable[[], SparkSession]) -> Engine:
    """The engine, ready to train."""
    return engines.engine(case.name, spark if case.master else None)


@pytest.fixture(scope="session")
def tensors(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tensors that all trainings of the suite read and none changes."""
    return cases.write(tmp_path_factory.mktemp("tensors"))
