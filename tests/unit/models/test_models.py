"""Metrics, tensor reading and checkpoints: without TensorFlow."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.checkpoint import Checkpoint
from models.metrics import confusion, summarize
from models.tensors import Tensors, batches, shuffled
from textmill.errors import InputError

LENGTH = 3


def tensors(folder: Path, rows: int = 12, shards: int = 4) -> Tensors:
    """Row n has ids [n, n, n] and label n."""
    (folder / "train").mkdir(parents=True)
    per = rows // shards
    for shard in range(shards):
        numbers = np.arange(shard * per, (shard + 1) * per, dtype=np.int32)
        ids = pa.array([[n] * LENGTH for n in numbers], pa.list_(pa.int32()))
        columns = {"ids": ids, "label": numbers, "weight": np.ones(per, np.float32)}
        pq.write_table(pa.table(columns), folder / "train" / f"{shard:05d}.parquet")
    parts = {"train": {"rows": rows, "rows_per_shard": per}}
    described = {"length": LENGTH, "shards": shards, "vocabulary": {"size": rows}, "parts": parts}
    (folder / "tensors.json").write_text(json.dumps(described))
    return Tensors(folder)


@given(batch=st.integers(1, 20), ranks=st.sampled_from([1, 2, 4]), epoch=st.integers(1, 3))
def test_every_rank_takes_equal_steps_and_all_rows_are_seen_once(
    tmp_path_factory: pytest.TempPathFactory, batch: int, ranks: int, epoch: int
) -> None:
    found = tensors(tmp_path_factory.mktemp("tensors") / "t")
    taken = [list(shuffled(found, "train", batch, 7, epoch, rank, ranks)) for rank in range(ranks)]
    assert all((part.ids == part.label[:, None]).all() for parts in taken for part in parts)
    assert sorted(int(label) for parts in taken for part in parts for label in part.label) == list(range(12))
    assert {len(parts) for parts in taken} == {found.steps("train", batch)}
    of_step = [sum(len(part.label) for part in parts) for parts in zip(*taken, strict=True)]
    assert of_step[:-1] == [batch] * (len(of_step) - 1) and 0 < of_step[-1] <= batch


def test_the_order_depends_on_seed_and_epoch_alone(tmp_path: Path) -> None:
    found = tensors(tmp_path / "t")

    def order(seed: int, epoch: int) -> list[int]:
        return [int(label) for part in shuffled(found, "train", 5, seed, epoch) for label in part.label]

    assert order(7, 1) == order(7, 1)
    assert len({tuple(order(7, 1)), tuple(order(7, 2)), tuple(order(8, 1))}) == 3
    assert [int(label) for part in batches(found, "train", 5) for label in part.label] == list(range(12))


def test_what_does_not_fit_is_named(tmp_path: Path) -> None:
    found = tensors(tmp_path / "t")
    assert found.problems() == []
    assert "3 ranks can't share 4 shards equally: use [1, 2, 4]" in found.problems(3)[0]
    (tmp_path / "t" / "train" / "00003.parquet").unlink()
    pq.write_table(
        pq.read_table(tmp_path / "t" / "train" / "00000.parquet").slice(1), tmp_path / "t" / "train" / "00000.parquet"
    )
    assert [problem.split(str(tmp_path))[1] for problem in Tensors(tmp_path / "t").problems()] == [
        "/t/train holds 3 shards instead of 4",
        "/t/train/00000.parquet has 2 rows instead of 3: ranks would take unequal steps",
    ]
    with pytest.raises(InputError, match="tensors.json is missing"):
        Tensors(tmp_path / "gone").problems()


def test_metrics_of_a_table() -> None:
    found = summarize(np.array([[3, 1, 0], [1, 1, 0], [0, 0, 0]]), ["a", "b", "c"])
    assert (found["rows"], found["accuracy"]) == (6, pytest.approx(4 / 6))
    assert found["per_class"][0] == {"label": "a", "precision": 0.75, "recall": 0.75, "f1": 0.75, "support": 4}
    assert found["macro_f1"] == pytest.approx((0.75 + 0.5) / 2)  # c occurs nowhere


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=60))
def test_metrics_agree_with_their_definitions(pairs: list[tuple[int, int]]) -> None:
    true, predicted = (np.array(side) for side in zip(*pairs, strict=True))
    found = summarize(confusion(true, predicted, 5), list("abcde"))
    assert found["accuracy"] == pytest.approx(float((true == predicted).mean()))
    f1 = []
    for label in sorted({*true.tolist(), *predicted.tolist()}):
        hit = int(((true == label) & (predicted == label)).sum())
        wrong = int((true == label).sum()) + int((predicted == label).sum()) - 2 * hit
        f1.append(2 * hit / (2 * hit + wrong))
    assert found["macro_f1"] == pytest.approx(sum(f1) / len(f1))


def test_a_checkpoint_comes_back_as_it_was_and_only_for_its_job(tmp_path: Path) -> None:
    path, arrays = tmp_path / "latest.npz", [np.arange(3.0), np.float32(2)]
    Checkpoint(path, {"seed": 1}).save(arrays, arrays, arrays, [{"epoch": 1, "loss": 0.1 + 0.2}])
    state = Checkpoint(path, {"seed": 1}).load()
    assert state is not None and state.epochs == [{"epoch": 1, "loss": 0.1 + 0.2}]
    assert all((a == b).all() for a, b in zip(state.weights, arrays, strict=True))
    assert Checkpoint(path, {"seed": 2}).load() is None
    path.write_bytes(path.read_bytes()[:100])
    assert Checkpoint(path, {"seed": 1}).load() is None
