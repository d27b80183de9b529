"""Connected components: by union-find in one task where the edges fit, else by alternating large and small stars.

The stars (Kiveris et al., SoCC 2014) were chosen over label propagation, whose rounds grow with the longest chain: they
need O(log² n) rounds at worst, four to eight in practice. A giant cluster costs no more memory than any other, for minima
are aggregated before they are shuffled and joins stream. But each round is two Spark jobs of some seconds, which a graph
of a few million edges is not worth. Both give the same result, which depends on the edges alone.
"""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from spark_jobs import jvm
from textmill.places import spark_pattern

IN_ONE_TASK = 4_000_000
_ROUNDS = 100


def components(edges: DataFrame, count: int, scratch: str) -> DataFrame:
    """Columns key and cluster (the smallest key of its component) of every key in `edges` (a, b: long, a ≠ b).

    `count` is the number of edges or more; the folder `scratch` may be written to, and the result may read from it.
    """
    if count <= IN_ONE_TASK:
        return jvm.components(edges.select("a", "b"))
    return by_stars(edges, scratch)


def by_stars(edges: DataFrame, scratch: str) -> DataFrame:
    """The same for any number of edges. Each round is written to `scratch`: in memory alone, a lost executor would cost
    all rounds, and Spark's plan would double with each."""
    current = _written(_oriented(edges), f"{scratch}/start")
    before, state = None, _state(current)
    for number in range(_ROUNDS):
        if state == before or not state[0]:
            break
        current = _written(small_star(large_star(current)), f"{scratch}/{number}")
        before, state = state, _state(current)
    roots = current.select(F.col("v").alias("key"), F.col("v").alias("cluster")).distinct()
    return current.select(F.col("u").alias("key"), F.col("v").alias("cluster")).union(roots)


def _oriented(edges: DataFrame) -> DataFrame:
    return edges.select(F.greatest("a", "b").alias("u"), F.least("a", "b").alias("v")).distinct()


def _written(edges: DataFrame, folder: str) -> DataFrame:
    edges.write.parquet(folder)
    return edges.sparkSession.read.schema(edges.schema).parquet(spark_pattern(folder))


def large_star(edges: DataFrame) -> DataFrame:
    """Connect the larger neighbours of every node to its smallest neighbour, or to itself where it is smaller."""
    both = edges.union(edges.select(F.col("v").alias("u"), F.col("u").alias("v")))
    smallest = both.groupBy("u").agg(F.least(F.min("v"), F.col("u")).alias("m"))
    larger = both.join(smallest, "u").where(F.col("v") > F.col("u"))
    return larger.select(F.col("v").alias("u"), F.col("m").alias("v")).distinct()


def small_star(edges: DataFrame) -> DataFrame:
    """Connect every node and its smaller neighbours to the smallest of them; `edges` go from larger to smaller."""
    smallest = edges.groupBy("u").agg(F.min("v").alias("m"))
    joined = edges.join(smallest, "u").where(F.col("v") != F.col("m"))
    moved = joined.select(F.col("v").alias("u"), F.col("m").alias("v"))
    return moved.union(smallest.withColumnRenamed("m", "v")).distinct()


def _state(edges: DataFrame) -> tuple[int, int]:
    """Number of edges and a sum over them: two sets of edges with equal ones are taken for the same."""
    row = edges.agg(F.count("u"), F.sum(F.shiftright(F.xxhash64("u", "v"), 24))).collect()[0]
    return int(row[0]), int(row[1] or 0)
