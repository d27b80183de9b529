"""The local engine with a real worker process: it learns, it stops, it survives, and it always gives the same bytes."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from models.engines import engine
from models.engines.base import Progress, TrainJob
from textmill.errors import WorkerLost

ROOT = Path(__file__).resolve().parents[2]
LABELS, LENGTH, SHARDS, VOCABULARY = 4, 8, 4, 60


def write_part(folder: Path, rows: int, generator: np.random.Generator) -> dict[str, int]:
    """Rows whose third token tells the label."""
    folder.mkdir(parents=True)
    per = rows // SHARDS
    for shard in range(SHARDS):
        label = generator.integers(0, LABELS, per, dtype=np.int32)
        ids = generator.integers(2 + LABELS, VOCABULARY, (per, LENGTH), dtype=np.int32)
        ids[:, 2] = 2 + label
        columns = {"ids": pa.array(list(ids), pa.list_(pa.int32())), "label": label, "weight": np.ones(per, np.float32)}
        pq.write_table(pa.table(columns), folder / f"{shard:05d}.parquet")
    return {"rows": rows, "real_rows": rows, "rows_per_shard": per}


@pytest.fixture(scope="module")
def tensors(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder, generator = tmp_path_factory.mktemp("tensors"), np.random.default_rng(1)
    parts = {part: write_part(folder / part, rows, generator) for part, rows in (("train", 1600), ("valid", 200))}
    described = {"length": LENGTH, "vocabulary": {"size": VOCABULARY}, "shards": SHARDS, "parts": parts}
    (folder / "tensors.json").write_text(json.dumps(described))
    (folder / "labels.json").write_text(json.dumps([f"l{n}" for n in range(LABELS)]))
    return folder


def job(tensors: Path, folder: Path, epochs: int = 4, **more: object) -> TrainJob:
    for name in ("out", "checkpoints", "logs"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    params = {"embedding": 16, "units": 8, "token_dropout": 0.05, "dropout": 0.2}
    given = {"metric": "accuracy", "patience": 4, "learning_rate": 0.01, **more}
    return TrainJob(
        "m",
        "bigru",
        params,
        tensors,
        folder / "out",
        folder / "checkpoints",
        folder / "logs",
        epochs,
        64,
        seed=7,
        **given,
    )  # type: ignore[arg-type]


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }


@pytest.fixture(scope="module")
def trained(tensors: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    whole = job(tensors, tmp_path_factory.mktemp("whole"))
    assert engine("local").check(whole) == []
    seen: list[Progress] = []
    stats = engine("local").train(whole, seen.append)
    assert len(stats.seconds_per_epoch) == 4 and seen
    assert list((whole.logs / "tensorboard" / "m").glob("*/events*"))
    return contents(whole.out)


def test_it_learns(trained: dict[str, bytes]) -> None:
    history = json.loads(trained["history.json"])
    losses = [epoch["loss"] for epoch in history["epochs"]]
    assert losses[-1] < losses[0] and history["epochs"][-1]["val_accuracy"] > 0.9
    assert set(trained) >= {"weights.npz", "model.json", "history.json", "saved_model/saved_model.pb"}


def test_killed_and_resumed_it_gives_the_same_bytes(tensors: Path, tmp_path: Path, trained: dict[str, bytes]) -> None:
    cut = job(tensors, tmp_path)
    program = "from models.engines import engine; from models.engines.base import TrainJob; import sys; engine('local').train(TrainJob.from_json(sys.argv[1]), print)"
    process = subprocess.Popen([sys.executable, "-c", program, cut.to_json()], cwd=ROOT, stdout=subprocess.DEVNULL)
    wait_for(lambda: (cut.checkpoints / "latest.npz").exists())
    time.sleep(random.uniform(0, 1))
    workers = psutil.Process(process.pid).children()
    process.kill()
    process.wait()
    gone, alive = psutil.wait_procs(workers, timeout=10)
    assert not alive, "the worker outlived its parent"
    stats = engine("local").train(cut, lambda progress: None)
    assert stats.resumed_from_epoch >= 1
    assert contents(cut.out) == trained


def test_a_lost_worker_is_named_with_its_signal(tensors: Path, tmp_path: Path) -> None:
    lost = job(tensors, tmp_path, epochs=500, patience=500)

    def kill(progress: Progress) -> None:
        for worker in psutil.Process().children(recursive=True):
            if "local_worker" in " ".join(worker.cmdline()):
                os.kill(worker.pid, signal.SIGKILL)

    with pytest.raises(
        WorkerLost, match=r"rank 0 on \S+ ended with signal SIGKILL; its log \S+train-m.log ends:\n    threads"
    ):
        engine("local").train(lost, kill)


def test_it_stops_early_and_keeps_the_best(tensors: Path, tmp_path: Path) -> None:
    early = job(tensors, tmp_path, epochs=40, patience=2, learning_rate=0.03)
    engine("local").train(early, lambda progress: None)
    history = json.loads((early.out / "history.json").read_text())
    values = [epoch["val_accuracy"] for epoch in history["epochs"]]
    assert history["stopped"] == "patience" and len(values) == history["best_epoch"] + 2 < 40
    assert values[history["best_epoch"] - 1] == max(values)


def wait_for(ready: object) -> None:
    for _ in range(600):
        if ready():  # type: ignore[operator]
            return
        time.sleep(0.1)
    raise AssertionError("waited for a minute in vain")
