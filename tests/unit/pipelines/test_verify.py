"""What rots without a trace in size and time is found by those who use it, named, and made again."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from benchmarks.damage import call
from benchmarks.damage_root import DATES
from tests import finished


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("finished") / "project"
    finished.make(folder)
    return folder


@pytest.fixture
def root(whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Of a project of its own, in which the test works; what is remembered of its files is right."""
    shutil.copytree(whole, tmp_path / "project")
    monkeypatch.chdir(tmp_path / "project")
    assert call(["verify", "--all"])[0] == 0
    return Path("runs")


def rot(file: Path) -> None:
    stat, content = file.stat(), file.read_bytes()
    file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def newest(root: Path, op: str) -> Path:
    """The output of a step of the second date's run."""
    run = sorted(root.glob("shop/2*"))[-1]
    steps = json.loads((run / "run.json").read_text())["steps"]
    return root / "store" / op / next(step["key"][:32] for step in steps if step["op"] == op)


def planned(step: str) -> str:
    _, said = call(["plan", "shop.yaml", "--date", DATES[-1], "--json"])
    return next(f"{one['action']}: {one['why']}" for one in json.loads(said) if one["step"] == step)


def test_all_is_whole_at_first(root: Path) -> None:
    for words in (["--all"], ["last"], ["shop"], ["shop:1"]):
        status, said = call(["verify", *words, "--json"])
        told = json.loads(said)
        assert status == 0 and told["damaged"] == [] and told["files"] > 10
    for words in (["shop:9"], ["nobody"], ["shop:x"]):
        assert call(["verify", *words])[0] == 2


@pytest.mark.parametrize("which", [["--all"], ["last"]])
def test_verify_names_what_rots_and_the_next_run_makes_it_again(root: Path, which: list[str]) -> None:
    file = newest(root, "model.train") / "weights.npz"
    rot(file)
    assert planned("train.m").startswith("reuse"), "a plan reads no file whose size and time are as they were"
    status, said = call(["verify", *which])
    assert status == 1 and f"{file}: has changed (its checksum differs)" in said and "run the definition again" in said
    assert planned("train.m").startswith("run: output damaged: weights.npz has changed")


@pytest.mark.parametrize(
    "words", [["promote", "last", "--force"], ["export", "last", "there", "--dry-run"], ["score", "RUN", "x", "y"]]
)
def test_those_who_use_an_output_read_it(root: Path, words: list[str]) -> None:
    run = sorted(root.glob("shop/2*"))[-1].name
    rot(newest(root, "tensor.encode") / "vocabulary.tsv")
    status, said = call([run if word == "RUN" else word for word in words])
    assert status == 2 and "the output of tensors is damaged: vocabulary.tsv has changed" in said and "daily" in said
    assert planned("tensors").startswith("run: output damaged: vocabulary.tsv has changed")


def test_a_version_that_rots_is_named_and_not_used(root: Path) -> None:
    rot(root / "models/shop/2/weights.npz")
    status, said = call(["verify", "shop", "--json"])
    (harm,) = json.loads(said)["damaged"]
    assert status == 1 and harm["file"].endswith("models/shop/2/weights.npz") and "rollback" in harm["cure"]
    status, said = call(["score", "shop", "days", "out"])
    assert status == 2 and "version 2 of shop is damaged: weights.npz has changed" in said
    assert call(["rollback", "shop"])[0] == 0 and call(["verify", "shop:1"])[0] == 0


def test_an_output_that_is_gone_is_told(root: Path) -> None:
    shutil.rmtree(newest(root, "text.embed"))
    status, said = call(["verify"])
    assert status == 1 and "the output of embed is gone" in said and "daily shop.yaml" in said
