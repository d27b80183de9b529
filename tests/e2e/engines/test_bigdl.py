"""Engine bigdl beyond what every engine does: executors that die, odd sizes, models it refuses, settings of its own."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from models import bigdl_jvm, engines
from models.bigdl_training import Training, Where
from models.engines.base import Progress
from models.scoring import load
from models.tensors import Tensors
from tests.e2e.engines import cases
from tests.e2e.engines.cases import Case
from tests.e2e.engines.sessions import closed, opened
from textmill.errors import WorkerLost

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.skipif(not engines.probe("bigdl").available, reason=engines.probe("bigdl").reason)
JAVA = {"spark.serializer": bigdl_jvm.JAVA_SERIALIZER}
CLUSTER = Case("bigdl", "org.apache.spark.executor.CoarseGrainedExecutorBackend", 2, "local-cluster[2,1,1536]", JAVA)


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    found = opened(CLUSTER, tmp_path_factory.mktemp("spark"))
    yield found
    closed(found)


def killer(when: Callable[[], bool], killed: list[int]) -> Callable[[Progress], None]:
    """Kills an executor, once."""

    def kill(progress: Progress) -> None:
        if not killed and when():
            CLUSTER.workers()[-1].kill()
            killed.append(progress.epoch)

    return kill


def test_two_executors_learn_and_the_saved_model_predicts_what_bigdl_does(
    session: SparkSession, tensors: Path, tmp_path: Path
) -> None:
    whole = cases.job(
        tensors, tmp_path, epochs=8, patience=8, learning_rate=0.03, model="cnn", model_params={"embedding": 16}
    )
    engine = engines.engine("bigdl", lambda: session)
    assert engine.check(whole) == []
    stats = engine.train(whole, lambda progress: None)
    history = json.loads((whole.out / "history.json").read_text(encoding="utf-8"))
    assert history["epochs"][-1]["val_accuracy"] > 0.9 and history["ranks"] == 2
    assert stats.steps == (8 * history["steps_per_epoch"],) * 2

    ids = Tensors(tensors).read(Tensors(tensors).files("valid")[0]).ids
    training = Training(session, whole, Where(2, 1, "none"))
    with np.load(whole.out / "weights.npz", allow_pickle=False) as stored:
        training.model.set([stored[name] for name in sorted(stored.files)])
    logits = training.model.logits(ids)
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    expected = load(whole.out / "saved_model", 1)(ids)
    assert np.abs(shares / shares.sum(axis=1, keepdims=True) - expected).max() < 1e-4


def test_a_lost_executor_is_survived_from_the_last_checkpoint(
    session: SparkSession, tensors: Path, tmp_path: Path
) -> None:
    cut = cases.job(tensors, tmp_path, epochs=10, patience=10)
    killed: list[int] = []
    begun = (cut.checkpoints / "latest.npz").exists
    stats = engines.engine("bigdl", lambda: session).train(cut, killer(begun, killed))
    assert killed and stats.restarts == 1 and 1 <= stats.resumed_from_epoch < 10
    log = (cut.logs / "train-m.log").read_text(encoding="utf-8")
    assert (
        re.search(r"rank [01] on \S+ ended with signal SIGKILL", log)
        and "restart 1 of 1, from the last checkpoint" in log
    )
    assert (cut.out / "saved_model/saved_model.pb").exists()


def test_a_lost_executor_is_named_with_resume_off(session: SparkSession, tensors: Path, tmp_path: Path) -> None:
    lost = cases.job(tensors, tmp_path, epochs=500, patience=500, resume=False)
    with pytest.raises(WorkerLost, match=r"rank [01] on \S+ ended with"):
        engines.engine("bigdl", lambda: session).train(lost, killer(lambda: True, []))
    assert not (lost.out / "weights.npz").exists()


def test_a_heap_too_small_for_a_step_is_told(tensors: Path, tmp_path: Path) -> None:
    wide = {"embedding": 6000, "units": 8}
    job = cases.job(tensors, tmp_path, batch=1600, model_params=wide, options={"memory": "512m"})
    with pytest.raises(WorkerLost, match="heap of 512m is too small for steps of 1600 rows: give the training's options"):
        engines.engine("bigdl").train(job, lambda progress: None)


@pytest.mark.parametrize(("batch", "ranks"), [(1600, 2), (1599, 1), (401, 2)])
def test_any_batch_and_rows_go(session: SparkSession, tensors: Path, tmp_path: Path, batch: int, ranks: int) -> None:
    odd = cases.job(tensors, tmp_path, epochs=1, batch=batch, optimizer="sgd", schedule="linear", weight_decay=0.01)
    done = Training(session, odd, Where(ranks, 1, "fp16")).train(lambda progress: None)
    assert done["steps"] == -(-1600 // batch)
    history = json.loads((odd.out / "history.json").read_text(encoding="utf-8"))
    right = history["epochs"][0]["accuracy"] * history["rows"]
    assert right == pytest.approx(round(right))


def test_a_session_that_serializes_otherwise_is_refused(tensors: Path, tmp_path: Path) -> None:
    class Told:
        """What of a session the check reads."""

        def __init__(self, **conf: str) -> None:
            from pyspark import SparkConf

            self.sparkContext, self.master = self, "yarn"
            self.conf = SparkConf(loadDefaults=False).setAll(list(conf.items()))

        def getConf(self) -> object:  # noqa: N802
            return self.conf

    told = Told(**{"spark.executor.instances": "2"})
    found = engines.engine("bigdl", lambda: told).check(cases.job(tensors, tmp_path))  # type: ignore[arg-type,return-value]
    assert any("spark.serializer: org.apache.spark.serializer.JavaSerializer" in problem for problem in found)
