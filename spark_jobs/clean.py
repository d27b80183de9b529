"""text.clean: the gate through which every input comes; normalises text and sets bad records aside."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from pydantic import Field, model_validator
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from spark_jobs import jvm, parquet
from spark_jobs.base import DROPPED, InputFiles, Operation, Work, Written, union
from spark_jobs.output import write_parts
from textmill import places
from textmill.errors import InputError, StepFailed
from textmill.params import Params as BaseParams

UNREADABLE = (
    "broken_json", "broken_csv", "open_quote", "missing_text", "missing_label", "invalid_utf8",
    "invalid_encoding", "record_too_long",
)  # fmt: skip
"""Reasons that speak of the file rather than of the text: what an input's `max_bad` limits."""

Mask = Literal["card", "phone", "order_no", "email", "url"]


class Params(BaseParams):
    """How text is normalised and which lengths are kept."""

    unicode: Literal["NFC", "NFKC", "none"] = Field("NFC", description="Unicode normalisation form (UAX #15).")
    width: bool = Field(True, description="Full-width letters, digits and spaces to their usual width.")
    lowercase: bool = Field(False, description="Lower-case the text.")
    mask: tuple[Mask, ...] = Field((), description="What is replaced by a token such as <phone>.")
    min_chars: int = Field(1, ge=1, description="Shorter texts are set aside (too_short), in code points.")
    max_chars: int = Field(2000, ge=1, description="Longer texts are set aside (too_long), in code points.")

    @model_validator(mode="after")
    def _lengths(self) -> Params:
        if self.min_chars > self.max_chars:
            raise ValueError(f"min_chars {self.min_chars} is more than max_chars {self.max_chars}")
        return self


class Clean(Operation):
    """Reads inputs, normalises their text and labels; unreadable, too short and too long records go to `dropped`."""

    name = "text.clean"
    version = 4
    Params = Params
    example = "clean: {do: text.clean, from: chats, mask: [phone, order_no], min_chars: 2}"
    takes = "inputs"

    def by_date(self, params: Params) -> Literal["alone"]:
        """A record is cleaned whatever others there are."""
        return "alone"

    def outputs(self, params: Params) -> tuple[str, ...]:
        """One part: the rows that were kept."""
        return ("rows",)

    def _run(self, work: Work) -> Written:
        """Raises InputError where the inputs hold no record at all."""
        inputs = [source for source in work.sources if isinstance(source, InputFiles)]
        counted = [_counted(work.spark, source) for source in inputs]
        records = union([rows for rows, _ in counted])
        cleaned = clean(records, work.params)
        written = write_parts(
            cleaned, work.out, F.length("text"), spelling=F.col("spelling"), leave_out=["spelling"]
        )
        _account(inputs, [count() for _, count in counted], written)
        empty = not any(part["rows"] for part in written.parts.values())
        if empty and not all(source.may_be_empty for source in inputs):
            names = ", ".join(str(path) for source in inputs for path in source.files)
            raise InputError(f"input {inputs[0].name}: no record in {names}")
        return written


def clean(records: DataFrame, params: Params) -> DataFrame:
    """Columns id, text, label, reason, part of records (id, text, label, reason); spelling is the label as it came where
    that is another string."""
    function = jvm.function(records.sparkSession, "clean", params.canonical())
    cleaned = function(F.when(F.col("reason").isNull(), F.col("text")))
    label = jvm.function(records.sparkSession, "label", {})
    done = records.withColumn("_cleaned", cleaned).withColumn("_label", label(F.col("label")))
    reason = F.coalesce(F.col("reason"), F.col("_cleaned.reason"))
    return done.select(
        "id",
        F.when(reason.isNull(), F.col("_cleaned.text")).otherwise(F.substring("text", 1, 500)).alias("text"),
        F.col("_label").alias("label"),
        F.when(F.col("_label") != F.col("label"), F.col("label")).alias("spelling"),
        reason.alias("reason"),
        F.when(reason.isNull(), F.lit("rows")).otherwise(F.lit(DROPPED)).alias("part"),
    )


def read(spark: SparkSession, source: InputFiles) -> DataFrame:
    """The records of one input as columns id, text, label, reason; raises InputError naming a Parquet file that can't be read."""
    return _counted(spark, source)[0]


def _counted(spark: SparkSession, source: InputFiles) -> tuple[DataFrame, Callable[[], int | None]]:
    """The records, and how many there are in the files: known when they have been written, None where it never is."""
    files = sorted(places.spark_uri(path) for path in source.files)
    spec = {**source.reading, "files": files, "partitions": max(1, min(4000, source.size // (8 << 20)))}
    if source.reading["format"] == "parquet":
        spec["groups"] = parquet.groups(source.files, source.reading)
    records, count = jvm.counted_records(spark, spec)
    if source.reading["format"] == "parquet" and source.reading["sample"] is None:
        # As the footers say: what Spark's reading gives must be all of it, and once.
        return records.drop("position"), lambda: parquet.rows(source.files)
    return records.drop("position"), count


def _account(inputs: Sequence[InputFiles], records: Sequence[int | None], written: Written) -> None:
    """Raises StepFailed where records of the files are neither among the rows nor among those dropped."""
    if None in records:
        return
    rows, expected = sum(part["rows"] for part in written.parts.values()), sum(filter(None, records))
    if rows != expected:
        names = ", ".join(source.name for source in inputs)
        raise StepFailed(f"{names}: {expected:,} records were read and {rows:,} written; this is a fault of textmill")
