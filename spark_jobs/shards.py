"""How rows are divided into shards: counts, Spark's partitions, and the rows that make shards equal."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from spark_jobs import jvm
from textmill.ids import PAD

_GROUP = re.compile(r"(\d{5})-(.*)", re.DOTALL)


def group(segment: int, part: str) -> str:
    """The name under which the rows of a segment's part are written: `00003-train`."""
    return f"{segment:05d}-{part}"


def ungrouped(name: str) -> tuple[int, str]:
    """Segment and part of such a name."""
    found = _GROUP.fullmatch(name)
    assert found, name
    return int(found[1]), found[2]


def named(name: str, shard: int) -> str:
    """The path of a shard: `train/00003-00000`."""
    return f"{prefix(*ungrouped(name))}{shard:05d}"


def prefix(segment: int, part: str) -> str:
    """What the paths of a segment's shards of a part begin with: `train/00003-`."""
    return f"{part}/{segment:05d}-"


@dataclass(frozen=True)
class Part:
    """How many rows a part has, or what a segment has of it, and how they fill its shards."""

    name: str
    rows: int
    shards: int
    remainder: str
    segment: int | None = None

    @property
    def group(self) -> str:
        """The value of the column `group` of its rows."""
        return self.name if self.segment is None else group(self.segment, self.name)

    @property
    def per_shard(self) -> int:
        """Rows in each shard. Only train may drop rows; what is measured on the other parts must be all of them."""
        if self.drops:
            return self.rows // self.shards
        return -(-self.rows // self.shards)

    @property
    def drops(self) -> bool:
        """Whether rows are left out rather than padded."""
        return self.remainder == "drop" and self.name == "train" and self.rows >= self.shards

    def counts(self) -> dict[str, int]:
        """Rows, as tensors.json tells them."""
        total = self.per_shard * self.shards
        return {
            "rows": total,
            "real_rows": min(self.rows, total),
            "padded": max(0, total - self.rows),
            "dropped": max(0, self.rows - total),
            "rows_per_shard": self.per_shard,
        }


def summary(parts: Sequence[Part]) -> dict[str, Any]:
    """The entry in tensors.json of a part, of which these are the segments; steps at batch 1 by number of ranks."""
    counts = [part.counts() for part in parts]
    sums = {name: sum(count[name] for count in counts) for name in counts[0]}
    shards = parts[0].shards
    ranks = [ranks for ranks in range(1, shards + 1) if shards % ranks == 0]
    return {**sums, "steps": {str(count): sums["rows"] // count for count in ranks}}


def in_shards(rows: DataFrame, parts: Sequence[Part]) -> DataFrame:
    """One partition for every shard of every part: the rows' columns `group` and `place` say which."""
    shards = parts[0].shards
    of_part = lookup({part.group: index for index, part in enumerate(parts)})[F.col("group")]
    slots = len(parts) * shards
    keys = F.array(*[F.lit(key) for key in jvm.partition_keys(rows.sparkSession, slots)])
    slot = keys[of_part * shards + F.col("place")]
    return rows.withColumn("_slot", slot).repartition(slots, "_slot").drop("_slot")


def padding(spark: SparkSession, parts: Sequence[Part], length: int) -> DataFrame:
    """The rows of weight 0 that make all shards of a part equal, as columns group, place, key, ids … weight."""
    missing = [
        (part.group, shard)
        for part in parts
        for shard in range(part.shards)
        for _ in range(part.per_shard - max(0, min(part.per_shard, part.rows - shard * part.per_shard)))
    ]
    rows = spark.createDataFrame(missing, "group string, place int")
    return rows.select(
        "*",
        F.lit(0).cast("long").alias("key"),
        F.array_repeat(F.lit(PAD), length).alias("ids"),
        F.lit(0).alias("length"),
        F.lit(0).alias("label"),
        F.lit(0.0).cast("float").alias("weight"),
    )


def lookup(table: Mapping[str, int | str]) -> Column:
    """A column that maps the keys to the values."""
    return F.create_map(*[F.lit(item) for pair in table.items() for item in pair])
