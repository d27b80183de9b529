"""Each JSON file of a finished root, damaged in one way or another: no verb ends in a traceback, none removes a file."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks import damage
from benchmarks.damage import Copies, Outcome
from tests import finished

_VERBS = (  # each file meets every other one
    "plan",
    "runs",
    "show",
    "board",
    "compare",
    "versions",
    "score",
    "export",
    "verify",
    "promote",
    "rollback",
    "run",
)


@pytest.fixture(scope="module")
def copies(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Copies]:
    folder, here = tmp_path_factory.mktemp("damage"), Path.cwd()
    finished.make(folder / "made")
    with pytest.MonkeyPatch.context() as patch:
        damage.refuse(patch.setattr)
        (folder / "copies").mkdir()
        yield Copies.of(folder / "made", folder / "copies")
    os.chdir(here)


def test_no_damage_to_any_file_ends_in_a_traceback_or_loses_a_file(copies: Copies) -> None:
    found, damages = Outcome(), list(damage.DAMAGES)
    files = [name for name, _ in damage.tasks(copies.folder / "whole", quick=True, only="*")][:: len(damage.QUICK)]
    assert {Path(name).name for name in files} >= {
        "run.json",
        "plan.json",
        "manifest.json",
        "current.json",
        "digests.json",
    }
    for number, name in enumerate(files):
        found.add(damage.attempt(copies, name, damages[number % len(damages)], 7, _VERBS[number % 2 :: 2]))
    assert found.exits.total() > 10 * len(_VERBS) and found.exits["0"] and found.exits["1"]
    assert found.tracebacks == [] and found.lost == []


@pytest.mark.parametrize("content", [b"", b"[]", b'{"run": "x"}'])
def test_a_run_that_is_damaged_hides_no_other(copies: Copies, content: bytes) -> None:
    copies.reset()
    first, last = sorted(Path("runs/shop").glob("2*"))
    copies.damage(str(last / "run.json"), content)
    status, said = damage.call(["runs", "--json"])
    assert status == 0 and [(run["run"], run["status"]) for run in json.loads(said)] == [
        (last.name, "damaged"), (first.name, "done"),
    ]  # fmt: skip
    assert damage.call(["show", first.name])[0] == 0
    status, said = damage.call(["board"])
    assert status == 0 and f"{first.name}" not in said.split("note:")[1] and f"{last}/run.json is damaged" in said
    for words in (["show", "last"], ["promote"], ["show", last.name]):
        status, said = damage.call(words)
        assert status == 1 and f"{last}/run.json is damaged: " in said and "run its definition again" in said
    status, said = damage.call(["versions"])
    assert status == 0 and " 2 * " in said


def test_a_step_whose_manifest_was_edited_to_fewer_rows_is_made_again(copies: Copies) -> None:
    copies.reset()
    file = next(Path("runs/store/data.split").glob("*/manifest.json"))
    told = json.loads(file.read_text())
    told["parts"]["train"]["rows"] -= 1
    copies.damage(str(file), json.dumps(told).encode())
    said = "".join(damage.call(["plan", "shop.yaml", "--date", date])[1] for date in damage.DATES)
    assert "output damaged: manifest.json: it was changed after it was written (its checksum differs)" in said
