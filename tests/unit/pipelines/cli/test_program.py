"""The line that resumes begins with the program as it was called, and a shell can run it."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[4]
LAUNCHER = """#!{python}
import sys
sys.path.insert(0, {root!r})
from pipelines.cli import main
main()
"""
DEFINITION = "name: m\ninputs: {c: {path: none.jsonl, format: jsonl}}\nsteps: {clean: {do: text.clean, from: c}}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A program in a folder with blanks, and a definition whose input is missing."""
    place = tmp_path / "my 'bin' $x"
    place.mkdir()
    (place / "mill").write_text(LAUNCHER.format(python=sys.executable, root=str(ROOT)))
    (place / "mill").chmod(0o755)
    (place / "plain.py").write_text(LAUNCHER.format(python=sys.executable, root=str(ROOT)))
    (place / "a b.yaml").write_text(DEFINITION)
    return place


@pytest.mark.parametrize("called", ["absolute", "relative", "by name", "python file", "python -m"])
def test_the_line_runs_as_it_is_printed(called: str, folder: Path) -> None:
    program = {
        "absolute": [str(folder / "mill")],
        "relative": ["./mill"],
        "by name": ["mill"],
        "python file": [sys.executable, "plain.py"],
        "python -m": [sys.executable, "-m", "pipelines.cli"],
    }[called]
    environ = {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    environ.pop("TEXTMILL_AGAIN", None)
    words = ["daily", "a b.yaml", "--date", "2026-01-01", "--set", "vars.x=it's 100%", "--sample", "0.00001"]
    given = {"cwd": folder, "env": environ, "capture_output": True, "text": True, "check": False}
    first = subprocess.run([*program, *words], **given)
    (line,) = [one for one in first.stderr.splitlines() if one.startswith("resume: ")]
    resume = line.removeprefix("resume: ")
    assert first.returncode == 2 and shlex.split(resume)[-6:] == words[-6:]
    second = subprocess.run(resume, shell=True, **given)
    assert (second.returncode, second.stderr) == (2, first.stderr), "it says the same again"


def test_a_container_prints_the_command_that_started_it(folder: Path) -> None:
    environ = {**os.environ, "TEXTMILL_AGAIN": "scripts/submit.sh daily m.yaml"}
    done = subprocess.run(
        [str(folder / "mill"), "daily", "a b.yaml"], cwd=folder, env=environ, capture_output=True, text=True, check=False
    )
    assert done.stderr.splitlines()[-1] == "resume: scripts/submit.sh daily m.yaml"
