"""The jar's functions as Spark columns: text stays in the JVM."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from textmill import places
from textmill.places import Place

_names = itertools.count()


def function(spark: SparkSession, kind: str, params: Mapping[str, Any]) -> Callable[..., Column]:
    """The jar's function `kind`, one of those that Functions.java makes, bound to `params`."""
    name = f"textmill_{kind}_{next(_names)}"
    text = json.dumps(params, ensure_ascii=False)
    spark._jvm.io.textmill.spark.Functions.register(spark._jsparkSession, name, kind, text)  # type: ignore[union-attr]
    return lambda *columns: F.call_udf(name, *columns)


def counter(spark: SparkSession) -> tuple[Callable[..., Column], Callable[[], dict[str, Any]]]:
    """A function of (part, reason, label, spelling, length, unknown, text), true of every row, and what it has counted."""
    name = f"textmill_count_{next(_names)}"
    stats = spark._jvm.io.textmill.spark.Functions.count(spark._jsparkSession, name)  # type: ignore[union-attr]
    return lambda *columns: F.call_udf(name, *columns), lambda: json.loads(stats.json())


def settle(spark: SparkSession, moves: Sequence[tuple[str, str]]) -> list[tuple[int, str]]:
    """Rename Parquet files and make their bytes depend on their content alone; the rows and SHA-256 of each."""
    files = spark._jvm.io.textmill.spark.PartFiles  # type: ignore[union-attr]
    found = files.settle(spark._jsparkSession, json.dumps(moves))
    return [(int(rows), digest) for rows, digest in json.loads(found)]


def partition_keys(spark: SparkSession, partitions: int) -> list[int]:
    """Integers of which the n-th is one that Spark's hash partitioning sends to partition n of so many."""
    return list(spark._jvm.io.textmill.spark.Partitions.keys(partitions))  # type: ignore[union-attr]


def records(spark: SparkSession, spec: Mapping[str, Any]) -> DataFrame:
    """The records of files as columns id, text, label, reason, position; `reason` is null where a record is good."""
    return counted_records(spark, spec)[0]


def counted_records(spark: SparkSession, spec: Mapping[str, Any]) -> tuple[DataFrame, Callable[[], int]]:
    """The same, and how many came out of the files in a job that has written them (once: a second job counts on)."""
    counter = spark._jsparkSession.sparkContext().longAccumulator()
    frame = spark._jvm.io.textmill.input.Records.read(  # type: ignore[union-attr]
        spark._jsparkSession, json.dumps(spec, ensure_ascii=False), counter
    )
    return DataFrame(frame, spark), lambda: int(counter.value())


def candidates(texts: DataFrame, params: Mapping[str, Any]) -> DataFrame:
    """Columns a and b: keys of texts (columns key, text) that share a band of their MinHash signature."""
    spark = texts.sparkSession
    frame = spark._jvm.io.textmill.near.Candidates.of(texts._jdf, json.dumps(params))  # type: ignore[union-attr]
    return DataFrame(frame, spark)


def components(edges: DataFrame) -> DataFrame:
    """Columns key and cluster of every node of `edges` (two long columns), worked out in one task."""
    spark = edges.sparkSession
    return DataFrame(spark._jvm.io.textmill.near.Components.of(edges._jdf), spark)  # type: ignore[union-attr]


def train_vectors(rows: DataFrame, vocabulary: Place, method: str, params: str, out: Path) -> None:
    """Train vectors on `rows` (one column: token arrays) into the file `out`: float32 [ids, size], little-endian."""
    rows.sparkSession._jvm.io.textmill.embed.Embeddings.train(  # type: ignore[union-attr]
        rows._jdf, places.spark_uri(vocabulary), method, params, str(out)
    )
