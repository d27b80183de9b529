"""Tensors as TFRecords: the same examples in the same order, in shards that a number of ranks can share equally."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from spark_jobs.base import Written, union
from spark_jobs.encode import Part, in_shards, padding
from spark_jobs.output import write_files, write_json
from textmill import places
from textmill.errors import InputError, TextmillError
from textmill.places import Place
from textmill.transfer import copy

VERSION = 1
BESIDE = ("labels.json", "vocabulary.tsv")
_SCHEMA = "ids array<int>, length int, label int, weight float"


def shards_for(shards: int, ranks: int) -> int:
    """The tensors' own number of shards where the ranks divide it, else the next larger one that they do."""
    return -(-shards // ranks) * ranks


def write(spark: SparkSession, tensors: Place, out: Place, shards: int) -> Written:
    """Write `tensors` into the empty folder `out`, every part in this many shards.

    With the tensors' own number of shards every shard has the rows it has, padding included; with another one the same
    examples in the same order are cut anew, and padded at the end. Features of each Example: ids, length, label
    (int64), weight (float). Raises InputError where the tensors are no output of tensor.encode, TextmillError where
    rows got lost.
    """
    described = _described(tensors)
    parts = [_part(name, part, described["shards"], shards) for name, part in described["parts"].items()]
    placed = union([_placed(spark, tensors, described, part) for part in parts])
    missing = padding(spark, parts, described["length"]).withColumn("key", F.lit(2**62))
    if shards != described["shards"]:
        placed = union([placed, missing.select(placed.columns)])
    ordered = in_shards(placed, parts).sortWithinPartitions("key").drop("key", "place")
    written, checksums = write_files(ordered.withColumnRenamed("group", "part"), out, "tfrecord")
    _check(written, parts)
    for name in BESIDE:
        copy(tensors / name, out / name)
    write_json(out / "tensors.json", _of_records(described, parts, out, written))
    return Written(written, {}, checksums)


def _described(tensors: Place) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads((tensors / "tensors.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{tensors} has no tensors.json: it is no output of tensor.encode") from None
    return found


def _part(name: str, described: Mapping[str, Any], before: int, shards: int) -> Part:
    """The part in its new shards. Rows that only fill up the old ones are none of its rows, unless all stay."""
    return Part(name, described["rows"] if before == shards else described["real_rows"], shards, "pad")


def _placed(spark: SparkSession, tensors: Place, described: Mapping[str, Any], part: Part) -> DataFrame:
    """The examples of a part: group, place (the shard), key (the position in the part), and the features."""
    files = [places.spark_uri(tensors / part.name / f"{number:05d}.parquet") for number in range(described["shards"])]
    shard = F.regexp_extract("_metadata.file_name", r"^(\d+)\.", 1).cast("long")
    position = shard * described["parts"][part.name]["rows_per_shard"] + F.col("_metadata.row_index")
    # Padding stands at the end of a part, so that positions of real rows are the first ones.
    return spark.read.schema(_SCHEMA).parquet(*files).withColumn("key", position).where(F.col("key") < part.rows).select(
        F.lit(part.name).alias("group"),
        (F.col("key") / part.per_shard).cast("int").alias("place"),
        "key", "ids", "length", "label", "weight",
    )  # fmt: skip


def _check(written: Mapping[str, Any], parts: Sequence[Part]) -> None:
    for part in parts:
        found = written[part.name]
        if (len(found["files"]), found["rows"]) != (part.shards, part.shards * part.per_shard):
            raise TextmillError(
                f"{found['rows']} records in {len(found['files'])} shards were written of part {part.name}, not "
                f"{part.per_shard} in each of {part.shards}: the tensors don't fit their tensors.json"
            )


def _of_records(
    described: Mapping[str, Any], parts: Sequence[Part], out: Place, written: Mapping[str, Any]
) -> dict[str, Any]:
    """tensors.json of the records. Where the shards are the tensors' own, so are the counts."""
    same = described["shards"] == parts[0].shards
    counts = {part.name: described["parts"][part.name] if same else _counts(part, described) for part in parts}
    sizes = {name: said.size for name, said in places.files(out).items() if name.endswith(".tfrecord")}
    return {**described, "format": "tfrecord", "shards": parts[0].shards, "parts": counts, "bytes": sizes}


def _counts(part: Part, described: Mapping[str, Any]) -> dict[str, Any]:
    return {**part.summary(), "dropped": described["parts"][part.name]["dropped"]}
