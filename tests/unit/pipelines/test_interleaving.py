"""House-keeping at every moment of what others do: they end as they would have without it."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipelines import gc, lease, pins
from pipelines.lineage import Lineage, Output
from pipelines.versions import Version, Versions
from tests.interleaving import meanwhile
from tests.unit.pipelines.test_versions import FILES, output


@pytest.fixture(autouse=True)
def _nothing_is_young(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gc, "YOUNG_SECONDS", -1.0)
    monkeypatch.setattr(os, "fsync", lambda _: None)  # thousands of them, and no power fails here


def keep_house(root: Path) -> Callable[[], None]:
    def sweep() -> None:
        if _is_locked(root / "store" / "lease.guard"):
            return  # another process would wait until this one's moment has passed
        with suppress(lease.Held), pins.sweeping(root, "gc") as pinned:
            found = gc.find(root, 1, pinned)
            assert found.unread == ()
            found.remove()

    return sweep


def _is_locked(guard: Path) -> bool:
    guard.parent.mkdir(parents=True, exist_ok=True)
    with guard.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def a_run(root: Path, number: int) -> Lineage:
    """A run that is done, with outputs at the places of their keys."""
    outputs = []
    for index, step in enumerate(FILES):
        made = output(root.with_name(f"made-{root.name}"), step)
        folder = root / "store" / step / (f"{number}{index}" * 16)
        folder.parent.mkdir(parents=True, exist_ok=True)
        made.folder.rename(folder)
        (folder / "manifest.json").write_text(json.dumps(made.manifest))
        outputs.append(Output(step, folder.name * 2, folder, made.manifest))
    name = f"2026010{number}-000000-abcd"
    steps = [{"step": made.step, "key": made.key} for made in outputs]
    record: dict[str, Any] = {"run": name, "name": "m", "date": f"2026-01-0{number}", "status": "done", "host": "x",
                              "pid": 1, "steps": steps, "definition": "d.yaml"}  # fmt: skip
    (root / "m" / name).mkdir(parents=True)
    (root / "m" / name / "run.json").write_text(json.dumps(record))
    return Lineage(record, "m", *outputs, clean={"unicode": "NFC"})


def promote(root: Path, lineage: Lineage, keep: int = 2) -> Version:
    with lease.held(root, "m", "promote"), pins.of_run(root, "promote", lineage.run):
        if any(not (made.folder / "manifest.json").exists() for made in lineage.outputs):
            raise LookupError("the run was removed before it was promoted")  # as lineage.of_run says
        return Versions(root, "m").publish(lineage, "x", keep)


def state(root: Path) -> tuple[Any, ...]:
    versions = Versions(root, "m")
    pointer = versions.pointer()
    assert all(version.damage() is None for version in versions.all())
    return [version.number for version in versions.all()], pointer["version"], pointer["history"]


def prepared(root: Path) -> list[Lineage]:
    """Versions 1 and 2 are published; the run of 3 is not the newest: nothing but what uses it keeps it."""
    made = [a_run(root, number) for number in (1, 2, 3, 4)]
    for lineage in made[:2]:
        promote(root, lineage)
    return made


def rollback(root: Path, _: Lineage) -> None:
    with lease.held(root, "m", "rollback"):
        Versions(root, "m").rollback()


def swap(root: Path, lineage: Lineage) -> None:
    """What serves version 1 goes on to read its files until the next one answers."""
    versions = Versions(root, "m")
    with pins.pinned(root, "serve", versions=[("m", 1)], reads=True):
        promote(root, lineage, keep=1)
        assert versions.get(1).damage() is None
        with pins.pinned(root, "serve", versions=[("m", 3)], reads=True):
            assert versions.get(3).damage() is None
    versions.forget(1)


def copied(original: Path, root: Path, made: Lineage) -> Lineage:
    """The same under another root."""
    shutil.copytree(original, root)
    outputs = [replace(one, folder=root / one.folder.relative_to(original)) for one in made.outputs]
    return Lineage(made.run, "m", *outputs, clean=made.clean)


@pytest.mark.parametrize("does", [promote, rollback, swap])
def test_house_keeping_at_every_moment_changes_nothing(does: Callable[..., Any], tmp_path: Path) -> None:
    original, alone = tmp_path / "original", tmp_path / "alone"
    third = prepared(original)[2]
    made = copied(original, alone, third)
    with meanwhile(alone, lambda: None) as counted:
        does(alone, made)
    assert counted.count > 10
    for at in [*range(counted.count), None]:
        root = tmp_path / str(at)
        made = copied(original, root, third)
        with meanwhile(root, keep_house(root), at):
            try:
                does(root, made)
            except LookupError:
                assert at is None or at < counted.count / 4, "it was pinned by then"
            else:
                assert state(root) == state(alone), f"at moment {at} of {counted.count}"
        shutil.rmtree(root)
