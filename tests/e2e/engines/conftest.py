"""Each engine once, with the session it trains in: engines without one, or whose packages are missing, are told apart."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from models import engines
from models.engines.base import Engine, TrainJob
from tests.e2e.engines import cases
from tests.e2e.engines.cases import CASES, Case
from tests.e2e.engines.sessions import closed, opened

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@pytest.fixture(scope="module", params=CASES, ids=str)
def case(request: pytest.FixtureRequest) -> Case:
    """An engine that can be used here."""
    found: Case = request.param
    probe = engines.probe(found.name)
    if not probe.available:
        pytest.skip(f"{probe.reason}: {probe.install}")
    return found


@pytest.fixture(scope="module")
def spark(case: Case, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], SparkSession]]:
    """The session of the engine's master, started on first use."""
    started: list[SparkSession] = []

    def start() -> SparkSession:
        if not started:
            started.append(opened(case, tmp_path_factory.mktemp("spark")))
        return started[0]

    yield start
    if started:
        closed(started[0])


@pytest.fixture(scope="module")
def engine(case: Case, spark: Callable[[], SparkSession]) -> Engine:
    """The engine, ready to train."""
    return engines.engine(case.name, spark if case.master else None)


@pytest.fixture(scope="module")
def job(case: Case) -> Callable[..., TrainJob]:
    """`cases.job` with the engine's settings."""
    return partial(cases.job, options=case.options)


@pytest.fixture(scope="session")
def tensors(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tensors that all trainings of the suite read and none changes."""
    return cases.write(tmp_path_factory.mktemp("tensors"))
