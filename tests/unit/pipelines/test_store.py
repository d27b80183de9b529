"""An output is whole or absent, whatever happens while it is made."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipelines.store import Store
from spark_jobs.base import Written
from textmill.errors import Unreadable
from textmill.places import Place, place
from textmill.stored import sealed

BECAUSE = {"op": "text.clean", "version": 1}


def publish(store: Store, content: str = "hello", key: str = "k" * 64, because: dict[str, Any] = BECAUSE) -> Place:
    with store.building("clean", "text.clean", key, because) as building:
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
    folder, here = tmp_path / "store" / "text.clean", socket.gethostname()
    dead, live = (folder / f"{'k' * 32}.{here}.{pid}-abc.part" for pid in (4194999, os.getppid()))
    other, old = (folder / f"{'k' * 32}.node-7.example.{pid}-abc.part" for pid in (1, 2))
    for left in (dead, live, other, old):
        left.mkdir(parents=True)
    os.utime(old, (0, 1_000_000))
    publish(Store(tmp_path))
    assert [left.exists() for left in (dead, live, other, old)] == [False, True, True, False]


def test_a_damaged_output_is_replaced(tmp_path: Path) -> None:
    folder = publish(Store(tmp_path))
    (folder / "rows" / "00000.parquet").unlink()
    publish(Store(tmp_path), "again")
    assert damage(Store(tmp_path)) is None
    assert (folder / "rows" / "00000.parquet").read_text() == "again"


@pytest.mark.parametrize(
    "content", ["", '{"step": "cl', "{}", "[]", "[" * 5000, '{"step": 1e999}', "null", '{"a": 1, "a": 1}']
)
def test_a_damaged_manifest_is_named_and_its_output_is_no_whole_one(tmp_path: Path, content: str) -> None:
    folder = publish(Store(tmp_path))
    (folder / "manifest.json").write_text(content)
    with pytest.raises(Unreadable, match="manifest.json is damaged: .*run the definition again"):
        Store(tmp_path).manifest("text.clean", "k" * 64)
    assert str(Store(tmp_path).whole("text.clean", "k" * 64)).startswith("manifest.json: ")
    publish(Store(tmp_path))
    assert isinstance(Store(tmp_path).whole("text.clean", "k" * 64), dict), "it is made again"


def test_a_manifest_of_fewer_rows_is_noticed_and_one_of_an_earlier_head_is_read(tmp_path: Path) -> None:
    folder = publish(Store(tmp_path))
    told = json.loads((folder / "manifest.json").read_text())
    told["parts"]["rows"]["rows"] = 0
    (folder / "manifest.json").write_text(json.dumps(told))
    assert Store(tmp_path).whole("text.clean", "k" * 64) == (
        "manifest.json: it was changed after it was written (its checksum differs)"
    )
    del told["checksum"]
    (folder / "manifest.json").write_text(json.dumps(told))
    assert damage(Store(tmp_path)) is None
    (folder / "manifest.json").write_text(json.dumps({**told, "key": "b" * 64}))
    assert "manifest.json: it is that of text.clean/bbb" in str(Store(tmp_path).whole("text.clean", "k" * 64))


def test_rot_that_leaves_size_and_time_is_found_by_reading_and_forgotten(tmp_path: Path) -> None:
    file = publish(Store(tmp_path)) / "rows" / "00000.parquet"
    stat = file.stat()
    file.write_text("hellO")
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert damage(Store(tmp_path)) is None, "nothing shows it but reading"
    store = Store(tmp_path)
    assert (
        store.whole("text.clean", "k" * 64, lambda name: True)
        == "rows/00000.parquet has changed (its checksum differs)"
    )
    store.digests.save()
    assert damage(Store(tmp_path)) == "rows/00000.parquet has changed (its checksum differs)", "a run makes it again"


def test_a_memory_that_is_wrong_of_a_whole_file_makes_nothing_again(tmp_path: Path) -> None:
    publish(Store(tmp_path))
    memo = tmp_path / "store" / "digests.json"
    told = {name: [*known[:2], "0" * 64] for name, known in json.loads(memo.read_text()).items() if name != "checksum"}
    memo.write_text(json.dumps(told))
    assert damage(Store(tmp_path)) is None


def test_a_lost_or_broken_memo_of_digests_changes_nothing(tmp_path: Path) -> None:
    publish(Store(tmp_path))
    (tmp_path / "store" / "digests.json").write_text("{")
    assert damage(Store(tmp_path)) is None


@pytest.fixture
def bucket() -> Iterator[Place]:
    """An object store: it has no folders, and nothing in it is renamed."""
    root = place(f"memory://store-{uuid.uuid4().hex}/runs")
    yield root
    root.fs.rm(root.path, recursive=True)


def test_an_object_store_holds_whole_outputs_whose_damage_is_named(bucket: Place) -> None:
    folder = publish(Store(bucket))
    assert {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} == {
        "rows/00000.parquet", "manifest.json"
    }  # fmt: skip
    assert damage(Store(bucket)) is None
    (folder / "rows" / "00000.parquet").write_bytes(b"hellO")
    assert damage(Store(bucket)) == "rows/00000.parquet has changed (its checksum differs)"
    (folder / "rows" / "00000.parquet").unlink()
    assert damage(Store(bucket)) == "rows/00000.parquet is missing"


def test_in_an_object_store_a_killed_builders_files_are_no_output_and_are_not_mixed_in(bucket: Place) -> None:
    left = Store(bucket).folder("text.clean", "k" * 64) / "rows" / "00001.parquet"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"half")
    assert Store(bucket).manifest("text.clean", "k" * 64) is None
    publish(Store(bucket))
    assert not left.exists()
    assert damage(Store(bucket)) is None


def test_nothing_is_left_in_an_object_store_of_a_build_that_fails(bucket: Place) -> None:
    store = Store(bucket)
    with pytest.raises(RuntimeError), store.building("clean", "text.clean", "k" * 64, BECAUSE) as building:
        (building.folder / "half").write_bytes(b"x")
        raise RuntimeError
    assert not store.folder("text.clean", "k" * 64).exists()


def test_checksums_known_to_the_writer_are_taken_and_files_are_not_read_again(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with store.building("clean", "text.clean", "k" * 64, BECAUSE) as building:
        (building.folder / "a").write_text("a")
        manifest = store.publish(building, Written(checksums={"a": "f" * 64}), 1.0)
    assert manifest["files"]["a"] == {"bytes": 1, "sha256": "f" * 64}


def test_siblings_are_the_outputs_of_the_same_parameters_and_code(tmp_path: Path) -> None:
    store = Store(tmp_path)
    code = {"op": "text.clean", "version": 1, "params": {"a": [1]}, "jar": "j"}
    made = [
        publish(store, text, f"{number:064d}"[::-1], {**code, "takes": [text], "files": {"f": text}, **changed})
        for number, (text, changed) in enumerate(
            [("old", {}), ("other", {"params": {"a": [2]}}), ("jar", {"jar": "k"}), ("new", {})]
        )
    ]
    (store.root / "store/text.clean" / ("b" * 32)).mkdir()
    for number, folder in enumerate(made):  # the time of an end is told to the second
        told = {
            **json.loads((folder / "manifest.json").read_text()),
            "finished": f"2026-01-0{number + 1}T00:00:00+00:00",
        }
        del told["checksum"]
        (folder / "manifest.json").write_text(json.dumps(sealed(told)))
    found = list(store.siblings("text.clean", {**code, "takes": [], "files": {}}))
    assert [sibling.folder for sibling in found] == [made[3], made[0]]
    content = hashlib.sha256(b"new").hexdigest()
    assert found[0].checksums == {"rows/00000.parquet": content}
    assert found[0].parts["rows"]["files"] == ["rows/00000.parquet"]
