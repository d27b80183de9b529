"""The program of an application of YARN gets the words and variables that scripts/submit.sh was given."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.submit.command import build
from scripts.submit.settings import Settings, Shipped

JOB = Path(__file__).parents[3] / "scripts/job.py"
SHIPPED = Shipped(str(JOB), "/code.zip", "/t.jar", "/definition.zip", "hdfs://nn/env.tar.gz", "hdfs://nn/spark.zip")
PROGRAM = """
import json, os, sys
def main():
    print(json.dumps([sys.argv[1:], os.environ["A"]]))
"""


def as_spark(word: str) -> str:
    """Spark's escapeForShell."""
    return "'" + "".join({"$": "\\$", '"': '\\"', "'": "'\\''"}.get(one, one) for one in word) + "'"


@pytest.mark.parametrize("word", ["`touch x`", "a\\\\b", "{{HOME}}", "$(id)", "it's \"100%\"", "한 글\n", "%7B", ""])
def test_words_come_through_the_shell_of_a_container(word: str, tmp_path: Path) -> None:
    (tmp_path / "pipelines/cli").mkdir(parents=True)
    (tmp_path / "pipelines/cli/__init__.py").write_text(PROGRAM)
    built = build("spark-submit", Settings(), SHIPPED, "n", "tag", {"A": word}, ["run", word])
    words = [sys.executable, *built[built.index(str(JOB)) :]]
    script = f'exec /bin/bash -c "{" ".join(map(as_spark, words))}"'.replace("{{", "$").replace("}}", "")
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(["bash", "-c", script], env=environ, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert json.loads(done.stdout) == [["run", word], word], done.stderr
