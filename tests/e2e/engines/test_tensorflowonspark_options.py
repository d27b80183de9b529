"""Engine tensorflowonspark's options: tensors brought by Spark's tasks as Arrow, and weights on parameter servers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from models import engines
from models.engines.base import Progress, TrainJob, TrainStats
from tests.e2e.engines import cases
from tests.e2e.engines.cases import Case
from tests.e2e.engines.sessions import closed, opened

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

NAME = "tensorflowonspark"
CASE = Case(NAME, "models.engines.tensorflowonspark_worker", 2, "local-cluster[3,1,1536]", cases.SLOWLY)
pytestmark = pytest.mark.skipif(not engines.probe(NAME).available, reason=engines.probe(NAME).reason)


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    found = opened(CASE, tmp_path_factory.mktemp("spark"))
    yield found
    closed(found)


def trained(session: SparkSession, job: TrainJob, seen: list[Progress] | None = None) -> TrainStats:
    engine = engines.engine(NAME, lambda: session)
    assert engine.check(job) == []
    return engine.train(job, (seen if seen is not None else []).append)


def history(job: TrainJob) -> dict[str, Any]:
    return dict(json.loads((job.out / "history.json").read_text(encoding="utf-8")))


def weights(job: TrainJob) -> dict[str, bytes]:
    with np.load(job.out / "weights.npz", allow_pickle=False) as stored:
        return {name: stored[name].tobytes() for name in stored.files}


def test_a_fed_training_is_the_one_that_reads_its_shards(session: SparkSession, tensors: Path, tmp_path: Path) -> None:
    fed = cases.job(tensors, tmp_path / "fed", epochs=3, options={"feed": "spark"})
    assert trained(session, fed).steps == (3 * -(-1600 // fed.batch),) * 2  # on the third executor are the feeding tasks
    session.sparkContext._conf.set("spark.textmill.train.ranks", "2")  # noqa: SLF001  # of a session that runs
    try:
        read = cases.job(tensors, tmp_path / "read", epochs=3)
        trained(session, read)
    finally:
        session.sparkContext._conf._jconf.remove("spark.textmill.train.ranks")  # noqa: SLF001
    assert history(fed)["epochs"] == history(read)["epochs"]
    assert weights(fed) == weights(read)


@pytest.mark.cluster  # two starts of everything: minutes
def test_a_rank_lost_while_it_is_fed_is_started_again(session: SparkSession, tensors: Path, tmp_path: Path) -> None:
    cut = cases.job(tensors, tmp_path, epochs=12, patience=12, options={"feed": "spark"})
    killed: list[int] = []

    def kill(progress: Progress) -> None:
        if not killed and (cut.checkpoints / "latest.npz").exists():
            CASE.workers()[0].kill()
            killed.append(progress.epoch)

    stats = engines.engine(NAME, lambda: session).train(cut, kill)
    assert killed and stats.restarts == 1 and stats.resumed_from_epoch >= 1
    assert len(history(cut)["epochs"]) == 12


def test_parameter_servers_hold_weights_that_workers_train(session: SparkSession, tensors: Path, tmp_path: Path) -> None:
    """Three executors: a coordinator, a worker, a parameter server."""
    job = cases.job(tensors, tmp_path, epochs=16, patience=16, options={"num_ps": 1})
    seen: list[Progress] = []
    stats = trained(session, job, seen)
    epochs = history(job)["epochs"]
    assert stats.steps == (16 * -(-1600 // job.batch),)
    assert epochs[-1]["loss"] < epochs[0]["loss"] / 5 and epochs[-1]["val_accuracy"] > 0.95
    assert seen and (job.out / "saved_model/saved_model.pb").exists()
    assert CASE.workers() == []


@pytest.mark.cluster  # two starts of everything: minutes
def test_a_lost_parameter_server_is_named_and_training_goes_on(
    session: SparkSession, tensors: Path, tmp_path: Path
) -> None:
    cut = cases.job(tensors, tmp_path, epochs=12, patience=12, options={"num_ps": 1})
    killed: list[int] = []

    def kill(progress: Progress) -> None:
        if not killed and (cut.checkpoints / "latest.npz").exists():
            server = next(process for process in CASE.workers() if process.cmdline()[-3] == "2")
            server.kill()
            killed.append(progress.epoch)

    stats = engines.engine(NAME, lambda: session).train(cut, kill)
    assert killed and stats.restarts == 1 and stats.resumed_from_epoch >= 1
    note = (cut.logs / "train-m.log").read_text(encoding="utf-8")
    assert "rank 2 on " in note and "ended with signal SIGKILL" in note


def test_too_few_executors_for_parameter_servers_are_refused(
    session: SparkSession, tensors: Path, tmp_path: Path
) -> None:
    job = cases.job(tensors, tmp_path, options={"num_ps": 2})
    (said,) = engines.engine(NAME, lambda: session).check(job)
    assert said.startswith("3 executors can't be 2 parameter servers") and "ask for 4 or more" in said
