"""`textmill board` and `textmill compare` as a user calls them, on runs written as `textmill run` writes them."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests import boards
from tests.boards import Runs
from tests.e2e.conftest import TEXTMILL


def textmill(runs: Runs, *words: str, status: int = 0) -> str:
    command = [str(TEXTMILL), *words, "--root", str(runs.root)]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=300, check=False, env={**os.environ, "COLUMNS": "200"}
    )
    assert done.returncode == status, done.stderr
    return done.stderr if status else done.stdout


@pytest.fixture
def runs(tmp_path: Path) -> Runs:
    made = Runs(tmp_path / "runs")
    made.sweep("grid", [
        boards.trial(1, misses={"t00001"}),
        boards.trial(2, misses={f"t{n:05d}" for n in range(30)}, params={"filters": 5}),
        boards.trial(3, status="failed", error="Traceback …\nValueError: [bold]filters[/bold]", epochs=[], valid=None),
    ])  # fmt: skip
    made.training("cnn", {"t00001", "t00002"})
    return made


def test_the_board_in_the_terminal(runs: Runs) -> None:
    told = textmill(runs, "board")
    lines = [line.split() for line in told.splitlines()]
    assert [line[:4] for line in lines if "grid/0001" in line][0] == ["1", "grid/0001", "sweep", "cnn"]
    assert [line[0] for line in lines if "cnn" in line[1:2]] == ["="]
    assert [line[0] for line in lines if "grid/0002" in line] == ["3"]
    assert "failed" in told and "[bold]filters[/bold]" in told
    assert "3 done, 1 failed" in told and "best on test: grid/0001; 1 more can't be told from it" in told
    assert len(textmill(runs, "board", "-n", "1").splitlines()) < len(told.splitlines())


def test_the_board_as_json_and_as_a_page(runs: Runs, tmp_path: Path) -> None:
    page = tmp_path / "board.html"
    told: dict[str, Any] = json.loads(textmill(runs, "board", "demo", "--json", "--html", str(page)))
    assert told["best"].endswith(":grid/0001") and [ref.split(":")[1] for ref in told["ties"]] == ["cnn"]
    assert [trial["name"] for trial in told["trials"]] == ["grid/0001", "cnn", "grid/0002", "grid/0003"]
    assert set(told["trials"][0]) >= {
        "interval",
        "p",
        "tie",
        "epochs",
        "params",
        "parameters",
        "records_per_s",
        "bytes",
    }
    assert told["trials"][3]["error"].startswith("Traceback") and "source" not in told["trials"][0]
    assert "grid/0003" in page.read_text(encoding="utf-8")
    told = json.loads(textmill(runs, "board", "--json", "--sort", "name"))
    assert [trial["name"] for trial in told["trials"]] == ["cnn", "grid/0001", "grid/0002", "grid/0003"]


def test_compare_in_the_terminal_and_as_json(runs: Runs) -> None:
    told = textmill(runs, "compare", "grid/0001", "grid/0002")
    assert "difference -0.4833" in told and "they differ" in told
    assert "right → wrong: 29" in told and "and 9 more: -n 29" in told and "wrong → right: 0" in told
    found = json.loads(textmill(runs, "compare", "cnn", "grid/0001", "--json"))
    assert [change["id"] for change in found["wrong_to_right"]] == ["t00002"] and found["right_to_wrong"] == []


def test_what_is_wrong_is_said_with_exit_code_2(runs: Runs) -> None:
    assert "did you mean 'demo'" in textmill(runs, "board", "dem", status=2)
    assert "did you mean 'grid/0001'" in textmill(runs, "compare", "cnn", "grid/001", status=2)
    assert "it is failed" in textmill(runs, "compare", "cnn", "grid/0003", status=2)
    assert "there is no run '2030'" in textmill(runs, "board", "--run", "2030", status=2)
