"""text.dedup: one row for each text."""

from __future__ import annotations

from typing import Literal

from pydantic import Field
from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from spark_jobs.base import DROPPED, Operation, Work, Written
from spark_jobs.output import write_parts
from textmill.params import Params as BaseParams


class Params(BaseParams):
    """Which rows count as the same."""

    exact: Literal[True] = Field(True, description="Rows whose cleaned text is equal are duplicates.")


class Dedup(Operation):
    """Keeps the row with the smallest (label, id) of equal texts; the others go to `dropped`."""

    name = "text.dedup"
    version = 1
    Params = Params
    takes = "rows"

    def outputs(self, params: Params) -> tuple[str, ...]:
        """One part: the rows that were kept."""
        return ("rows",)

    def _run(self, work: Work) -> Written:
        """Reasons: `duplicate` (the same label) and `conflicting_label` (another label for the same text)."""
        rows = drop_repeated(work.role("rows"), F.col("label"), F.col("id"))
        return write_parts(rows, work.out, F.length("text"))


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
