"""Cut points of a hash, and keys for the partitions of shards."""

from __future__ import annotations

import random
from collections import defaultdict

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from spark_jobs import jvm
from spark_jobs.cuts import cut_points, place


@pytest.mark.parametrize("at_most", [None, 3000], ids=["in two passes", "few rows"])
def test_as_many_rows_are_before_a_cut_as_its_rank_says(spark: SparkSession, at_most: int | None) -> None:
    dice = random.Random(3)
    rows = [(dice.choice(["a", "b", "b", "다"]), dice.randrange(-(2**63), 2**63)) for _ in range(2999)] + [("one", 5)]
    frame = spark.createDataFrame(rows, "group string, key long")
    cuts = cut_points(frame, lambda _, count: [0, count // 3, count // 2, count], at_most)
    keys = defaultdict(list)
    for group, key in rows:
        keys[group].append(key)
    assert set(cuts) == {"a", "b", "다", "one"}
    for group, found in cuts.items():
        ordered = sorted(keys[group])
        assert found == [ordered[0], ordered[len(ordered) // 3], ordered[len(ordered) // 2], None]
    placed = place(frame, cuts).groupBy("group").agg(F.min("place"), F.max("place")).collect()
    assert sorted(tuple(row) for row in placed) == [("a", 1, 3), ("b", 1, 3), ("one", 3, 3), ("다", 1, 3)]


@pytest.mark.parametrize("partitions", [1, 2, 7, 240])
def test_a_key_is_sent_to_its_partition(spark: SparkSession, partitions: int) -> None:
    keys = [(place, key) for place, key in enumerate(jvm.partition_keys(spark, partitions))]
    sent = spark.createDataFrame(keys, "place int, key int").repartition(partitions, "key")
    found = sent.select("place", F.spark_partition_id().alias("partition")).collect()
    assert len(found) == partitions and all(row.place == row.partition for row in found)
