"""The archive of classes that scripts/setup.sh makes is the one that a run's JVM loads them from."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from spark_jobs import class_archive, installation
from tests.e2e.conftest import TEXTMILL

DEFINITION = """
name: one
inputs:
  chats: {path: chats.jsonl, format: jsonl}
steps:
  clean: {do: text.clean, from: chats}
profiles:
  local: {spark: {master: "local[1]", memory: 1g}}
"""


@pytest.mark.skipif(installation.java()[1] < 13, reason="this Java archives no classes")
def test_a_run_takes_its_classes_from_the_archive(tmp_path: Path) -> None:
    assert class_archive.path().is_file(), "run scripts/setup.sh"
    (tmp_path / "one.yaml").write_text(DEFINITION)
    (tmp_path / "chats.jsonl").write_text('{"text": "hello", "label": "a"}\n')
    log = tmp_path / "classes.log"
    environ = {**os.environ, "SPARK_SUBMIT_OPTS": f"-XX:TieredStopAtLevel=1 -Xlog:class+load:file={log}"}
    command = [str(TEXTMILL), "run", "one.yaml"]
    done = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "cds" not in done.stdout + done.stderr
    loaded = log.read_text(encoding="utf-8", errors="replace").splitlines()
    shared = [line for line in loaded if "shared objects file (top)" in line]
    assert len(shared) > 0.5 * len(loaded), f"{len(shared)} of {len(loaded)} classes"
    assert any("org.apache.spark.sql.SparkSession " in line for line in shared)
    assert any("io.textmill.text.Cleaner " in line for line in shared)
