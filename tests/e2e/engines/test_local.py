"""The local engine's worker ends with the process that started it, and what it had saved is gone on from."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import psutil

from models.engines import engine
from tests.e2e.engines import cases

PROGRAM = """
import sys
from models.engines import engine
from models.engines.base import TrainJob
engine('local').train(TrainJob.from_json(sys.argv[1]), print)
"""


def test_a_worker_does_not_outlive_its_parent(tmp_path: Path) -> None:
    cut = cases.job(cases.write(tmp_path / "tensors"), tmp_path, epochs=60, patience=60)
    command = [sys.executable, "-c", PROGRAM, cut.to_json()]
    parent = psutil.Popen(command, cwd=Path(__file__).parents[3], stdout=subprocess.DEVNULL)
    while not (cut.checkpoints / "latest.npz").exists():
        assert parent.poll() is None
        time.sleep(0.1)
    workers = parent.children()
    parent.kill()
    parent.wait()
    _, alive = psutil.wait_procs(workers, timeout=10)
    assert workers and not alive
    assert engine("local").train(cut, lambda progress: None).resumed_from_epoch >= 1
