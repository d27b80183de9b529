"""Training throughput and peak memory of the engines, for each model and batch: the table "which engine when".

.venv/bin/python benchmarks/engines.py                 made rows of 32 ids, batches 128, 512, 2048, on all cores
.venv/bin/python benchmarks/engines.py --quick         cnn and bigru at batch 512
… --engines local,bigdl --models cnn --batches 512     others
Engine tensorflowonspark has two executors of one core; its peak is that of the driver, the executors and the ranks.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.feed import executors  # noqa: E402
from benchmarks.made_tensors import Shape, write  # noqa: E402
from models import engines  # noqa: E402
from models.engines.base import TrainJob  # noqa: E402
from textmill.errors import TextmillError  # noqa: E402

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

MODELS = ("cnn", "lstm", "cnn_lstm", "bigru", "fasttext")
BATCHES = (128, 512, 2048)


@dataclass(frozen=True)
class Measured:
    """One training."""

    engine: str
    model: str
    batch: int
    records_per_s: float
    peak_mib: int
    error: str = ""


class Peak:
    """The largest memory that this process's children have together (proportional set size)."""

    def __enter__(self) -> Peak:
        self.bytes, self._over = 0, threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(0.3):
            now = 0
            for process in psutil.Process().children(recursive=True):
                try:
                    now += process.memory_full_info().pss
                except psutil.Error:
                    continue
            self.bytes = max(self.bytes, now)


@contextmanager
def session_of(engine: str, folder: Path) -> Iterator[Callable[[], SparkSession] | None]:
    """What gives the session that an engine on executors trains in; None for the others, which start what they need."""
    if engine != "tensorflowonspark":
        yield None
        return
    with executors(2, folder) as spark:
        yield lambda: spark


def train(
    engine: str, model: str, batch: int, tensors: Path, memory: str, spark: Callable[[], SparkSession] | None
) -> Measured:
    """Two epochs of a model with its default sizes."""
    with tempfile.TemporaryDirectory() as name, Peak() as peak:
        places = {each: Path(name, each) for each in ("out", "checkpoints", "logs")}
        for folder in places.values():
            folder.mkdir()
        options = {"memory": memory} if engine == "bigdl" else {}
        job = TrainJob(model, model, {}, tensors, **places, epochs=2, batch=batch, learning_rate=0.001, metric="loss",
                       patience=2, seed=7, options=options)  # fmt: skip
        try:
            stats = engines.engine(engine, spark).train(job, lambda progress: None)
        except TextmillError as error:
            return Measured(engine, model, batch, 0.0, peak.bytes >> 20, str(error).strip().splitlines()[-1][:100])
    rows = json.loads((tensors / "tensors.json").read_text(encoding="utf-8"))["parts"]["train"]["rows"]
    return Measured(engine, model, batch, rows / stats.seconds_per_epoch[-1], peak.bytes >> 20)


def main() -> None:
    """Run everything, print a table and one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--engines", default="local,tensorflowonspark,bigdl")
    parser.add_argument("--models", default=",".join(MODELS))
    parser.add_argument("--batches", default=",".join(map(str, BATCHES)))
    parser.add_argument("--rows", type=int, default=8192)
    parser.add_argument("--memory", default="8g", help="heap of BigDL's JVM")
    given = parser.parse_args()
    if given.quick:
        given.models, given.batches = "cnn,bigru", "512"
    started, load, found = time.time(), os.getloadavg()[0], []
    with tempfile.TemporaryDirectory() as name:
        shape = Shape()
        write(Path(name, "tensors"), shape, given.rows, valid=1024)
        print(f"{given.rows} rows of {shape.length} ids; {os.cpu_count()} cores")
        print(f"{'engine':<18}{'model':<10}{'batch':>6}{'records/s':>12}{'peak MiB':>10}")
        for engine in given.engines.split(","):
            with session_of(engine, Path(name, engine)) as spark:
                for model, batch in product(given.models.split(","), map(int, given.batches.split(","))):
                    one = train(engine, model, batch, Path(name, "tensors"), given.memory, spark)
                    found.append(one)
                    row = f"{engine:<18}{model:<10}{batch:>6}{one.records_per_s:>12,.0f}{one.peak_mib:>10,}"
                    print(f"{row} {one.error}".rstrip(), flush=True)
    figures = {f"{one.engine}_{one.model}_{one.batch}_records_per_s": round(one.records_per_s) for one in found}
    print(json.dumps({**figures, "seconds": round(time.time() - started), "load_1m": round(load, 2)}))


if __name__ == "__main__":
    main()
