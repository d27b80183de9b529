"""Ranks that a scheduler starts: on one host and on two, each with a network of its own, without ssh or MPI."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from models import engines
from scripts.dev_cluster.cluster import WORKERS
from tests.e2e.engines import cases
from tests.e2e.engines.hosts import SSHD, running

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.skipif(not engines.probe("horovod").available, reason=engines.probe("horovod").reason),
]
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A folder with a job whose paths start there."""
    cases.write(tmp_path / "tensors")
    inside = {name: Path(name) for name in ("tensors", "out", "checkpoints", "logs")}
    options = engines.options("horovod")().canonical()
    job = replace(cases.job(tmp_path / "tensors", tmp_path / "unused"), epochs=2, options=options, **inside)
    (tmp_path / "job.json").write_text(job.to_json(), encoding="utf-8")
    return tmp_path


def words(rank: int, per_host: int) -> list[str]:
    return [sys.executable, "-m", "models.launchers.rank", "job.json", "--ranks", "2", "--per-host", str(per_host),
            "--threads", "1", "--rank", str(rank), "--job", "once"]  # fmt: skip


def start(bundle: Path, rank: int) -> subprocess.Popen[str]:
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(words(rank, 2), cwd=bundle, env=environ, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True)  # fmt: skip


def end(bundle: Path, ranks: list[subprocess.Popen[str]]) -> None:
    """Both end well, and one model is there."""
    try:
        said = [rank.communicate(timeout=240)[0] for rank in ranks]
    finally:
        for rank in ranks:
            rank.kill()
    assert [rank.returncode for rank in ranks] == [0, 0], said
    assert '[0]<stdout>:{"done"' in said[0] and '"done"' not in said[1]
    history = json.loads((bundle / "out/history.json").read_text(encoding="utf-8"))
    assert history["ranks"] == 2 and len(history["epochs"]) == 2
    assert (bundle / "out/saved_model/saved_model.pb").exists()
    assert not list((bundle / "launch").iterdir())


def test_two_ranks_of_one_host(bundle: Path) -> None:
    end(bundle, [start(bundle, rank) for rank in range(2)])


@pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces are made by root")
@pytest.mark.skipif(not SSHD.exists(), reason="no sshd: apt-get install openssh-server")
def test_two_hosts(bundle: Path, tmp_path: Path) -> None:
    with running(tmp_path / "hosts") as hosts:
        there = ("/usr/bin/env", "-C", str(bundle), f"PYTHONPATH={ROOT}")
        end(bundle, [hosts.start(name, *there, *words(rank, 1)) for rank, name in enumerate(WORKERS)])
