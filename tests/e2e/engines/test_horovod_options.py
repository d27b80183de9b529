"""Engine horovod's options for how gradients travel, and for a learning rate that grows with the ranks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models import engines
from tests.e2e.engines import cases

pytestmark = pytest.mark.skipif(not engines.probe("horovod").available, reason=engines.probe("horovod").reason)
EPOCHS = 3


def epochs(tensors: Path, folder: Path, options: dict[str, Any], **more: object) -> list[dict[str, float]]:
    """What two ranks tell of each epoch, without its times."""
    job = cases.job(tensors, folder, epochs=EPOCHS, options={"ranks": 2, "threads": 1, **options}, **more)
    engine = engines.engine("horovod")
    assert engine.check(job) == []
    engine.train(job, lambda progress: None)
    return list(json.loads((job.out / "history.json").read_text(encoding="utf-8"))["epochs"])


@pytest.fixture(scope="module")
def plain(tensors: Path, tmp_path_factory: pytest.TempPathFactory) -> list[float]:
    return losses(epochs(tensors, tmp_path_factory.mktemp("plain"), {}))


def losses(of: list[dict[str, float]]) -> list[float]:
    return [epoch["loss"] for epoch in of]


def test_an_embedding_sent_as_its_table_learns_the_same(tensors: Path, tmp_path: Path, plain: list[float]) -> None:
    dense = losses(epochs(tensors, tmp_path, {"sparse_as_dense": True, "fusion_mb": 1, "cycle_ms": 2}))
    assert dense == pytest.approx(plain, rel=1e-3)


def test_gradients_of_two_bytes_learn_nearly_the_same(tensors: Path, tmp_path: Path, plain: list[float]) -> None:
    halved = losses(epochs(tensors, tmp_path, {"compression": "fp16"}))
    assert halved == pytest.approx(plain, rel=0.02) and halved != plain, "rounded, so never equal"


def test_a_scaled_learning_rate_is_that_of_all_ranks(tensors: Path, tmp_path: Path) -> None:
    scaling = {"scale_learning_rate": True, "warmup_epochs": 1}
    scaled = epochs(tensors, tmp_path / "scaled", scaling, batch=32, learning_rate=0.005)
    whole = epochs(tensors, tmp_path / "whole", {}, batch=64, learning_rate=0.01, warmup=1 / EPOCHS)
    assert losses(scaled) == losses(whole) and np.diff(losses(whole)).max() < 0
