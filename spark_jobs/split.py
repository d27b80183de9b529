"""data.split: train, valid and test by a hash of the cleaned text, in the same proportions for every label."""

from __future__ import annotations

from itertools import accumulate
from typing import Literal

from pydantic import Field, field_validator, model_validator
from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from spark_jobs.base import Operation, Work, Written
from spark_jobs.cuts import cut_points, place
from spark_jobs.output import write_parts
from textmill.errors import InputError
from textmill.params import Params as BaseParams


class Params(BaseParams):
    """The parts and their shares."""

    parts: dict[str, float] = Field({"train": 0.8, "valid": 0.1, "test": 0.1}, description="Share of each part; sum 1.")
    exact: bool = Field(
        True,
        description="The shares to the row, for every label; false: by a hash of each text alone, so that other rows "
        "change nothing of it and dated rows are split date by date.",
    )
    min_per_label: int = Field(2, ge=1, description="A label with fewer rows stops the run.")
    seed: int = Field(7, description="Another seed, another split; the definition's seed by default.")

    @field_validator("parts")
    @classmethod
    def _shares(cls, parts: dict[str, float]) -> dict[str, float]:
        if abs(sum(parts.values()) - 1) > 1e-9 or any(share <= 0 for share in parts.values()):
            raise ValueError(f"shares must be above 0 and sum to 1, these sum to {sum(parts.values()):g}")
        if bad := [part for part in parts if part not in ("train", "valid", "test")]:
            raise ValueError(f"a part is train, valid or test, not {', '.join(bad)}")
        return parts

    @model_validator(mode="after")
    def _fits(self) -> Params:
        if not self.exact and "min_per_label" in self.model_fields_set:
            raise ValueError("min_per_label needs exact: true, for with false rows are not counted")
        return self


class Split(Operation):
    """Every text is in one part, whatever the order or partitions of the rows; unlabelled rows form one group.

    So is every cluster that text.dedup marked: it counts for the first of its labels.
    """

    name = "data.split"
    version = 3
    Params = Params
    example = "split: {do: data.split, from: dedup, parts: {train: 0.9, valid: 0.05, test: 0.05}}"
    takes = "rows"

    def by_date(self, params: Params) -> Literal["alone"] | None:
        """With exact: false."""
        return None if params.exact else "alone"

    def outputs(self, params: Params) -> tuple[str, ...]:
        """The parts of the parameters."""
        return tuple(params.parts)

    def _run(self, work: Work) -> Written:
        """Raises InputError where a label has fewer rows than `min_per_label`."""
        rows = work.role("rows")
        if work.params.exact:
            divided = split(rows, work.params, sum(source.rows for source in work.rows("rows")))
        else:
            divided = split_by_hash(rows, work.params)
        return write_parts(divided, work.out, F.length("text"))


def split(rows: DataFrame, params: Params, count: int) -> DataFrame:
    """`rows`, of which there are `count`, with the column part."""
    keyed = _keyed(rows, params.seed)
    small: dict[str, int] = {}

    def ranks(label: str, rows: int) -> list[int]:
        if rows < params.min_per_label:
            small[label] = rows
        return part_ends(rows, list(params.parts.values()))

    cuts = cut_points(keyed, ranks, count)
    if small:
        raise InputError(_too_small(small, params))
    parts = F.array(*[F.lit(part) for part in params.parts])
    return place(keyed, cuts).withColumn("part", parts[F.col("place")]).drop("group", "key", "place")


def split_by_hash(rows: DataFrame, params: Params) -> DataFrame:
    """`rows` with the column part, each by its own hash: the shares are met about as well as dice would."""
    spread = F.col("key") / F.lit(2.0**64) + 0.5
    ends = list(accumulate(params.parts.values()))
    *parts, last = params.parts
    part = F.lit(last)
    for name, end in reversed(list(zip(parts, ends, strict=False))):
        part = F.when(spread < end, F.lit(name)).otherwise(part)
    return _keyed(rows, params.seed).withColumn("part", part).drop("group", "key")


def _keyed(rows: DataFrame, seed: int) -> DataFrame:
    """`rows` with what decides their part: group and key, the same for all rows of a cluster of similar texts."""
    label = F.coalesce("label", F.lit(""))
    if "cluster" not in rows.columns:
        return rows.withColumn("group", label).withColumn("key", F.xxhash64(F.lit(seed), "text"))
    same = F.coalesce(F.col("cluster"), F.xxhash64("text"))
    keyed = rows.withColumn("key", F.xxhash64(F.lit(seed), same))
    return keyed.withColumn("group", F.min(label).over(Window.partitionBy("key")))


def part_ends(rows: int, shares: list[float]) -> list[int]:
    """Ranks at which all parts but the last end, each to the nearest row; the first part has at least one row."""
    return [max(1, min(rows, round(rows * end))) for end in list(accumulate(shares))[:-1]]


def _too_small(small: dict[str, int], params: Params) -> str:
    worst = sorted(small.items())
    listed = ", ".join(f"'{label}' ({rows})" for label, rows in worst[:10]) + (", …" if len(worst) > 10 else "")
    return (
        f"{len(worst)} label{'s' * (len(worst) > 1)} with fewer than min_per_label {params.min_per_label} examples: "
        f"{listed}; add examples, merge the label with another, or set min_per_label: 1 (its rows then all go to train)"
    )
