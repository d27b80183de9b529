"""Tensors decoded once for all trials of a machine."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models.sweep import arrays
from models.tensors import Tensors, batches
from tests.e2e.engines import cases
from textmill.errors import InputError


@pytest.fixture
def tensors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TEXTMILL_CACHE", str(tmp_path / "cache"))
    return cases.write(tmp_path / "tensors", 80, 40)


def test_rows_are_those_of_the_tensors_and_are_mapped(tensors: Path) -> None:
    found, told = arrays.decoded(tensors), Tensors(tensors)
    assert (found.labels, found.length, found.rows("train")) == (told.labels, told.length, 80)
    for part in ("train", "valid"):
        for ours, theirs in zip(batches(found, part, 7), batches(told, part, 7), strict=True):
            np.testing.assert_array_equal(ours.ids, theirs.ids)
            np.testing.assert_array_equal(ours.label, theirs.label)
            np.testing.assert_array_equal(ours.weight, theirs.weight)
    shard = found.read(found.files("train")[0])
    assert all(isinstance(values, np.memmap) for values in (shard.ids, shard.label, shard.weight))
    assert shard.ids.dtype == np.int32


def test_they_are_decoded_once_until_they_change(tensors: Path) -> None:
    first = arrays.decoded(tensors)
    stamp = first.files("train")[0].stat().st_mtime_ns
    assert arrays.decoded(tensors).files("train")[0].stat().st_mtime_ns == stamp
    file = Tensors(tensors).files("train")[0]
    file.write_bytes(file.read_bytes())
    assert arrays.decoded(tensors).folder != first.folder


def test_a_damaged_shard_leaves_nothing_behind(tensors: Path) -> None:
    described = (tensors / "tensors.json").read_text(encoding="utf-8")
    (tensors / "tensors.json").write_text(described.replace('"length": 8', '"length": 9'), encoding="utf-8")
    with pytest.raises(InputError, match="ids in .* rows, 9 each are described"):
        arrays.decoded(tensors)
    assert not [path for path in (tensors.parent / "cache" / "arrays").iterdir() if path.is_dir()]
