"""An output is whole or absent, whatever happens while it is made."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from pipelines.store import Store
from spark_jobs.base import Written

BECAUSE = {"op": "text.clean", "version": 1}


def publish(store: Store, content: str = "hello", key: str = "k" * 64) -> Path:
    with store.building("clean", "text.clean", key, BECAUSE) as building:
        (building.folder / "rows").mkdir()
        (building.folder / "rows" / "00000.parquet").write_text(content)
        (building.folder / "rows" / ".00000.parquet.crc").write_text("x")
        store.publish(building, Written({"rows": {"rows": 1, "files": ["rows/00000.parquet"], "schema": {}}}), 1.0)
    return store.folder("text.clean", key)


def damage(store: Store) -> str | None:
    manifest = Store(store.root).manifest("text.clean", "k" * 64)
    assert manifest is not None
    return Store(store.root).damage("text.clean", "k" * 64, manifest)


def test_published_output_is_whole_and_holds_no_crc_files(tmp_path: Path) -> None:
    folder = publish(Store(tmp_path))
    assert sorted(path.name for path in folder.rglob("*")) == ["00000.parquet", "manifest.json", "rows"]
    assert damage(Store(tmp_path)) is None


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        (lambda file: file.unlink(), "rows/00000.parquet is missing"),
        (lambda file: file.write_text("hell"), "rows/00000.parquet has 4 bytes instead of 5"),
        (lambda file: file.write_text("hellO"), "rows/00000.parquet has changed (its checksum differs)"),
    ],
)
def test_damage_is_named(tmp_path: Path, harm: object, told: str) -> None:
    folder = publish(Store(tmp_path))
    harm(folder / "rows" / "00000.parquet")  # type: ignore[operator]
    assert damage(Store(tmp_path)) == told


def test_nothing_is_left_of_a_build_that_fails(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with pytest.raises(RuntimeError), store.building("clean", "text.clean", "k" * 64, BECAUSE) as building:
        (building.folder / "half").write_text("x")
        raise RuntimeError
    assert list((tmp_path / "store" / "text.clean").iterdir()) == []
    assert store.manifest("text.clean", "k" * 64) is None


def test_what_a_killed_builder_left_is_removed_and_a_live_ones_is_not(tmp_path: Path) -> None:
    folder = tmp_path / "store" / "text.clean"
    here, there = socket.gethostname(), "elsewhere.invalid"
    dead, live = folder / f"{'k' * 32}.{here}.4194999-abc.part", folder / f"{'k' * 32}.{here}.{os.getppid()}-abc.part"
    of_others = folder / f"{'k' * 32}.{there}.4194999-abc.part"
    for left in (dead, live, of_others):
        left.mkdir(parents=True)
    publish(Store(tmp_path))
    assert not dead.exists() and live.exists() and of_others.exists()


def test_a_damaged_output_is_replaced(tmp_path: Path) -> None:
    folder = publish(Store(tmp_path))
    (folder / "rows" / "00000.parquet").unlink()
    publish(Store(tmp_path), "again")
    assert damage(Store(tmp_path)) is None
    assert (folder / "rows" / "00000.parquet").read_text() == "again"


def test_a_manifest_that_was_cut_off_counts_as_absent(tmp_path: Path) -> None:
    folder = publish(Store(tmp_path))
    (folder / "manifest.json").write_text('{"step": "cl')
    assert Store(tmp_path).manifest("text.clean", "k" * 64) is None


def test_a_lost_or_broken_memo_of_digests_changes_nothing(tmp_path: Path) -> None:
    publish(Store(tmp_path))
    (tmp_path / "store" / "digests.json").write_text("{")
    assert damage(Store(tmp_path)) is None
