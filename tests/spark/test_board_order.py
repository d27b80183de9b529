"""The order in which tensor.encode writes rows is the one that the board pairs predictions by."""

from __future__ import annotations

import random

import numpy as np
import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from pipelines.board.tested import tensor_order
from spark_jobs.encode import Encode
from tests.spark.conftest import Bench
from textmill.ids import FIRST_TOKEN


@pytest.mark.parametrize("seed", [7, -3, 2**31 - 1, 2**40])
def test_it_is_that_of_sparks_hash(spark: SparkSession, seed: int) -> None:
    draw = random.Random(seed)

    def text(most: int) -> str:  # of every length, as the hash takes 32, 8, 4 bytes or one at a time
        return "".join(chr(draw.choice([0x20, 0x41, 0xE9, 0xAC00, 0x1F600]) + draw.randrange(60)) for _ in range(most))

    rows = [(text(n % 50), text(draw.randrange(4)), f"{n % 97}") for n in range(400)]
    told = spark.createDataFrame(
        [(n, *row) for n, row in enumerate(rows)], "n int, text string, label string, id string"
    )
    key = F.xxhash64(F.lit(seed), "text", "label", "id")
    expected = [row.n for row in told.coalesce(1).sortWithinPartitions(key, "n").collect()]
    assert np.argsort(tensor_order(seed, *([row[at] for row in rows] for at in range(3)))).tolist() == expected


def test_tensors_are_written_in_that_order(bench: Bench) -> None:
    names = ("id", "text", "label", "tokens")
    said = [(f"r{n}", f"말 {n} & <b>", "ab"[n % 2], [f"w{n}"]) for n in range(101)]
    schema = "id string, text string, label string, tokens array<string>"
    sources = [
        bench.source([dict(zip(names, row, strict=True)) for row in said], part, schema) for part in ("train", "test")
    ]
    done = bench.run(Encode(), sources, vocabulary={"min_count": 1}, length=4, shards=4, seed=11)
    words = [line.split("\t")[0] for line in (done.out / "vocabulary.tsv").read_text(encoding="utf-8").splitlines()]
    written = [words[row["ids"][0] - FIRST_TOKEN] for row in done.rows("test") if row["weight"] > 0]
    places = tensor_order(11, *([row[at] for row in said] for at in (1, 2, 0)))
    assert written == [said[n][3][0] for n in np.argsort(places)]
