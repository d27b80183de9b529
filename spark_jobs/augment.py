"""text.augment: changed copies of rows, by EDA and by errors of spacing and typing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, model_validator
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from spark_jobs import jvm, synonyms
from spark_jobs.base import DROPPED, Entity, Operation, Resources, Work, Written, digest
from spark_jobs.cuts import cut_points, place
from spark_jobs.dedup import drop_repeated
from spark_jobs.output import write_parts
from textmill.params import Params as BaseParams

SPANS = "array<struct<start:int,end:int,entity:string>>"
UNCHANGED = "augment:unchanged"


class Params(BaseParams):
    """How many copies, and how they differ: each is made by one operation, all with a rate above 0 alike often."""

    copies: int = Field(1, ge=0, le=100, description="Copies of every row.")
    per_label: int | None = Field(
        None, ge=1, description="Instead of `copies`: as many as bring each label to so many rows, spread evenly."
    )
    synonym: float = Field(0.0, ge=0, le=1, description="Share of words replaced by a synonym.")
    insert: float = Field(0.0, ge=0, le=1, description="Above 0: a synonym of a word is put in at a random place.")
    swap: float = Field(0.1, ge=0, le=1, description="Pairs of words that change places, as a share of the words.")
    delete: float = Field(0.1, ge=0, le=1, description="Share of words left out.")
    spacing: float = Field(0.1, ge=0, le=1, description="Spaces left out or put into a word, as a share of the words.")
    typo: float = Field(0.05, ge=0, le=1, description="Share of letters or syllables with a slip of the finger.")
    synonyms: str | None = Field(None, description="Table: word, tab, synonyms; for `synonym` and `insert`.")
    keep: Literal["entities", "none"] = Field("entities", description="What is never changed inside: entity spans.")
    keep_source: bool = Field(True, description="The source rows themselves stay in the output.")
    seed: int = Field(7, description="Another seed, other copies; the definition's seed by default.")

    @model_validator(mode="after")
    def _table(self) -> Params:
        if (self.synonym or self.insert) and self.synonyms is None:
            raise ValueError("synonym and insert need a table: synonyms: FILE")
        if not any((self.synonym, self.insert, self.swap, self.delete, self.spacing, self.typo)):
            raise ValueError("every operation has the rate 0: nothing would be changed")
        return self


class Augment(Operation):
    """Source rows and their changed copies, no text twice.

    EDA is that of Wei and Zou (EMNLP 2019). Masks and, unless told otherwise, entities stay whole. A copy depends on the
    seed, its source's id and text and its number alone. The column origin says what made a row.
    """

    name = "text.augment"
    version = 1
    Params = Params
    takes = "rows"
    train_only = True
    path_params = ("synonyms",)

    def outputs(self, params: Params) -> tuple[str, ...]:
        """One part: the rows that were kept and made."""
        return ("rows",)

    def resources(self, params: Params, entities: Mapping[str, Entity]) -> Resources:
        """The synonyms; raises DefinitionError for a table that can't be used."""
        table = synonyms.read(Path(params.synonyms)) if params.synonyms else {}
        return Resources({"synonyms": table}, {"synonyms": digest(table)} if table else {})

    def _run(self, work: Work) -> Written:
        """Reasons: `unchanged` (no operation could change the text), `duplicate`, `conflicting_label`."""
        source = _with_columns(work.role("rows"))
        made = copies(work, source)
        rows = source.unionByName(made, allowMissingColumns=True) if work.params.keep_source else made
        is_copy = F.col("origin").startswith("augment:").cast("int")
        unique = drop_repeated(rows, is_copy, F.col("label"), F.col("id"))
        failed = F.col("origin") == UNCHANGED
        marked = unique.withColumn("reason", F.when(failed, "unchanged").otherwise(F.col("reason")))
        parted = marked.withColumn("part", F.when(failed, F.lit(DROPPED)).otherwise(F.col("part")))
        return write_parts(parted, work.out, F.length("text"))


def _with_columns(rows: DataFrame) -> DataFrame:
    """`rows` with the columns origin and spans, where they come from a step that knows neither."""
    missing = {"origin": F.lit("source"), "spans": F.lit(None).cast(SPANS)}
    for name, column in missing.items():
        rows = rows if name in rows.columns else rows.withColumn(name, column)
    return rows


def copies(work: Work, source: DataFrame) -> DataFrame:
    """The changed copies: id is the source's with #number; a copy that could not be changed has the origin UNCHANGED."""
    settings = {**work.params.canonical(), **work.resources.data}
    change = jvm.function(work.spark, "augment", settings)
    numbered = _numbered(source, work.params)
    seed = F.xxhash64(F.lit(work.params.seed), "id", "text", "_copy")
    changed = numbered.withColumn("_made", change(F.col("text"), F.col("spans"), seed))
    made = changed.withColumn("origin", F.concat(F.lit("augment:"), F.coalesce("_made.operation", F.lit("unchanged"))))
    return made.select(
        *[column for column in source.columns if column not in ("id", "text", "spans", "origin")],
        F.concat("id", F.lit("#"), F.col("_copy").cast("string")).alias("id"),
        F.coalesce("_made.text", "text").alias("text"),
        F.when(F.col("_made").isNull(), F.col("spans")).otherwise(F.col("_made.spans")).alias("spans"),
        "origin",
    )


def _numbered(source: DataFrame, params: Params) -> DataFrame:
    """A row for each copy that is to be made of a source row, with its number from 1 as _copy."""
    if params.per_label is None:
        return _repeated(source, F.lit(params.copies))
    least: dict[str, int] = {}

    def with_one_more(label: str, rows: int) -> list[int]:
        least[label], more = divmod(max(0, params.per_label - rows), rows)
        return [more]

    key = F.xxhash64(F.lit(params.seed), "id", "text")
    keyed = source.withColumn("group", F.coalesce("label", F.lit(""))).withColumn("key", key)
    placed = place(keyed, cut_points(keyed, with_one_more))
    base = F.create_map(*[F.lit(item) for pair in least.items() for item in pair])[F.col("group")]
    return _repeated(placed, base + (F.col("place") == 0).cast("int")).drop("group", "key", "place")


def _repeated(rows: DataFrame, times: Column) -> DataFrame:
    return rows.withColumn("_copy", F.explode(F.when(times > 0, F.sequence(F.lit(1), times))))
