"""House-keeping removes what nothing refers to, and nothing else."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from pipelines import gc, lease

KEYS = {name: name * 64 for name in "abcdef"}


def output(root: Path, key: str, files: str = "manifest.json") -> Path:
    folder = root / "store/text.clean" / KEYS[key][:32]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / files).write_text("{}")
    return folder


def run(root: Path, number: int, keys: str, status: str = "done") -> Path:
    folder = root / "m" / f"2026010{number}-000000-abcd"
    folder.mkdir(parents=True)
    steps = [{"step": "clean", "key": KEYS[key]} for key in keys]
    record = {"run": folder.name, "name": "m", "status": status, "host": "elsewhere", "pid": 1, "steps": steps}
    (folder / "run.json").write_text(json.dumps(record))
    return folder


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for key in "abcdef":
        output(tmp_path, key)
    for number, keys in enumerate(("a", "ab", "c", "d"), 1):
        run(tmp_path, number, keys, "running" if keys == "c" else "done")
    return tmp_path


LATER = time.time() + 2 * gc.YOUNG_SECONDS


def names(found: gc.Garbage) -> tuple[str, str]:
    return "".join(folder.name[7] for folder in found.runs), "".join(sorted(folder.name[0] for folder in found.outputs))


def test_the_newest_runs_running_ones_and_their_outputs_stay(root: Path) -> None:
    assert names(gc.find(root, 1, LATER)) == ("21", "abef")
    assert names(gc.find(root, 3, LATER)) == ("1", "ef"), "the third newest run still refers to a"
    gc.find(root, 1, LATER).remove()
    assert sorted(folder.name[0] for folder in (root / "store/text.clean").iterdir()) == ["c", "d"]
    assert names(gc.find(root, 1, LATER)) == ("", "")


def test_what_a_version_came_from_stays(root: Path) -> None:
    version = root / "models/m/1"
    version.mkdir(parents=True)
    manifest = {"keys": {"clean": KEYS["e"]}, "run": "20260101-000000-abcd", "files": {}}
    (version / "manifest.json").write_text(json.dumps(manifest))
    (version.parent / "current.json").write_text('{"version": 1}')
    assert names(gc.find(root, 1, LATER)) == ("2", "bf")


def test_nothing_of_a_pipeline_that_runs_under_a_lease_is_removed(root: Path) -> None:
    with lease.held(root, "m", "daily"):
        assert names(gc.find(root, 1, LATER)) == ("", "ef")


def test_young_outputs_and_those_being_built_stay(root: Path) -> None:
    assert gc.find(root, 1).outputs == ()
    building = root / "store/text.clean" / f"{KEYS['f'][:32]}.host.1-abc.part"
    building.mkdir()
    checkpoints = root / "store/text.clean" / f"{KEYS['d'][:32]}.checkpoints"
    checkpoints.mkdir()
    os.utime(building, (0, 0))
    found = gc.find(root, 1, LATER)
    assert building not in found.outputs and checkpoints not in found.outputs


def test_a_pipeline_that_is_called_like_a_folder_of_the_root_is_left_alone(root: Path) -> None:
    """Such names are refused now; one of an earlier release may be there, with its runs among the outputs."""
    folder = root / "store/20260101-000000-abcd"
    (folder / "train-logs").mkdir(parents=True)
    for name in ("run.json", "plan.json", "log"):
        (folder / name).write_text("{}")
    (root / "models/strange name").mkdir(parents=True)
    (root / "models/strange name/current.json").write_text('{"version": 1}')
    found = gc.find(root, 1, now=time.time() + 1e6)
    assert found.outputs and not any(folder in (one, *one.parents) for one in found.outputs)
    found.remove()
    assert (folder / "plan.json").exists()
