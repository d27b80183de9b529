"""engine local: tf_keras on all cores of this machine, in one worker process beside Spark's JVM."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from models.engines.base import Engine, Probe, Progress, TrainJob, TrainStats, missing, named
from models.export import export
from models.subprocesses import environ
from textmill.errors import WorkerLost
from textmill.transfer import filling, local_copy

_TAIL = 20


class Local(Engine):
    """One rank. Byte-identical results for the same job on the same machine, also after a kill and a resume."""

    name = "local"
    starts_warm = True

    def probe(self) -> Probe:
        """TensorFlow and tf_keras must be installed."""
        packages = {name: name for name in ("tensorflow", "tf_keras")}
        return missing(packages, "scripts/setup.sh, or pip install textmill[local]")

    def train(self, job: TrainJob, on_progress: Callable[[Progress], None]) -> TrainStats:
        """Run the worker, then export its model."""
        job.checkpoints.mkdir(parents=True, exist_ok=True)
        with filling(job.out) as out:
            here = replace(job, tensors=local_copy(job.tensors), out=out)
            stats = run_worker("models.engines.local_worker", here, on_progress)
            export(out)
        return stats


def run_worker(module: str, job: TrainJob, on_progress: Callable[[Progress], None]) -> TrainStats:
    """Train in a process that runs `module` as the only rank. Raises WorkerLost where it ends without a result."""
    command, log = [sys.executable, "-m", module, job.to_json()], job.logs / f"train-{job.name}.log"
    stats: dict[str, Any] | None = None
    with log.open("ab") as sink:
        # The worker ends when its standard input does, so it never outlives this process, however that ends.
        worker = subprocess.Popen(command, env=environ(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=sink)
        try:
            for line in worker.stdout or ():
                message = json.loads(line) if line.startswith(b"{") else {}
                if "progress" in message:
                    on_progress(Progress(**message["progress"]))
                stats = message.get("done", stats)
            status = worker.wait()
        finally:
            worker.kill()
            worker.wait()
    if status or stats is None:
        raise WorkerLost(0, socket.gethostname(), named(status), str(log), _last_lines(log))
    seconds, resumed = tuple(stats["seconds_per_epoch"]), stats["resumed_from_epoch"]
    return TrainStats(seconds, stats["records_per_s"], resumed, steps=(stats["steps"],),
                      input_wait_share=stats.get("input_wait_share"))  # fmt: skip


def _last_lines(log: Path) -> list[str]:
    return log.read_text(encoding="utf-8", errors="replace").splitlines()[-_TAIL:]
