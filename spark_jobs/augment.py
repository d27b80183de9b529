"""text.augment: changed copies of rows, by EDA and by errors of spacing and typing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import Field, model_validator
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from spark_jobs import jvm, synonyms
from spark_jobs.base import DROPPED, Entity, Operation, Resources, Work, Written, digest
from spark_jobs.cuts import cut_points, place
from spark_jobs.dedup import drop_repeated
from spark_jobs.embeddings import neighbours, vocabulary
from spark_jobs.output import write_parts
from textmill.errors import InputError
from textmill.ids import UNKNOWN
from textmill.params import Params as BaseParams

SPANS = "array<struct<start:int,end:int,entity:string>>"
_NEED_TABLE = ("synonym", "insert")
_OPERATIONS = (*_NEED_TABLE, "swap", "delete", "spacing", "typo")
_SPARE = 30


class Neighbours(BaseParams):
    """Synonyms from word vectors: a word's nearest others, the nearer the more often."""

    from_: str = Field(alias="from", description="The text.embed step whose vectors they are.")
    nearest: int = Field(5, ge=1, le=100, description="At most so many of a word's nearest.")
    similarity: float = Field(0.6, ge=0, le=1, description="Others than with at least this cosine are no synonyms.")


class Params(BaseParams):
    """How many copies, and how they differ. A rate of 0 turns an operation off; above 0 it makes at least one change."""

    copies: int = Field(1, ge=0, le=100, description="Copies of every row.")
    per_label: int | None = Field(
        None, ge=1, description="Instead of `copies`: as many as bring each label to so many rows, spread evenly."
    )
    mix: Literal["one", "all"] = Field(
        "one", description="A copy is changed by one operation, all alike often, or by all of them one after another."
    )
    synonym: float = Field(0.1, ge=0, le=1, description="Share of words replaced by a synonym of the table.")
    insert: float = Field(
        0.1, ge=0, le=1, description="Synonyms of its words put in anywhere, as a share of the words."
    )
    swap: float = Field(0.1, ge=0, le=1, description="Pairs of words that change places, as a share of the words.")
    delete: float = Field(0.1, ge=0, le=1, description="Share of words left out.")
    spacing: float = Field(0.1, ge=0, le=1, description="Spaces left out or put into a word, as a share of the words.")
    typo: float = Field(0.05, ge=0, le=1, description="Share of letters or syllables with a slip of the finger.")
    synonyms: str | Neighbours | None = Field(
        None, description="Table: word, tab, synonyms, and a weight if wanted; or from: a text.embed step."
    )
    keep: Literal["entities", "none"] = Field("entities", description="What is never changed inside: entity spans.")
    keep_source: bool = Field(True, description="The source rows themselves stay in the output.")
    seed: int = Field(7, description="Another seed, other copies; the definition's seed by default.")

    @model_validator(mode="after")
    def _consistent(self) -> Params:
        if self.per_label is not None and "copies" in self.model_fields_set:
            raise ValueError("give one of copies and per_label")
        if self.synonyms is None and any(name in self.model_fields_set and getattr(self, name) for name in _NEED_TABLE):
            raise ValueError("synonym and insert need a table: synonyms: FILE or synonyms: {from: a text.embed step}")
        if not any(getattr(self, name) for name in _OPERATIONS if self.synonyms or name not in _NEED_TABLE):
            raise ValueError("every operation has the rate 0: nothing would be changed")
        return self


class Augment(Operation):
    """Source rows and their changed copies, no text twice.

    EDA is that of Wei and Zou (EMNLP 2019). Masks and, unless told otherwise, entities stay whole. The copies of a row
    depend on the seed, its id and its text alone. The column origin says what made a row.
    """

    name = "text.augment"
    version = 2
    Params = Params
    example = "augment: {do: text.augment, from: populate, copies: 2, swap: 0.1, delete: 0.1}"
    takes = "rows"
    train_only = True
    path_params = ("synonyms",)
    beside = {"synonyms": "text.embed"}

    def outputs(self, params: Params) -> tuple[str, ...]:
        """One part: the rows that were kept and made."""
        return ("rows",)

    def resources(self, params: Params, entities: Mapping[str, Entity]) -> Resources:
        """The synonyms; raises DefinitionError for a table that can't be used."""
        table = synonyms.read(Path(params.synonyms)) if isinstance(params.synonyms, str) else {}
        return Resources({"synonyms": table}, {"synonyms": digest(table)} if table else {})

    def _run(self, work: Work) -> Written:
        """Reasons: `unchanged` (no operation could change the text), `duplicate`, `conflicting_label`."""
        source, params = _with_columns(work.role("rows")), work.params
        shares = _shares(source, params) if params.per_label else {}
        rows = copies(work, _counted(source, shares, params), source.columns)
        if params.keep_source:
            rows = source.withColumn("_copy", F.lit(0)).withColumn("_failed", F.lit(False)).unionByName(rows)
        if params.per_label is None:
            return write_parts(_unique(rows), work.out, F.length("text"), leave_out=("_copy",))
        kept = _unique(rows).persist()
        try:
            enough = _first_of_each_label(kept, params.per_label, shares, params.seed)
            return write_parts(enough, work.out, F.length("text"), leave_out=("_copy",))
        finally:
            kept.unpersist()


def _unique(rows: DataFrame) -> DataFrame:
    """`rows` with columns reason and part: of equal texts a source stays before a copy, and a first copy before others."""
    unique = drop_repeated(rows, F.col("_failed"), F.col("_copy"), F.col("label"), F.col("id"))
    marked = unique.withColumn("reason", F.when(F.col("_failed"), "unchanged").otherwise(F.col("reason")))
    return marked.withColumn("part", F.when(F.col("_failed"), DROPPED).otherwise(F.col("part"))).drop("_failed")


def _with_columns(rows: DataFrame) -> DataFrame:
    """`rows` with the columns origin and spans, where they come from a step that knows neither."""
    missing = {"origin": F.lit("source"), "spans": F.lit(None).cast(SPANS)}
    for name, column in missing.items():
        rows = rows if name in rows.columns else rows.withColumn(name, column)
    return rows


def _group() -> Column:
    return F.coalesce("label", F.lit(""))


def _shares(source: DataFrame, params: Params) -> dict[str, float]:
    """Copies to be made per row of each label, on average: a quarter more than are wanted, and _SPARE, as some will
    equal another row."""
    shares = {}
    for label, rows in source.groupBy(_group()).count().collect():
        wanted = max(0, (params.per_label or 0) - (rows if params.keep_source else 0))
        shares[label] = (1.25 * wanted + _SPARE) / rows if wanted else 0.0
    return shares


def _counted(source: DataFrame, shares: Mapping[str, float], params: Params) -> DataFrame:
    """`source` with the number of copies to be made of each row as _copies: its label's share, rounded by a hash."""
    if params.per_label is None:
        return source.withColumn("_copies", F.lit(params.copies))
    table = source.sparkSession.createDataFrame(list(shares.items()), "group string, _share double")
    uniform = F.pmod(F.xxhash64(F.lit(params.seed), "id", "text"), F.lit(1 << 32)) / (1 << 32)
    joined = source.withColumn("group", _group()).join(F.broadcast(table), "group")
    return joined.withColumn("_copies", F.floor(F.col("_share") + uniform).cast("int")).drop("group", "_share")


def copies(work: Work, counted: DataFrame, columns: Sequence[str]) -> DataFrame:
    """The copies of rows with _copies: id is the row's with #number, _copy the number, _failed that nothing changed."""
    change = jvm.function(work.spark, "augment", {**work.params.canonical(), "synonyms": _table(work)})
    numbers = F.sequence(F.lit(1), F.col("_copies"))
    seeds = F.transform(numbers, lambda number: F.xxhash64(F.lit(work.params.seed), "id", "text", number))
    changed = counted.where("_copies > 0").withColumn("_made", change(F.col("text"), F.col("spans"), seeds))
    exploded = changed.select(*columns, F.posexplode("_made").alias("_index", "_made"))
    numbered = exploded.withColumn("_copy", F.col("_index") + 1).withColumn("_failed", F.col("_made").isNull())
    return numbered.select(
        *[column for column in columns if column not in ("id", "text", "spans", "origin")],
        F.concat("id", F.lit("#"), F.col("_copy").cast("string")).alias("id"),
        F.coalesce("_made.text", "text").alias("text"),
        F.when(F.col("_failed"), F.col("spans")).otherwise(F.col("_made.spans")).alias("spans"),
        F.concat(F.lit("augment:"), F.coalesce("_made.operation", F.lit("none"))).alias("origin"),
        "_copy",
        "_failed",
    )


def _table(work: Work) -> synonyms.Table:
    """The file's, or made of vectors; raises InputError where no word has a neighbour that is near enough."""
    given = work.params.synonyms
    if not isinstance(given, Neighbours):
        return dict(work.resources.data["synonyms"])
    known = vocabulary.read(work.folder("synonyms.tensors"))
    with (work.folder("synonyms") / "matrix.npy").open("rb") as stream:
        matrix = np.load(stream)
    present = (matrix[known.ids] != matrix[UNKNOWN]).any(axis=1)
    found = neighbours.table(known.tokens, matrix[known.ids], present, given.nearest, given.similarity)
    if not found:
        raise InputError(f"no word has a neighbour of similarity {given.similarity} in step {given.from_}: lower it")
    return found


def _first_of_each_label(rows: DataFrame, wanted: int, shares: Mapping[str, float], seed: int) -> DataFrame:
    """`rows` without the copies that come after the first `wanted` rows of their label.

    Sources come before first copies, these before second ones, and all with the same number in the order of a hash: so
    copies are spread evenly over the rows.
    """
    step = (1 << 62) // (int(max(shares.values(), default=0)) + 2)
    hashed = F.pmod(F.xxhash64(F.lit(seed), "id", "text"), F.lit(step))
    ordered = rows.withColumn("key", F.col("_copy") * F.lit(step) + hashed)
    grouped = ordered.withColumn("group", _group())
    cuts = cut_points(grouped.where(F.col("part") != DROPPED), lambda _, count: [min(wanted, count)])
    placed = place(grouped, {**{label: [None] for label in shares}, **cuts})
    return placed.where((F.col("place") == 0) | (F.col("_copy") == 0)).drop("group", "key", "place")
