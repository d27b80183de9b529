"""engine local: tf_keras on all cores of this machine, in one worker process beside Spark's JVM."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from models.engines.base import Engine, Probe, Progress, TrainJob, TrainStats, missing, named
from models.engines.watch import Watch
from models.export import export
from models.subprocesses import end, environ, started, tail
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
    done: dict[str, Any] = {}

    def told(**message: Any) -> None:
        if "progress" in message:
            on_progress(Progress(**message["progress"]))
        done.update(message.get("done", {}))

    with log.open("ab") as sink:
        # The worker ends when its standard input does, so it never outlives this process, however that ends.
        worker = started(command, env=environ(), stdout=subprocess.PIPE, stderr=sink)
        try:
            status = Watch(worker, told).until_it_ends()
        finally:
            end(worker)
    if status or not done:
        raise WorkerLost(0, socket.gethostname(), named(status or 0), str(log), tail(log, _TAIL))
    seconds, resumed = tuple(done["seconds_per_epoch"]), done["resumed_from_epoch"]
    return TrainStats(seconds, done["records_per_s"], resumed, steps=(done["steps"],),
                      input_wait_share=done.get("input_wait_share"))  # fmt: skip
