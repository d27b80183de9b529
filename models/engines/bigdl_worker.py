"""The worker of engine bigdl on one machine: python -m models.engines.bigdl_worker JOB, with a JVM of its own.

Progress are JSON lines on standard output.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from py4j.protocol import Py4JError

from models import bigdl_jvm
from models.bigdl_training import Training, Where
from models.engines.base import Progress, TrainJob
from models.engines.bigdl import Options
from models.engines.worker import work
from spark_jobs import session
from textmill.errors import TextmillError

_PARENTS = ("PYSPARK_GATEWAY_PORT", "PYSPARK_GATEWAY_SECRET")


def main() -> None:
    """Train the job given as JSON on the command line."""
    for name in _PARENTS:  # else this would run in the JVM of the spark-submit that started the run
        os.environ.pop(name, None)
    for name, value in environment().items():
        os.environ.setdefault(name, value)
    work(lambda report: _train(TrainJob.from_json(sys.argv[1]), report))


def environment() -> dict[str, str]:
    """What BigDL's native library, of 2018, wants to know: it thinks little of processors that Intel did not make."""
    amd = "AuthenticAMD" in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    return {"OMP_NUM_THREADS": "1", **({"MKL_DEBUG_CPU_TYPE": "5"} if amd else {})}


def _train(job: TrainJob, report: Callable[[Progress], None]) -> dict[str, Any]:
    options = Options.model_validate(job.options)
    threads = job.threads or os.cpu_count() or 1
    conf = {"spark.serializer": bigdl_jvm.JAVA_SERIALIZER}
    settings = session.SparkSettings(f"local[{threads}]", options.memory, conf)
    log = job.logs / f"train-{job.name}-spark.log"
    before = log.stat().st_size if log.exists() else 0
    started = session.start(settings, log, f"textmill {job.name}")
    try:
        return Training(started, job, Where(1, threads, options.compress)).train(report)
    except (Py4JError, OSError, TextmillError):
        if not _ran_out_of_memory(log, before):
            raise
        sys.exit(
            f"the JVM's heap of {options.memory} is too small for steps of {job.batch} rows: give the training's options "
            f"more memory, or a smaller batch (its log: {log})"
        )
    finally:
        with suppress(Py4JError, OSError):  # a JVM that has ended needs no stop
            started.stop()


def _ran_out_of_memory(log: Path, since: int) -> bool:
    with log.open("rb") as stream:
        stream.seek(since)
        return b"java.lang.OutOfMemoryError: Java heap space" in stream.read()


if __name__ == "__main__":
    main()
