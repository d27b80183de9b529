"""Records per second into the same bidirectional GRU by four ways, and into a consumer that does nothing by two.

(a) engine tensorflowonspark, ranks read their shards    (b) the same with `feed: spark`, Arrow batches
(c) TensorFlowOnSpark's own feed, row by row             (d) one process with 2 threads, arrays in memory
Two ranks of one core each in (a) to (c). In (b) the feeding tasks have a third executor, in (c) they share the ranks'.

.venv/bin/python benchmarks/feed.py            65,536 rows of 20 ints, 3 epochs
.venv/bin/python benchmarks/feed.py --quick    16,384 rows, 3 epochs
… --batch 2048                                 rows per step over both ranks, else 512
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import feed_nodes  # noqa: E402
from benchmarks.made_tensors import SHARDS, Shape, write  # noqa: E402
from models import engines  # noqa: E402
from models.engines.base import TrainJob  # noqa: E402
from models.engines.feeder import Delivery, deliver  # noqa: E402
from models.tensors import Tensors  # noqa: E402
from spark_jobs import session  # noqa: E402

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

CHECKOUT = Path(__file__).resolve().parent.parent
SHAPE, RANKS = Shape(length=20, labels=28), 2
MODEL = {"embedding": 128, "units": 64}
TIMEOUT_S = 400


@dataclass(frozen=True)
class Sizes:
    """How much is fed."""

    rows: int
    epochs: int
    arrow: int
    """Rows into the idle consumer as Arrow batches, and one by one: the ways differ too much for one number."""
    single: int
    batch: int = 512


FULL, QUICK = Sizes(65_536, 3, 4_000_000, 100_000), Sizes(16_384, 3, 1_000_000, 30_000)


def job(tensors: Path, folder: Path, sizes: Sizes, **more: Any) -> TrainJob:
    """The training of all four ways."""
    for name in ("out", "checkpoints", "logs"):
        (folder / name).mkdir(parents=True)
    places = {name: folder / name for name in ("out", "checkpoints", "logs")}
    return TrainJob(name="feed", model="bigru", model_params=MODEL, tensors=tensors, **places, epochs=sizes.epochs,
                    batch=sizes.batch, learning_rate=1e-3, metric="accuracy", patience=sizes.epochs, seed=7, **more)  # fmt: skip


@contextmanager
def executors(count: int, folder: Path) -> Iterator[SparkSession]:
    """A session with executors of one core."""
    conf = {"spark.executorEnv.PYTHONPATH": str(CHECKOUT), "spark.textmill.train.ranks": str(RANKS),
            "spark.textmill.train.wait": "240"}  # fmt: skip
    os.environ["SPARK_WORKER_DIR"] = str(folder / "work")
    settings = session.SparkSettings(f"local-cluster[{count},1,1536]", "1g", conf)
    found = session.start(settings, folder / "spark.log", "feed benchmark")
    try:
        yield found
    finally:
        found.stop()


def rate(rows: int, seconds: list[float] | tuple[float, ...]) -> float:
    """Records per second of the median epoch; the first one is left out, in which TensorFlow traces its functions."""
    return rows / statistics.median(seconds[1:])


def by_engine(spark: SparkSession, work: TrainJob, rows: int) -> float:
    """(a) and (b)."""
    return rate(
        rows, engines.engine("tensorflowonspark", lambda: spark).train(work, lambda told: None).seconds_per_epoch
    )


def by_rows(spark: SparkSession, work: TrainJob, rows: int) -> float:
    """(c): by the epochs' ends that the chief's events have, for its training runs in a process that returns nothing."""
    tensors = Tensors(work.tensors)
    # A partition for each rank and epoch, for the library looks only once a second whether one is used up; and an epoch
    # more than is trained, for partitions go to whichever rank is free and are not of one size.
    fed = _rows_of(spark, work.tensors, tensors.files("train")).repartition(RANKS)
    _library_feeds(spark, feed_nodes.train_on_rows, {"job": work.to_json()}, fed, work.epochs + 1)
    events = sorted((work.logs / "tensorboard/feed/train").glob("events*"), key=lambda file: file.stat().st_mtime_ns)
    ends = [file.stat().st_mtime for file in events]
    return rows / statistics.median(after - before for before, after in zip(ends, ends[1:], strict=False))


def _rows_of(spark: SparkSession, folder: Path, files: list[Any]) -> Any:
    return spark.read.parquet(*map(str, files)).rdd.map(tuple)


def _library_feeds(spark: SparkSession, main: Callable[..., None], given: Any, rows: Any, epochs: int) -> float:
    """Seconds that TensorFlowOnSpark needs to feed the rows."""
    from tensorflowonspark import TFCluster

    TFCluster.tf_status.clear()  # it keeps the end of the cluster before, which our engine cancels, as an error of this one
    cluster = TFCluster.run(spark.sparkContext, main, given, RANKS, 0, input_mode=TFCluster.InputMode.SPARK,
                            master_node="chief", reservation_timeout=240)  # fmt: skip
    started = time.monotonic()
    cluster.train(rows, epochs, feed_timeout=TIMEOUT_S)
    seconds = time.monotonic() - started
    cluster.shutdown(grace_secs=2, timeout=TIMEOUT_S)
    return seconds


def in_memory(work: TrainJob, rows: int) -> float:
    """(d)."""
    command = [sys.executable, "-m", "benchmarks.feed_nodes", "memory", replace(work, threads=2).to_json()]
    with subprocess.Popen(command, cwd=CHECKOUT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                          stderr=subprocess.DEVNULL) as process:  # fmt: skip
        told = [json.loads(line) for line in process.stdout or () if line.startswith("{")]
    return rate(rows, told[-1]["done"]["seconds_per_epoch"])


def into_nothing_by_arrow(spark: SparkSession, tensors: Path) -> float:
    """Rows per second of our feed into two processes that throw them away; the second of two times."""
    return [_arrow_once(spark, Tensors(tensors)) for _ in range(2)][-1]


def _arrow_once(spark: SparkSession, tensors: Tensors) -> float:
    command = [sys.executable, "-m", "benchmarks.feed_nodes", "drain", str(SHARDS // RANKS)]
    drains = [subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True) for _ in range(RANKS)]
    serves = [json.loads(drain.stdout.readline())["serves"] for drain in drains if drain.stdout]
    ways = []
    for number, file in enumerate(tensors.files("train")):
        place, rank = divmod(number, RANKS)
        header = json.dumps({"token": serves[rank]["token"], "epoch": 1, "place": place}).encode() + b"\n"
        ways.append((file, Delivery(rank, tuple(serves[rank]["address"]), header)))
    started = time.monotonic()
    rows = deliver(spark, [file for file, _ in ways], [way for _, way in ways])
    taken = sum(json.loads(drain.communicate()[0])["done"]["rows"] for drain in drains)
    seconds = time.monotonic() - started
    if taken != rows:
        raise RuntimeError(f"{rows} rows were sent and {taken} came")
    return rows / seconds


def into_nothing_by_rows(spark: SparkSession, tensors: Path, rows: int) -> float:
    """Rows per second of TensorFlowOnSpark's feed into the same nothing."""
    fed = _rows_of(spark, tensors, Tensors(tensors).files("train")).repartition(RANKS).cache()
    fed.count()
    return rows / _library_feeds(spark, feed_nodes.drain_rows, {}, fed, 1)


def measure(folder: Path, sizes: Sizes) -> dict[str, float]:
    """All rates by name."""
    tensors = write(folder / "tensors", SHAPE, sizes.rows)
    many, few = write(folder / "many", SHAPE, sizes.arrow), write(folder / "few", SHAPE, sizes.single)
    found = {"memory": in_memory(job(tensors, folder / "d", sizes), sizes.rows)}
    with executors(RANKS, folder) as spark:
        found["shards"] = by_engine(spark, job(tensors, folder / "a", sizes), sizes.rows)
    with executors(RANKS, folder) as spark:  # the library keeps one cluster for each executor's life
        found["rows"] = by_rows(spark, job(tensors, folder / "c", sizes, threads=1), sizes.rows)
    with executors(RANKS, folder) as spark:
        found["rows_noop"] = into_nothing_by_rows(spark, few, sizes.single)
    with executors(RANKS + 1, folder) as spark:
        fed = job(tensors, folder / "b", sizes, options={"feed": "spark"})
        found["arrow"] = by_engine(spark, fed, sizes.rows)
        found["arrow_noop"] = into_nothing_by_arrow(spark, many)
    return found


NAMES = {
    "shards": "(a) ranks read their shards",
    "arrow": "(b) fed by Spark, Arrow batches",
    "rows": "(c) fed by TensorFlowOnSpark, rows",
    "memory": "(d) arrays in memory, one process",
    "arrow_noop": "(b) into nothing",
    "rows_noop": "(c) into nothing",
}


def report(found: dict[str, float], load: float) -> None:
    """Print the figures."""
    for name, title in NAMES.items():
        print(f"{title:<36}{found[name]:>12,.0f} records/s")
    figures = {f"{name}_records_per_s": round(value) for name, value in found.items()}
    ratios = {"ratio_memory": round(found["shards"] / found["memory"], 3),
              "ratio_row_feed": round(found["arrow_noop"] / found["rows_noop"], 1)}  # fmt: skip
    print(json.dumps({**figures, **ratios, "load_1m": round(load, 2)}))


def main() -> None:
    """Run everything, print a table and one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--batch", type=int, default=512)
    given = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as name:
        found = measure(Path(name), replace(QUICK if given.quick else FULL, batch=given.batch))
    report(found, load)


if __name__ == "__main__":
    main()
