"""A checkout, a working folder and inputs whose names Spark, Hadoop, a shell or a URI would each read as something else."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.e2e.conftest import CONF, SMALL, Project

ODD = "my project [v2] {a} #1 100% 한글 'q' \"q\" & ;"
PARTS = ("pipelines", "spark_jobs", "models", "textmill", "spark_sklearn", "build/libs")
MASTER = 'master: "local-cluster[1,1,1024]"'


def checkout(folder: Path) -> Path:
    """What runs of this checkout, in another folder."""
    for part in PARTS:
        shutil.copytree(CONF.parent / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def test_executors_and_all_steps_work_in_folders_of_odd_names(tmp_path: Path) -> None:
    (tmp_path / ODD).mkdir()
    project = Project(tmp_path / ODD)
    given, other = project.folder / "[최종] {a} 100%.jsonl", project.folder / "최 a 100%.jsonl"
    (project.folder / "chats.jsonl").rename(given)
    other.write_text('{"text": "another file", "intent": "wrong"}\n', encoding="utf-8")
    definition = SMALL.replace("path: chats.jsonl", f"path: '{given.name}'").replace('master: "local[2]"', MASTER)
    project.definition.write_text(definition, encoding="utf-8")
    source = checkout(tmp_path / ODD / "textmill")
    command = [sys.executable, "-c", "from pipelines.cli import main; main()", "run", "small.yaml"]
    command += ["--root", ODD, "--to", "tensors"]
    done = subprocess.run(
        command, cwd=project.folder, env={**os.environ, "PYTHONPATH": str(source)}, capture_output=True, text=True,
        timeout=600, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "clean              run" in done.stdout
    assert project.checksums(ODD).keys() >= {"clean", "dedup", "tokens", "tensors"}
