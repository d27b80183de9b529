"""Connected components by alternating large and small stars (Kiveris et al., SoCC 2014).

Chosen over label propagation, whose rounds grow with the longest chain: the stars need O(log² n) rounds at worst, four to
six in practice. A giant cluster costs no more memory than any other, for minima are aggregated before they are shuffled
and joins stream. The result depends on the edges alone.
"""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

_ROUNDS = 100
_EDGES_PER_PARTITION = 500_000
_PARTITIONS = "spark.sql.shuffle.partitions"


def components(edges: DataFrame, scratch: str, count: int) -> DataFrame:
    """Columns key and cluster (the smallest key of its component) of every key in `edges` (a, b: long, a ≠ b).

    `count` is the number of edges or more: rounds over few are done in few partitions. Each round is written to the folder `scratch`, from which the result reads too: in memory alone, a lost executor
    would cost all rounds, and Spark's plan would double with each.
    """
    conf = edges.sparkSession.conf
    usual = conf.get(_PARTITIONS)
    conf.set(_PARTITIONS, str(min(int(usual or 1), 1 + count // _EDGES_PER_PARTITION)))
    try:
        current = _converged(edges, scratch)
    finally:
        conf.set(_PARTITIONS, str(usual))
    roots = current.select(F.col("v").alias("key"), F.col("v").alias("cluster")).distinct()
    return current.select(F.col("u").alias("key"), F.col("v").alias("cluster")).union(roots)


def _converged(edges: DataFrame, scratch: str) -> DataFrame:
    """Columns u and v: every node but the roots, with its root."""
    current = _written(_oriented(edges), f"{scratch}/start")
    before, state = None, _state(current)
    for number in range(_ROUNDS):
        if state == before or not state[0]:
            break
        current = _written(small_star(large_star(current)), f"{scratch}/{number}")
        before, state = state, _state(current)
    return current


def _oriented(edges: DataFrame) -> DataFrame:
    return edges.select(F.greatest("a", "b").alias("u"), F.least("a", "b").alias("v")).distinct()


def _written(edges: DataFrame, folder: str) -> DataFrame:
    edges.write.parquet(folder)
    return edges.sparkSession.read.schema(edges.schema).parquet(folder)


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
