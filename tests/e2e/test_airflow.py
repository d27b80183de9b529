"""A real Airflow runs the DAG of a definition: $TEXTMILL_AIRFLOW is the `airflow` of an environment of its own."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.e2e.conftest import CONF, TEXTMILL

AIRFLOW = os.environ.get("TEXTMILL_AIRFLOW", "")
pytestmark = pytest.mark.skipif(
    not AIRFLOW, reason="$TEXTMILL_AIRFLOW is not set: pip install apache-airflow elsewhere"
)
DEFINITION = """
name: shop
inputs:
  chats: {path: "${run.date}.jsonl", format: jsonl, window: 2d}
steps:
  clean: {do: text.clean, from: chats}
schedule: {cron: "0 3 * * *", day: yesterday}
"""
DAGS = """
from pipelines.dags import dags  # an airflow dag
globals().update(dags({folder!r}, textmill=[{textmill!r}], retries=0))
"""


def test_airflow_runs_the_date_of_its_interval(tmp_path: Path) -> None:
    (tmp_path / "definitions").mkdir()
    (tmp_path / "definitions/shop.yaml").write_text(DEFINITION)
    (tmp_path / "definitions/2026-01-01.jsonl").write_text('{"text": "x", "label": "a"}\n')
    (tmp_path / "home/dags").mkdir(parents=True)
    dags = DAGS.format(folder=str(tmp_path / "definitions"), textmill=str(TEXTMILL))
    (tmp_path / "home/dags/shop.py").write_text(dags)
    given = {"AIRFLOW_HOME": str(tmp_path / "home"), "AIRFLOW__CORE__LOAD_EXAMPLES": "False"}
    environ = {**os.environ, **given, "PYTHONPATH": str(CONF.parent)}

    def airflow(*words: str) -> None:
        done = subprocess.run(
            [AIRFLOW, *words], env=environ, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False
        )
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]

    airflow("db", "migrate")
    airflow("dags", "test", "textmill_shop", "2026-01-02T03:00:00")
    (record,) = (tmp_path / "definitions").glob("runs/shop/*/run.json")
    found = json.loads(record.read_text())
    assert found["date"] == "2026-01-01" and found["status"] == "done" and found["dates"] == {"chats": ["2026-01-01"]}
