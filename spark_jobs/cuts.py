"""Exact cut points of a hash, by group: how `split` and `encode` divide rows without sorting all of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

if TYPE_CHECKING:
    import pandas as pd

Cuts = dict[str, list[int | None]]
_Wanted = dict[tuple[str, int], list[tuple[int, int]]]
_MAX_COUNTERS = 1 << 18
_FEW = 1 << 18
"""Rows whose keys are looked at here: each pass over them would cost more in Spark's planning than they do."""


def cut_points(rows: DataFrame, ranks: Callable[[str, int], Sequence[int]], at_most: int | None = None) -> Cuts:
    """For each value of the string column `group` the values of `key` at the wanted ranks of the group's sorted keys.

    `key` is a uniform 64-bit hash; `ranks(group, n)` gives ranks in 0..n of a group of n rows. The rows before a rank
    are those with `key < cut`; a rank of n has the cut None, before which are all. One pass counts rows by group and
    leading bits of the key, a second looks only into the buckets that a cut falls into. `at_most` says, where it is
    known, how many rows there can be.
    """
    if at_most is not None and at_most <= _FEW:
        return _of_few(rows.select("group", "key").toPandas(), ranks)
    groups = max(1, rows.select("group").distinct().count())
    shift = 64 - max(1, (_MAX_COUNTERS // groups).bit_length() - 1)
    bucketed = rows.select("group", "key", F.shiftright("key", shift).alias("bucket"))
    counts = bucketed.groupBy("group", "bucket").count().toPandas().sort_values("bucket")
    cuts: Cuts = {}
    wanted: _Wanted = defaultdict(list)
    for group, of_group in counts.groupby("group"):
        cuts[str(group)] = _locate(str(group), of_group, ranks, wanted)
    if wanted:
        _refine(bucketed, wanted, cuts)
    return cuts


def _of_few(keys: pd.DataFrame, ranks: Callable[[str, int], Sequence[int]]) -> Cuts:
    cuts: Cuts = {}
    for group, of_group in keys.groupby("group"):
        ordered = sorted(of_group["key"].tolist())
        places = ranks(str(group), len(ordered))
        cuts[str(group)] = [ordered[rank] if rank < len(ordered) else None for rank in places]
    return cuts


def _locate(
    group: str, counts: pd.DataFrame, ranks: Callable[[str, int], Sequence[int]], wanted: _Wanted
) -> list[int | None]:
    """Note in `wanted` which bucket, and which place inside it, each rank of the group falls into."""
    ends = counts["count"].cumsum().to_numpy()
    places = ranks(group, int(ends[-1]))
    for index, rank in enumerate(places):
        if rank < ends[-1]:
            row = int(ends.searchsorted(rank, side="right"))
            before = int(ends[row - 1]) if row else 0
            wanted[group, int(counts["bucket"].iloc[row])].append((index, rank - before))
    return [None] * len(places)


def _refine(bucketed: DataFrame, wanted: _Wanted, cuts: Cuts) -> None:
    chosen = bucketed.sparkSession.createDataFrame(list(wanted), "group string, bucket long")
    inside = bucketed.join(F.broadcast(chosen), ["group", "bucket"]).toPandas()
    for (group, bucket), found in inside.groupby(["group", "bucket"]):
        ordered = sorted(found["key"].tolist())
        for index, offset in wanted[str(group), int(bucket)]:
            cuts[str(group)][index] = ordered[offset]


def place(rows: DataFrame, cuts: Cuts) -> DataFrame:
    """`rows` with the int column `place`: how many of its group's cuts a row's key has reached."""
    table = rows.sparkSession.createDataFrame(list(cuts.items()), "group string, cuts array<long>")
    reached = F.filter("cuts", lambda cut: F.col("key") >= cut)
    return rows.join(F.broadcast(table), "group").withColumn("place", F.size(reached)).drop("cuts")
