"""text.dedup: one row for each text, and on request for each group of nearly equal texts."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator
from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from spark_jobs.base import DROPPED, EARLIER, KEY, Operation, Prepared, Work, Written
from spark_jobs.components import components
from spark_jobs.near import Near
from spark_jobs.output import write_parts
from textmill import places
from textmill.params import Params as BaseParams


class Params(BaseParams):
    """Which rows count as the same."""

    exact: Literal[True] = Field(True, description="Rows whose cleaned text is equal are duplicates.")
    keep: Literal["first", "earliest"] = Field(
        "first",
        description="Of equal texts the first by label and id stays; earliest: of dated rows the first of its earliest "
        "date, so that a new date is compared with earlier ones (by xxhash64 of the text) and changes nothing of them.",
    )
    near: Near | None = Field(None, description="Also nearly equal texts, compared by their n-grams.")

    @model_validator(mode="after")
    def _fits(self) -> Params:
        if self.near is not None and self.keep == "earliest":
            raise ValueError("keep: earliest is for equal texts alone, without near")
        return self


class Dedup(Operation):
    """Keeps the row with the smallest (label, id) of equal texts; the others go to `dropped`.

    With `near`, the same again for each cluster of similar texts: those connected by pairs at or above the threshold.
    The pairs are a step of their own (STEP.pairs), so that another threshold only decides anew. Rows that are in a
    cluster say which in the column cluster.
    """

    name = "text.dedup"
    version = 4
    Params = Params
    example = "dedup: {do: text.dedup, from: clean, near: {threshold: 0.8}}"
    takes = "rows"

    def by_date(self, params: Params) -> Literal["earlier"] | None:
        """With keep: earliest."""
        return "earlier" if params.keep == "earliest" else None

    def outputs(self, params: Params) -> tuple[str, ...]:
        """One part: the rows that were kept."""
        return ("rows",)

    def prepared(self, params: Params) -> Prepared | None:
        """The search for similar texts."""
        return Prepared("pairs", "text.near_pairs", params.near.search()) if params.near else None

    def _run(self, work: Work) -> Written:
        """Reasons: `duplicate`, `near_duplicate`; with another label than the row that stays `conflicting_label` and
        `near_conflicting_label`."""
        rows, near = drop_repeated(work.role("rows"), F.col("label"), F.col("id")), work.params.near
        if near is None:
            before = f"{EARLIER}rows"
            if work.params.keep == "earliest":
                rows = rows.withColumn(KEY, F.xxhash64("text"))
            known = set_known_aside(rows, work.role(before)) if work.rows(before) else rows
            return write_parts(known, work.out, F.length("text"))
        pairs, scratch = work.role("pairs").where(F.col("similarity") >= near.threshold), work.out / "_components"
        found = sum(source.rows for source in work.rows("pairs"))
        marked = mark_clusters(rows, components(pairs, found, places.spark_uri(scratch)))
        marked = marked.drop("_first") if near.keep == "all" else drop_similar(marked)
        written = write_parts(marked, work.out, F.length("text"))
        places.remove(scratch)
        return written


def drop_repeated(rows: DataFrame, *survives_first: Column) -> DataFrame:
    """The rows with columns reason and part: of equal texts the first by `survives_first` stays.

    The order within each partition is total, so the written files depend on the rows alone.
    """
    same = Window.partitionBy("text").orderBy(*[column.asc_nulls_first() for column in survives_first])
    rank, kept = F.row_number().over(same), F.first("label").over(same)
    reason = F.when(
        F.col("_rank") > 1,
        F.when(F.col("label").eqNullSafe(F.col("_kept")), "duplicate").otherwise("conflicting_label"),
    )
    ranked = rows.withColumn("_rank", rank).withColumn("_kept", kept).withColumn("reason", reason)
    part = F.when(F.col("reason").isNull(), F.lit("rows")).otherwise(F.lit(DROPPED))
    return ranked.withColumn("part", part).drop("_rank", "_kept")


def set_known_aside(rows: DataFrame, earlier: DataFrame) -> DataFrame:
    """`rows` of drop_repeated, with their keys, where those whose text is among the earlier ones are set aside too.

    The earlier rows may be very many: of them keys and labels are looked through once, for the few keys of `rows`.
    """
    keys = F.broadcast(rows.select(KEY).distinct())
    known = earlier.select(KEY, "label").join(keys, KEY, "left_semi").groupBy(KEY).agg(F.min("label").alias("_had"))
    marked = rows.join(F.broadcast(known.withColumn("_known", F.lit(True))), KEY, "left")
    label = F.when(F.col("label").eqNullSafe(F.col("_had")), "duplicate").otherwise("conflicting_label")
    reason = F.coalesce(F.when(F.col("_known"), label), F.col("reason"))
    part = F.when(reason.isNull(), F.lit("rows")).otherwise(F.lit(DROPPED))
    found = marked.withColumn("reason", reason).withColumn("part", part)
    return found.select(rows.columns).sortWithinPartitions("text", "label", "id")


def mark_clusters(rows: DataFrame, clusters: DataFrame) -> DataFrame:
    """`rows` of drop_repeated with the columns cluster and _first: (label, id, text) of the row that speaks for it."""
    keyed = rows.withColumn("key", F.xxhash64("text"))
    members = keyed.where(F.col("reason").isNull()).join(clusters, "key")
    first = members.groupBy("cluster").agg(F.min(F.struct("label", "id", "text")).alias("_first"))
    return keyed.join(clusters.join(first, "cluster"), "key", "left").drop("key")


def drop_similar(rows: DataFrame) -> DataFrame:
    """Rows that are not the first of their cluster are set aside, with the id of that row as similar_to."""
    similar = F.col("reason").isNull() & (F.struct("label", "id", "text") != F.col("_first"))
    same_label = F.col("label").eqNullSafe(F.col("_first.label"))
    reason = F.when(similar, F.when(same_label, "near_duplicate").otherwise("near_conflicting_label"))
    part = F.when(similar, F.lit(DROPPED)).otherwise(F.col("part"))
    marked = rows.withColumn("similar_to", F.when(similar, F.col("_first.id"))).withColumn("part", part)
    return marked.withColumn("reason", F.coalesce("reason", reason)).drop("_first")
