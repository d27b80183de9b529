"""Engine tensorflowonspark beyond what every engine does: executors that die, that are not there, that are shared."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from models import engines
from models.engines import slots
from models.engines.base import Progress
from tests.e2e.engines import cases
from tests.e2e.engines.cases import CASES
from tests.e2e.engines.sessions import closed, opened
from textmill.errors import EnvironmentProblem, WorkerLost
from textmill.places import named

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

CASE = next(case for case in CASES if case.name == "tensorflowonspark")
pytestmark = pytest.mark.skipif(not engines.probe(CASE.name).available, reason=engines.probe(CASE.name).reason)


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    found = opened(CASE, tmp_path_factory.mktemp("spark"))
    yield found
    closed(found)


def test_a_killed_executor_is_named_with_resume_off(session: SparkSession, tensors: Path, tmp_path: Path) -> None:
    lost = cases.job(tensors, tmp_path, epochs=500, patience=500, resume=False)
    killed: list[float] = []
    with pytest.raises(WorkerLost, match=rf"rank 1 on {socket.gethostname()} ended with signal SIGKILL"):
        engines.engine(CASE.name, lambda: session).train(lost, killer(lambda: True, killed))
    assert time.monotonic() - killed[0] < 10
    assert CASE.workers() == []


def test_a_killed_executor_is_replaced_and_training_goes_on_from_a_remote_checkpoint(
    session: SparkSession, tensors: Path, tmp_path: Path
) -> None:
    """The tensors, the checkpoints and the result are behind a URI: nothing of them has a local path."""
    local = cases.job(tensors, tmp_path, epochs=12, patience=12)
    there = {name: named(f"local://{tmp_path / name}") for name in ("out", "checkpoints")}
    cut = cases.job(named(f"local://{tensors}"), tmp_path, epochs=12, patience=12, **there)  # type: ignore[arg-type]
    killed: list[float] = []
    begun = (local.checkpoints / "latest.npz").exists
    stats = engines.engine(CASE.name, lambda: session).train(cut, killer(begun, killed))
    assert killed and stats.restarts == 1 and stats.resumed_from_epoch >= 1
    assert (local.out / "saved_model/saved_model.pb").exists()


def killer(when: Callable[[], bool], killed: list[float]) -> Callable[[Progress], None]:
    """Kills, once, the executor whose rank was started last: its JVM, which takes Python down with it."""

    def kill(progress: Progress) -> None:
        if not killed and when():
            rank = CASE.workers()
            last = next(process for process in rank if process.cmdline()[-3] == "1")
            next(parent for parent in last.parents() if is_executor(parent)).kill()
            killed.append(time.monotonic())

    return kill


def is_executor(process: psutil.Process) -> bool:
    return any("CoarseGrainedExecutorBackend" in word for word in process.cmdline())


def test_executors_that_do_not_come_are_waited_for_in_vain_only_so_long(session: SparkSession) -> None:
    with pytest.raises(EnvironmentProblem, match=r"3 executors are wanted and 2 there after 1 s .*train\.ranks: \"2\""):
        slots.hold(session.sparkContext, 3, 1.0)


def test_executors_that_would_be_shared_are_refused(session: SparkSession, tmp_path: Path) -> None:
    session.stop()
    both = session.builder.master("local-cluster[1,2,1536]").getOrCreate()
    try:
        with pytest.raises(EnvironmentProblem, match=r"runs 2 tasks at once.*spark\.task\.cpus: \"2\""):
            slots.hold(both.sparkContext, 1, 60.0)
    finally:
        both.stop()
