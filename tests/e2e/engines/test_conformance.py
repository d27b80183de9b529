"""What every engine has to do, whatever it trains with. Engines join by a line in cases.py."""

from __future__ import annotations

import json
import shutil
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from models import metrics
from models.engines.base import Engine, Progress, TrainJob, TrainStats
from models.scoring import scorer
from models.tensors import Tensors
from tests.e2e.engines.cases import LABELS, LENGTH, PADDING, SHARDS, Case
from textmill.errors import InputError, Unreadable, WorkerLost

EPOCHS, ROWS = 16, 1600
Job = Callable[..., TrainJob]


@dataclass
class Trained:
    """A training that ran to its end."""

    job: TrainJob
    stats: TrainStats
    seen: list[Progress]

    @property
    def history(self) -> dict[str, Any]:
        return dict(json.loads((self.job.out / "history.json").read_text(encoding="utf-8")))

    @property
    def weights(self) -> dict[str, np.ndarray]:
        with np.load(self.job.out / "weights.npz", allow_pickle=False) as stored:
            return {name: stored[name] for name in stored.files}


@pytest.fixture(scope="module")
def trained(job: Job, engine: Engine, tensors: Path, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    whole = job(tensors, tmp_path_factory.mktemp("whole"), epochs=EPOCHS, patience=EPOCHS)
    assert engine.check(whole) == []
    seen: list[Progress] = []
    return Trained(whole, engine.train(whole, seen.append), seen)


@pytest.fixture(scope="module")
def scores(trained: Trained, tensors: Path) -> dict[str, Any]:
    """Metrics of what the evaluation's own scorer makes of the exported model, on the rows of valid that are real."""
    described = Tensors(tensors)
    rows = pa.concat_tables([pq.read_table(file) for file in described.files("valid")])
    rows = rows.filter(pa.compute.greater(rows["weight"], 0))
    names = [described.labels[number] for number in rows["label"].to_pylist()]
    told = {"id": names, "text": names, "label": names, "ids": rows["ids"]}
    score = scorer(str(trained.job.out), described.labels)
    predicted = [
        label for batch in score(iter(pa.table(told).to_batches())) for label in batch["predicted"].to_pylist()
    ]
    number = {label: index for index, label in enumerate(described.labels)}
    found = metrics.confusion(rows["label"].to_numpy(), np.array([number[label] for label in predicted]), LABELS)
    return metrics.summarize(found, described.labels)


def test_the_loss_falls_and_the_model_learns(trained: Trained) -> None:
    losses = [epoch["loss"] for epoch in trained.history["epochs"]]
    assert len(losses) == EPOCHS and losses[-1] < losses[0] / 5
    assert trained.history["epochs"][-1]["val_accuracy"] > 0.95
    assert all(1 <= progress.step <= progress.steps for progress in trained.seen) and trained.seen


def test_it_leaves_what_every_engine_leaves(trained: Trained) -> None:
    left = {path.relative_to(trained.job.out).as_posix() for path in trained.job.out.rglob("*") if path.is_file()}
    assert left >= {"weights.npz", "model.json", "history.json", "saved_model/saved_model.pb"}
    assert not [name for name in left if name.endswith(".part")]
    assert {path.parent.name for path in trained.job.logs.rglob("events*")} == {"train", "valid"}


def test_its_metrics_are_those_of_the_evaluation(trained: Trained, scores: dict[str, Any]) -> None:
    best = trained.history["epochs"][trained.history["best_epoch"] - 1]
    assert (scores["accuracy"], scores["macro_f1"]) == pytest.approx((best["val_accuracy"], best["val_macro_f1"]))


def test_a_label_missing_in_a_shard_is_learnt(trained: Trained, scores: dict[str, Any]) -> None:
    first = pq.read_table(trained.job.tensors / "train/00000.parquet")
    assert LABELS - 1 not in first["label"].to_pylist()
    assert scores["per_class"][-1]["recall"] > 0.9 and scores["per_class"][-1]["support"] > 0


def test_every_rank_takes_the_same_steps(trained: Trained, case: Case) -> None:
    steps = -(-ROWS // trained.job.batch)
    assert ROWS % trained.job.batch and (case.ranks == 1 or trained.job.batch % case.ranks)
    assert trained.stats.steps == (steps * EPOCHS,) * case.ranks
    assert (trained.history["steps_per_epoch"], trained.history["ranks"]) == (steps, case.ranks)


def test_rows_that_only_fill_up_count_nowhere(trained: Trained) -> None:
    assert trained.history["rows"] == ROWS - PADDING
    right = [epoch["accuracy"] * (ROWS - PADDING) for epoch in trained.history["epochs"]]
    assert right == pytest.approx([round(number) for number in right])
    assert len(set(right)) > 1


def test_it_stops_early_and_keeps_the_best(job: Job, engine: Engine, tensors: Path, tmp_path: Path) -> None:
    early = job(tensors, tmp_path, epochs=40, patience=2, learning_rate=0.03)
    history = Trained(early, engine.train(early, lambda progress: None), []).history
    values = [epoch["val_accuracy"] for epoch in history["epochs"]]
    assert history["stopped"] == "patience" and len(values) == history["best_epoch"] + 2 < 40
    assert values[history["best_epoch"] - 1] == max(values)


def test_a_killed_rank_is_named_within_ten_seconds(
    job: Job, case: Case, engine: Engine, tensors: Path, tmp_path: Path
) -> None:
    lost = job(tensors, tmp_path, epochs=500, patience=500, resume=False)
    killed: list[float] = []

    def kill(progress: Progress) -> None:
        if not killed:
            case.workers()[-1].kill()
            killed.append(time.monotonic())

    named = (
        rf"rank [0-{case.ranks - 1}] on {socket.gethostname()} ended with signal SIGKILL; its log \S+m\S*\.log (ends:\n|is empty$)"
    )
    with pytest.raises(WorkerLost, match=named):
        engine.train(lost, kill)
    assert time.monotonic() - killed[0] < 10
    assert case.workers() == []
    assert not (lost.out / "weights.npz").exists()


def test_a_training_that_lost_a_rank_ends_as_one_that_did_not(
    job: Job, case: Case, engine: Engine, trained: Trained, tmp_path: Path
) -> None:
    cut = job(trained.job.tensors, tmp_path, epochs=EPOCHS, patience=EPOCHS)  # type: ignore[arg-type]
    killed: list[int] = []

    def kill(progress: Progress) -> None:
        if not killed and (cut.checkpoints / "latest.npz").exists():
            case.workers()[0].kill()
            killed.append(progress.epoch)

    try:
        stats = engine.train(cut, kill)
    except WorkerLost:
        stats = engine.train(cut, kill)
    assert killed and 1 <= stats.resumed_from_epoch < EPOCHS
    again = Trained(cut, stats, [])
    assert again.history["epochs"] == trained.history["epochs"]
    assert {name: value.tobytes() for name, value in again.weights.items()} == {
        name: value.tobytes() for name, value in trained.weights.items()
    }


@pytest.mark.parametrize("damage", ["unequal", "missing", "no_parquet", "longer"])
def test_tensors_that_do_not_fit_their_description_are_refused(
    job: Job, engine: Engine, tensors: Path, tmp_path: Path, damage: str
) -> None:
    bad = Path(shutil.copytree(tensors, tmp_path / "tensors"))
    shard = bad / "train/00001.parquet"
    if damage == "unequal":
        pq.write_table(pq.read_table(shard).slice(1), shard)
        expected = f"{shard} has {ROWS // SHARDS - 1} rows instead of {ROWS // SHARDS}"
    elif damage == "missing":
        shard.unlink()
        expected = f"{bad / 'train'} holds {SHARDS - 1} shards instead of {SHARDS}"
    elif damage == "longer":
        table = pq.read_table(shard)
        longer = pa.array([[*ids, 2] for ids in table["ids"].to_pylist()], pa.list_(pa.int32()))
        pq.write_table(table.set_column(table.schema.get_field_index("ids"), "ids", longer), shard)
        rows = ROWS // SHARDS
        expected = f"{shard} has {rows * (LENGTH + 1)} ids in {rows} rows, {LENGTH} each are described"
    else:
        shard.write_bytes(b"PAR1 not")
        expected = f"{shard} is no Parquet file"
    assert [problem for problem in engine.check(job(bad, tmp_path)) if problem.startswith(expected)]


MANIFESTS: dict[str, tuple[Callable[[dict[str, Any]], str], str]] = {
    "cut off": (lambda told: json.dumps(told)[:-9], "tensors.json is damaged: "),
    "empty": (lambda told: "{}", "tensors.json lacks length, parts, shards, vocabulary"),
    "other rows": (
        lambda told: json.dumps({**told, "parts": {**told["parts"], "train": {**told["parts"]["train"], "rows": 9}}}),
        "tensors.json tells of 9 rows of train, which are not 4 shards of 400",
    ),
    "no valid": (
        lambda told: json.dumps({**told, "parts": {"train": told["parts"]["train"]}}),
        "no row in the valid part",
    ),
}


@pytest.mark.parametrize("how", MANIFESTS)
def test_a_bad_manifest_is_refused(job: Job, engine: Engine, tensors: Path, tmp_path: Path, how: str) -> None:
    bad = Path(shutil.copytree(tensors, tmp_path / "tensors"))
    damage, expected = MANIFESTS[how]
    described = json.loads((bad / "tensors.json").read_text(encoding="utf-8"))
    (bad / "tensors.json").write_text(damage(described), encoding="utf-8")
    try:
        said = engine.check(job(bad, tmp_path))
    except (InputError, Unreadable) as error:
        said = [str(error)]
    assert any(expected in problem for problem in said), said


def test_shards_that_ranks_cannot_share_are_refused(
    job: Job, case: Case, engine: Engine, tensors: Path, tmp_path: Path
) -> None:
    if case.ranks == 1:
        pytest.skip("one rank reads any number of shards")
    bad = Path(shutil.copytree(tensors, tmp_path / "tensors"))
    described = json.loads((bad / "tensors.json").read_text(encoding="utf-8"))
    (bad / "tensors.json").write_text(json.dumps({**described, "shards": case.ranks + 1}), encoding="utf-8")
    assert any("can't share" in problem for problem in engine.check(job(bad, tmp_path)))
