"""Tensors as TFRecords: the same examples in the same order, in shards that a number of ranks can share equally."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from models.tensors import DESCRIBED
from spark_jobs.base import Written, union
from spark_jobs.output import numbered, write_files, write_json
from spark_jobs.shards import Part, group, in_shards, lookup, named, padding, summary
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
        return DESCRIBED.read(tensors / "tensors.json")
    except FileNotFoundError:
        raise InputError(f"{tensors} has no tensors.json: it is no output of tensor.encode") from None


def _part(name: str, described: Mapping[str, Any], before: int, shards: int) -> Part:
    """The part in its new shards. Rows that only fill up the old ones are none of its rows, unless all stay."""
    return Part(name, described["rows"] if before == shards else described["real_rows"], shards, "pad")


@dataclass(frozen=True)
class _File:
    """A shard of the tensors, or what a segment has of it."""

    shard: int
    before: int
    """Rows of its segment in the shards before it."""
    real: int
    """Real rows of its segment, which are the first ones of it."""
    earlier: int
    """Real rows of the segments before."""


def _files(described: Mapping[str, Any], part: str) -> dict[str, _File]:
    """The files of a part, without the ending of their names."""
    found: dict[str, _File] = {}
    earlier = 0
    for number, segment in enumerate(described.get("segments") or [described["parts"]]):
        if of_part := segment.get(part):
            for shard in range(described["shards"]):
                path = named(group(number, part), shard) if "segments" in described else numbered(part, shard)
                file = _File(shard, shard * of_part["rows_per_shard"], of_part["real_rows"], earlier)
                found[path.rpartition("/")[2]] = file
            earlier += of_part["real_rows"]
    return found


def _placed(spark: SparkSession, tensors: Place, described: Mapping[str, Any], part: Part) -> DataFrame:
    """The examples of a part: group, place (the shard), key (the order in the shard), and the features.

    Rows that fill up a segment take keys of the segment after it, but smaller ones than that has in the same shard.
    """
    files = _files(described, part.name)
    uris = (places.spark_uri(tensors / part.name / f"{name}.parquet") for name in files)
    name = F.regexp_extract("_metadata.file_name", r"^([\d-]+)\.", 1)

    def of_file(value: Callable[[_File], int]) -> Column:
        return lookup({stem: value(file) for stem, file in files.items()})[name].cast("long")

    position = of_file(lambda file: file.before) + F.col("_metadata.row_index")
    key = of_file(lambda file: file.earlier) + position
    if part.shards == described["shards"]:
        place, wanted = of_file(lambda file: file.shard), F.lit(True)
    else:
        place, wanted = F.floor(key / part.per_shard), position < of_file(lambda file: file.real)
    return spark.read.schema(_SCHEMA).parquet(*map(places.spark_pattern, uris)).where(wanted).select(
        F.lit(part.name).alias("group"), place.cast("int").alias("place"), key.alias("key"),
        "ids", "length", "label", "weight",
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
    whole = {name: value for name, value in described.items() if name != "segments"}
    return {**whole, "format": "tfrecord", "shards": parts[0].shards, "parts": counts, "bytes": sizes}


def _counts(part: Part, described: Mapping[str, Any]) -> dict[str, Any]:
    return {**summary([part]), "dropped": described["parts"][part.name]["dropped"]}
