"""Published models: whole or absent, numbered once, and a pointer that always names a whole one."""

from __future__ import annotations

import datetime as dt
import json
import threading
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from pipelines.cli import cli
from pipelines.lineage import Lineage, Output
from pipelines.versions import Versions, names
from spark_jobs.base import digest
from textmill import places
from textmill.errors import InputError, TextmillError, Unreadable

FILES = {
    "train.m": {"saved_model/saved_model.pb": b"graph", "saved_model/variables/v": b"1", "model.json": b"{}"},
    "tensors": {
        "vocabulary.tsv": b"a\t3\n",
        "labels.json": b'["x", "y"]',
        "tensors.json": json.dumps({"length": 4, "truncate": "end", "vocabulary": {"unknown_buckets": 0}}).encode(),
        "train/00000.parquet": b"rows that are not published",
    },
    "tokens": {"analysis.json": '{"analyzer": "nori", "user_dict": ["가방"]}'.encode()},
    "evaluate.m": {"metrics.json": b'{"rows": 10, "accuracy": 0.9, "macro_f1": 0.8, "labels": ["x", "y"]}'},
}


def output(root: Path, step: str) -> Output:
    folder, files = root / "store" / step, {}
    for name, content in FILES[step].items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
        files[name] = {"bytes": len(content), "sha256": places.checksum(folder / name)}
    return Output(step, digest(step), folder, {"files": files})


@pytest.fixture
def lineage(tmp_path: Path) -> Lineage:
    run: dict[str, Any] = {"run": "20260101-000000-abcd", "date": "2026-01-01", "definition": "d.yaml"}
    return Lineage(run, "m", *[output(tmp_path, step) for step in FILES], clean={"unicode": "NFC"})


def test_a_version_holds_all_that_using_it_takes_and_no_row(lineage: Lineage, tmp_path: Path) -> None:
    version = Versions(tmp_path, "m").publish(lineage, "first")
    assert set(places.files(version.folder)) == {
        "manifest.json", "chain.json", "saved_model/saved_model.pb", "saved_model/variables/v", "model.json",
        "vocabulary.tsv", "labels.json", "tensors.json", "metrics.json",
    }  # fmt: skip
    chain = json.loads((version.folder / "chain.json").read_text())
    assert chain["clean"] == {"unicode": "NFC"} and chain["tokenize"]["user_dict"] == ["가방"]
    assert chain["encode"] == {"length": 4, "truncate": "end", "oov_buckets": 0}
    assert version.manifest["keys"]["train.m"] == digest("train.m") and version.metrics["macro_f1"] == 0.8
    assert version.damage() is None and names(tmp_path) == ["m"]
    (version.folder / "saved_model/variables/v").write_bytes(b"2")
    assert "saved_model/variables/v has changed" in str(version.damage())


def test_rollback_goes_back_one_by_one_and_numbers_are_never_used_again(lineage: Lineage, tmp_path: Path) -> None:
    versions = Versions(tmp_path, "m")
    assert versions.current() is None
    assert [versions.publish(lineage, "x").number for _ in range(3)] == [1, 2, 3]
    assert [versions.rollback().number, versions.rollback().number] == [2, 1]
    with pytest.raises(InputError, match="no version before"):
        versions.rollback()
    assert versions.publish(lineage, "x").number == 4
    assert versions.rollback().number == 1, "what was rolled back is not what was current before"
    assert versions.rollback(3).number == 3
    with pytest.raises(InputError, match=r"no version 9 \(there are: 1, 2, 3, 4\)"):
        versions.rollback(9)


def test_one_command_goes_back_and_the_next_date_starts_from_what_is_current(lineage: Lineage, tmp_path: Path) -> None:
    versions, later = Versions(tmp_path, "m"), dt.date(2026, 1, 9)
    first, second = versions.publish(lineage, "x"), versions.publish(lineage, "y")
    assert versions.before(later).number == second.number  # type: ignore[union-attr]
    done = CliRunner().invoke(cli, ["rollback", "m", "--root", str(tmp_path)], catch_exceptions=False)
    assert done.output == "m version 1 of run 20260101-000000-abcd is current again\n"
    assert versions.current().number == first.number == versions.before(later).number  # type: ignore[union-attr]
    assert versions.before(dt.date(2026, 1, 1)) is None, "a date does not start from its own version"
    with pytest.raises(InputError, match="no version before the current one"):
        CliRunner().invoke(cli, ["rollback", "m", "--root", str(tmp_path)], catch_exceptions=False)


def test_only_the_newest_and_the_current_version_are_kept(lineage: Lineage, tmp_path: Path) -> None:
    versions = Versions(tmp_path, "m")
    for _ in range(4):
        versions.publish(lineage, "x", keep=2)
    assert [version.number for version in versions.all()] == [3, 4]
    versions.rollback()
    assert versions.forget(1, dry=True) == [] and versions.forget(1) == []
    assert [version.number for version in versions.all()] == [3, 4], "3 is current, 4 the newest"


def test_in_an_object_store_too_a_version_is_there_with_its_manifest_alone(lineage: Lineage, tmp_path: Path) -> None:
    versions = Versions(places.place(f"memory://{tmp_path.name}/runs"), "m")
    assert [versions.publish(lineage, "x").number for _ in range(2)] == [1, 2]
    (versions.folder / "3").mkdir()
    (versions.folder / "3" / "model.json").write_bytes(b"half of a version")
    current = versions.current()
    assert current is not None and current.number == 2 and current.damage() is None
    assert [version.number for version in versions.all()] == [1, 2] and versions.rollback().number == 1
    assert versions.publish(lineage, "x").number == 3, "who made the half was killed, and its number is free"
    assert versions.current().damage() is None  # type: ignore[union-attr]


def test_an_output_that_changed_publishes_nothing(lineage: Lineage, tmp_path: Path) -> None:
    versions = Versions(tmp_path, "m")
    versions.publish(lineage, "x")
    (lineage.model.folder / "model.json").write_text("other")
    with pytest.raises(TextmillError, match="model.json changed while it was published"):
        versions.publish(lineage, "x")
    assert [path.name for path in sorted((tmp_path / "models/m").iterdir())] == ["1", "current.json"]


def test_a_reader_of_current_always_finds_a_whole_version(lineage: Lineage, tmp_path: Path) -> None:
    versions, seen, done = Versions(tmp_path, "m"), set(), threading.Event()
    versions.publish(lineage, "x")

    def read() -> None:
        while not done.is_set():
            current = Versions(tmp_path, "m").current()
            seen.add(None if current is None else current.damage())

    reader = threading.Thread(target=read)
    reader.start()
    for _ in range(20):
        versions.publish(lineage, "x", keep=3)
    done.set()
    reader.join()
    assert seen == {None}


DAMAGE = ["", '{"version": 1, "fi', "{}", "[1]", '{"version": true}', '{"version": 1e999}', "[" * 5000]


@pytest.mark.parametrize("content", DAMAGE)
def test_a_damaged_current_is_named_and_written_anew_by_a_rollback(
    lineage: Lineage, tmp_path: Path, content: str
) -> None:
    versions = Versions(tmp_path, "m")
    versions.publish(lineage, "x")
    versions.publish(lineage, "y")
    (versions.folder / "current.json").write_text(content)
    for use in (versions.current, versions.rollback, lambda: versions.publish(lineage, "z")):
        with pytest.raises(Unreadable, match="current.json is damaged: .*textmill rollback NAME --to VERSION"):
            use()
    assert [version.number for version in versions.all()] == [1, 2] and not (versions.folder / "3").exists()
    assert versions.rollback(2).number == 2 and versions.current() is not None
    assert versions.publish(lineage, "z").number == 3


@pytest.mark.parametrize("content", [*DAMAGE, '{"run": "r", "files": {"../a": {"sha256": "x"}}}'])
def test_a_damaged_version_is_named_and_the_others_go_on(lineage: Lineage, tmp_path: Path, content: str) -> None:
    versions = Versions(tmp_path, "m")
    for _ in range(3):
        versions.publish(lineage, "x")
    (versions.folder / "2" / "manifest.json").write_text(content)
    found, damaged = versions.read()
    assert [version.number for version in found] == [1, 3] and list(damaged) == [2]
    with pytest.raises(Unreadable, match="2/manifest.json is damaged"):
        versions.get(2)
    assert versions.rollback().number == 1
    assert versions.publish(lineage, "x").number == 4


def test_a_version_whose_manifest_was_edited_or_is_anothers_is_noticed(lineage: Lineage, tmp_path: Path) -> None:
    versions = Versions(tmp_path, "m")
    first, second = versions.publish(lineage, "x"), versions.publish(lineage, "y")
    file = first.folder / "manifest.json"
    file.write_text(file.read_text().replace("0.8", "0.9"))
    with pytest.raises(Unreadable, match="changed after it was written"):
        versions.get(1)
    file.write_bytes((second.folder / "manifest.json").read_bytes())
    with pytest.raises(Unreadable, match="it is that of version 2 of m"):
        versions.get(1)
