"""A training beside somebody who talks to all of its ports: nothing of theirs runs, and the training ends well."""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from models import engines
from models.engines import tensorflowonspark_reservation as reservation
from scripts.dev_cluster import network
from tests.e2e.engines import cases
from tests.e2e.engines.cases import CASES, Case
from tests.e2e.engines.sessions import closed, opened
from tests.e2e.engines.strangers import Siege, Stranger, besieged

CASE = next(case for case in CASES if case.name == "tensorflowonspark")
pytestmark = [
    pytest.mark.skipif(not engines.probe(CASE.name).available, reason=engines.probe(CASE.name).reason),
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become another user and to make another host"),
]
EPOCHS = 6


@pytest.fixture
def before(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, set[int]]]:
    """At each registration of a node: the port it came to, and all ports that the stranger talked to by then."""
    found: list[tuple[int, set[int]]] = []

    class Server(reservation.Server):
        def _serve(self, connection: Any) -> None:
            found.append((self.address[1], {port for _, port in STRANGERS[-1].ports.copy()}))
            super()._serve(connection)

    monkeypatch.setattr(reservation, "Server", Server)
    return found


STRANGERS: list[Stranger] = []


def trained(case: Case, stranger: Stranger, reach: str, tensors: Path, folder: Path) -> Siege:
    """A training of the case while the stranger is at work from before its session starts."""
    STRANGERS.append(stranger)
    job = cases.job(tensors, folder, epochs=EPOCHS, patience=EPOCHS)
    with besieged(stranger, reach) as siege:
        session = opened(case, folder / "spark")
        try:
            stats = engines.engine(case.name, lambda: session).train(job, lambda progress: None)
        finally:
            closed(session)
    assert list(stranger.folder.iterdir()) == []
    assert stats.restarts == 0 and stats.steps == (EPOCHS * -(-1600 // job.batch),) * 2
    history = json.loads((job.out / "history.json").read_text(encoding="utf-8"))
    assert len(history["epochs"]) == EPOCHS and history["epochs"][-1]["loss"] < history["epochs"][0]["loss"]
    return siege


def held(siege: Siege, before: list[tuple[int, set[int]]]) -> None:
    """The stranger was at all doors of the driver, at the nodes' before any came, and in at no server of TensorFlow."""
    driver = {port for port, pid in siege.pids.items() if pid == os.getpid()}
    assert len(before) == 2 and all(port in known and port in driver for port, known in before), (before, siege)
    assert len(driver) >= 2 and all(siege.entered.get(port, 0) > 20 for port in driver), siege
    ranks = {port for port, words in siege.words.items() if CASE.worker in words}
    assert len(ranks) == 2 and not ranks & siege.entered.keys(), siege


def test_another_user_talks_to_every_port(tensors: Path, tmp_path: Path, before: list[tuple[int, set[int]]]) -> None:
    siege = trained(CASE, Stranger(tmp_path / "ran"), "127.0.0.1", tensors, tmp_path)
    held(siege, before)
    # Spark's, which are not textmill's: the JVM of the driver and of the executors, and what forks their Python workers.
    assert sum("java" in words or "pyspark.daemon" in words for words in siege.words.values()) >= 2, siege


@pytest.mark.cluster  # a session of its own, on an address that other hosts reach
@pytest.mark.skipif(not shutil.which("ip"), reason="needs iproute2")
def test_another_host_talks_to_every_port(tensors: Path, tmp_path: Path, before: list[tuple[int, set[int]]]) -> None:
    with other_host() as (namespace, here):
        conf = {**CASE.conf, "spark.driver.host": here, "spark.driver.bindAddress": here}
        stranger = Stranger(tmp_path / "ran", ("ip", "netns", "exec", namespace), None)
        held(trained(replace(CASE, conf=conf), stranger, here, tensors, tmp_path), before)


@contextmanager
def other_host() -> Iterator[tuple[str, str]]:
    """A network namespace, and the address at which it reaches this machine."""
    mark = secrets.token_hex(4)
    nodes, here = network.hosts(mark)
    try:
        network.make(nodes, here, mark)
        yield str(nodes["master"].namespace), here
    finally:
        network.remove(nodes, mark)
