"""Records per second of the data source `tfrecord`, beside a TFRecord writer that makes each record in Python.

.venv/bin/python benchmarks/tfrecord.py            2,000,000 rows of 40 ints and a label on local[2]
.venv/bin/python benchmarks/tfrecord.py --quick    300,000
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from spark_jobs import session

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, Row, SparkSession

INTS, TASKS, TIMES = 40, 4, 3
VOCABULARY = 50_000
SCHEMA = "ids array<int>, label int"


@dataclass(frozen=True)
class Timed:
    """One thing that was measured: all its times, and how many records each took."""

    name: str
    records: int
    seconds: tuple[float, ...]

    @property
    def rate(self) -> float:
        """Records per second, by the median time."""
        return self.records / statistics.median(self.seconds)


def timed(name: str, records: int, work: Callable[[], object], times: int = TIMES) -> Timed:
    """Do the work once to warm up, then `times` times by the clock."""
    seconds = []
    for _ in range(times + 1):
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    return Timed(name, records, tuple(seconds[1:]))


def rows(spark: SparkSession, count: int) -> DataFrame:
    """Rows as an encoder of texts makes them, in the JVM's memory: small ids are frequent, as frequent words are."""
    from pyspark.sql import functions as F

    ids = F.transform(
        F.sequence(F.lit(1), F.lit(INTS)),
        lambda i: F.pow(F.lit(float(VOCABULARY)), F.pmod(F.hash("id", i), F.lit(1000)) / 1000).cast("int"),
    )
    made = spark.range(0, count, 1, TASKS).select(ids.alias("ids"), F.pmod("id", F.lit(77)).cast("int").alias("label"))
    made.cache().count()
    return made


def to_noop(frame: DataFrame) -> None:
    """Compute all rows and throw them away."""
    frame.write.format("noop").mode("overwrite").save()


def python_writer(folder: Path) -> Callable[[Iterator[Row]], Iterator[int]]:
    """Writes the rows of a task one by one, each as a tf.train.Example, as TensorFlowOnSpark's dfutil makes them."""

    def write(part: Iterator[Row]) -> Iterator[int]:
        import tensorflow as tf

        def ints(values: list[int]) -> tf.train.Feature:
            return tf.train.Feature(int64_list=tf.train.Int64List(value=values))

        done = 0
        with tf.io.TFRecordWriter(str(folder / f"{os.getpid()}-{time.time_ns()}.tfrecord")) as writer:
            for row in part:
                feature = {"ids": ints(row.ids), "label": ints([row.label])}
                made = tf.train.Example(features=tf.train.Features(feature=feature))
                writer.write(made.SerializeToString())
                done += 1
        yield done

    return write


def measure(spark: SparkSession, folder: Path, count: int) -> dict[str, Timed]:
    """All measurements; the Python writer takes a part of the rows."""
    made, path, sample = rows(spark, count), str(folder / "records"), min(count // 10, 100_000)
    few = made.limit(sample).repartition(TASKS).cache()
    few.count()
    by_python = folder / "by_python"
    by_python.mkdir()
    write = python_writer(by_python)
    read = spark.read.format("tfrecord").schema(SCHEMA)
    return {
        "input": timed("the cached input alone", count, lambda: to_noop(made)),
        "write": timed("write", count, lambda: made.write.format("tfrecord").mode("overwrite").save(path)),
        "read": timed("read", count, lambda: to_noop(read.load(path))),
        "infer": timed("find the schema", count, lambda: spark.read.format("tfrecord").load(path), 1),
        "python": timed("write, a row at a time in Python", sample, lambda: few.rdd.mapPartitions(write).sum(), 1),
    }


def report(results: dict[str, Timed], size: int, load: float) -> None:
    """Print the figures."""
    count = results["write"].records
    print(f"{count:,} rows of {INTS} ints and a label, {size / count:.0f} bytes each in the files; local[2]")
    print(f"{'':<34}{'records':>12}{'seconds':>10}{'records/s':>12}   all times")
    for result in results.values():
        seconds = "  ".join(f"{one:.2f}" for one in result.seconds)
        middle = statistics.median(result.seconds)
        print(f"{result.name:<34}{result.records:>12,}{middle:>10.2f}{result.rate:>12,.0f}   {seconds}")
    figures = {
        "write_records_per_s": round(results["write"].rate),
        "read_records_per_s": round(results["read"].rate),
        "ratio_python_writer": round(results["write"].rate / results["python"].rate, 1),
        "load_1m": round(load, 2),
    }
    print(json.dumps(figures))


def main() -> None:
    """Run everything, print a table and one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    given = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        settings = session.SparkSettings(master="local[2]", memory="3g")
        spark = session.start(settings, folder / "spark.log", "tfrecord benchmark")
        try:
            results = measure(spark, folder, 300_000 if given.quick else 2_000_000)
        finally:
            spark.stop()
        report(results, sum(path.stat().st_size for path in (folder / "records").glob("*.tfrecord")), load)


if __name__ == "__main__":
    main()
