"""From tensors on disk to BigDL's first training step: our arrays in the JVM, BigDL's DataFrames, and Python's Samples.

.venv/bin/python benchmarks/bigdl_feed.py            1,650,000 rows of 32 ids on local[2]
.venv/bin/python benchmarks/bigdl_feed.py --quick    300,000
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.made_tensors import SHARDS, Shape, write  # noqa: E402
from models import bigdl_jvm  # noqa: E402
from models.bigdl_training import Training, Where  # noqa: E402
from models.engines.base import TrainJob  # noqa: E402
from models.engines.bigdl_worker import environment  # noqa: E402
from spark_jobs import session  # noqa: E402

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

SHAPE, BATCH = Shape(), 1024


@dataclass(frozen=True)
class Timed:
    """Loading of so many rows into memory, and the first step, both counted from the start."""

    name: str
    rows: int
    loaded: float | None
    first_step: float | None

    @property
    def rate(self) -> float:
        """Rows per second of the loading, of all up to the first step where that is not told apart."""
        return self.rows / (self.loaded or self.first_step or 1.0)


def ours(spark: SparkSession, folder: Path, rows: int) -> Timed:
    """The engine's own way, up to its first step."""
    for name in ("out", "checkpoints", "logs"):
        (folder / name).mkdir()
    places = {name: folder / name for name in ("out", "checkpoints", "logs")}
    params = {"embedding": 16, "ngrams": 1, "buckets": 1}
    job = TrainJob("feed", "fasttext", params, folder / "tensors", **places, epochs=1, batch=BATCH, learning_rate=0.01,
                   metric="loss", patience=1, seed=7, threads=2)  # fmt: skip
    started = time.perf_counter()
    training = Training(spark, job, Where(1, 2, "none"))
    training.begin()
    heard: dict[str, list[str]] = {}
    while "step" not in heard:
        if message := training.heard():
            heard.setdefault(message[0], message[1:])
        if "failed" in heard:
            raise RuntimeError(heard["failed"][0])
    first = time.perf_counter() - started
    training.cancel()
    return Timed("arrays in the JVM", rows, float(heard["loaded"][0]), first)


def frame(spark: SparkSession, folder: Path, rows: int) -> Timed:
    """NNEstimator of BigDL on the same files as a DataFrame, up to its first step."""
    dllib = spark.sparkContext._jvm.com.intel.analytics.bigdl.dllib
    keras, frames = dllib.keras.python.PythonZooKeras.ofFloat(), dllib.nnframes.python.PythonNNFrames.ofFloat()
    model = keras.createZooKerasSequential()
    for layer in (
        keras.createZooKerasEmbedding(
            SHAPE.vocabulary, 16, "uniform", None, True, None, [SHAPE.length], False, 0, True
        ),
        keras.createZooKerasGlobalMaxPooling1D(None),
        keras.createZooKerasDense(SHAPE.labels, "glorot_uniform", None, "softmax", None, None, True, None),
    ):
        model.add(layer)
    loss = keras.createZooKerasSparseCategoricalCrossEntropy(False, True, None, True, -1)
    sample = frames.createFeatureLabelPreprocessing(
        frames.createSeqToTensor([SHAPE.length]), frames.createScalarToTensor()
    )
    made = frames.createNNEstimator(model, loss, sample).setFeaturesCol("ids").setLabelCol("label")
    made = made.setBatchSize(BATCH).setEndWhen(dllib.optim.Trigger.maxIteration(1))
    read = spark.read.parquet(str(folder / "tensors/train")).selectExpr("ids", "cast(label as double) as label")
    started = time.perf_counter()
    made.fit(read._jdf)
    return Timed("BigDL's NNEstimator on a DataFrame", rows, None, time.perf_counter() - started)


def python(spark: SparkSession, folder: Path, rows: int) -> Timed:
    """Sample.from_ndarray for every row of some shards, up to samples in the JVM."""
    from bigdl.dllib.utils.common import _to_java_object_rdd

    def samples(part: Iterator[Any]) -> Iterator[Any]:
        from bigdl.dllib.utils.common import Sample

        for row in part:
            yield Sample.from_ndarray(np.array(row.ids, np.float32), np.array([row.label + 1.0], np.float32))

    some = spark.read.parquet(str(folder / "tensors/train")).limit(rows).repartition(2).cache()
    some.count()
    jvm: Any = spark.sparkContext._jvm
    api = jvm.com.intel.analytics.bigdl.dllib.utils.python.api.PythonBigDL.ofFloat()
    started = time.perf_counter()
    kept = api.toJSample(_to_java_object_rdd(some.rdd.mapPartitions(samples)).rdd()).cache()
    found = kept.count()
    taken = time.perf_counter() - started
    if found != rows:
        raise RuntimeError(f"{found} samples of {rows} rows")
    return Timed("RDD of Sample.from_ndarray", rows, taken, None)


def report(found: list[Timed], load: float) -> None:
    """A table, and the figures."""
    print(f"rows of {SHAPE.length} ids; local[2], batch {BATCH}, Parquet in {SHARDS} shards; Spark's start left out")
    print(f"{'':<38}{'rows':>11}{'loaded s':>10}{'first step s':>14}{'rows/s':>12}")
    for each in found:
        seconds = [f"{value:.1f}" if value is not None else "" for value in (each.loaded, each.first_step)]
        print(f"{each.name:<38}{each.rows:>11,}{seconds[0]:>10}{seconds[1]:>14}{each.rate:>12,.0f}")
    own, of_frame, of_python = found
    figures = {
        "rows": own.rows,
        "load_records_per_s": round(own.rate),
        "ratio_rdd_samples": round(own.rate / of_python.rate, 1),
        "ratio_dataframe": round(of_frame.first_step / own.first_step, 1),
        "first_step_s": round(own.first_step, 1),
        "load_1m": round(load, 2),
    }
    print(json.dumps(figures))


def main() -> None:
    """Run everything, print a table and one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    rows = 300_000 if parser.parse_args().quick else 1_650_000
    os.environ.update(environment())
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(folder / "tensors", SHAPE, rows, valid=SHARDS * 128)
        conf = {"spark.serializer": bigdl_jvm.JAVA_SERIALIZER}
        spark = session.start(
            session.SparkSettings("local[2]", "6g", conf), folder / "spark.log", "bigdl feed benchmark"
        )
        try:
            found = [
                ours(spark, folder, rows),
                frame(spark, folder, rows),
                python(spark, folder, min(rows // 10, 60_000)),
            ]
        finally:
            spark.stop()
    report(found, load)


if __name__ == "__main__":
    main()
