"""Batch scoring: a table of raw texts through the whole chain of a trained model, none of its rows left out."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from models import scoring
from models.tensors import LABELS
from spark_jobs import clean, jvm, sentencepieces
from spark_jobs.base import InputFiles
from textmill import owners, places
from textmill.errors import InputError
from textmill.places import Place

_SCHEMA = "id string, text string, label string, predicted string, confidence float, correct boolean"
# Spark's own trims outer blanks as it writes, and takes every line break for the end of a record as it reads.
_CSV = {
    "header": True, "escape": '"', "ignoreLeadingWhiteSpace": False, "ignoreTrailingWhiteSpace": False,
    "multiLine": True,
}  # fmt: skip
_ROW = "id string, raw string, reason string"
_FORMULA = r"(?s)^(\s*[=+\-@＝＋－＠]|[\t\r\n]).*"
"""Cells that a spreadsheet computes; the full-width signs, too."""


@dataclass(frozen=True)
class TextModel:
    """A trained model and what a raw text goes through before it."""

    chain: Mapping[str, Any]
    """Parameters of clean, tokenize and encode."""
    model: Place
    """The folder with saved_model/."""
    tensors: Place
    """The folder with vocabulary.tsv and labels.json."""
    pieces: Place
    """sentencepiece's model, if that is the analyzer."""


def score(given: TextModel, table: DataFrame) -> DataFrame:
    """Columns id, text, predicted, confidence, reason of rows with id, text, label, reason.

    A row that training would have set aside has its `reason` and no prediction; `text` is as it came.
    """
    labels = LABELS.read(given.tensors / "labels.json")
    scorer = scoring.scorer(str(places.absolute(given.model)), labels)
    scored = _encoded(given, _cleaned(given, table)).mapInArrow(scorer, _SCHEMA)
    found = scored.withColumn("_row", F.from_json("id", _ROW))
    good = F.col("_row.reason").isNull()
    return found.select(
        F.col("_row.id").alias("id"),
        F.col("_row.raw").alias("text"),
        F.when(good, F.col("predicted")).alias("predicted"),
        F.when(good, F.col("confidence")).alias("confidence"),
        F.col("_row.reason").alias("reason"),
    )


def _cleaned(given: TextModel, table: DataFrame) -> DataFrame:
    """Columns id, raw, reason, and the cleaned text; an empty one where there is none."""
    clean_text = jvm.function(table.sparkSession, "clean", given.chain["clean"])
    cleaned = clean_text(F.when(F.col("reason").isNull(), F.col("text")))
    return table.withColumn("_cleaned", cleaned).select(
        "id",
        F.col("text").alias("raw"),
        F.coalesce("reason", F.col("_cleaned.reason")).alias("reason"),
        F.coalesce("_cleaned.text", F.lit("")).alias("text"),
    )


def _encoded(given: TextModel, rows: DataFrame) -> DataFrame:
    """The columns that the scorer takes. It gives back its own alone: what else belongs to a row travels in its id."""
    vocabulary = {"vocabulary_file": places.spark_uri(given.tensors / "vocabulary.tsv")}
    encode = jvm.function(rows.sparkSession, "encode", {**given.chain["encode"], **vocabulary})
    row = F.to_json(F.struct("id", "raw", "reason"))
    null = F.lit(None).cast("string")
    ids = encode(F.col("tokens"))["ids"]
    return _tokenized(rows, given).select(
        row.alias("id"), F.lit("").alias("text"), null.alias("label"), ids.alias("ids")
    )


def _tokenized(rows: DataFrame, given: TextModel) -> DataFrame:
    tokenize = given.chain["tokenize"]
    if tokenize["analyzer"] == "sentencepiece":
        return sentencepieces.apply(rows, given.pieces.read_bytes())
    return rows.withColumn("tokens", jvm.function(rows.sparkSession, "tokenize", tokenize)(F.col("text")))


def harmless(rows: DataFrame) -> DataFrame:
    """The rows with a ' before texts that a spreadsheet would take for a formula."""
    found = {name: F.col(name) for name, kind in rows.dtypes if kind == "string"}
    marked = {name: F.when(text.rlike(_FORMULA), F.concat(F.lit("'"), text)).otherwise(text) for name, text in found.items()}
    return rows.withColumns(marked)


def write(
    given: TextModel, source: InputFiles, out: Place, kind: str, spark: Any, spreadsheet: bool = False
) -> dict[str, Any]:
    """Score the files of `source` into the folder `out`, complete or absent; what was counted.

    `kind` is parquet, json or csv; `spreadsheet` makes formulas harmless. Raises InputError where there is something
    at `out`.
    """
    if out.exists():
        raise InputError(f"{out} is there already: remove it, or give another output")
    beside = owners.beside(out)
    folder = beside if places.renames(out) else out
    options = _CSV if kind == "csv" else {}
    try:
        scored = score(given, clean.read(spark, source))
        (harmless(scored) if spreadsheet else scored).write.format(kind).options(**options).save(places.spark_uri(folder))
        counted = _counted(spark, folder, kind, options)
        if folder != out:
            places.rename_folder(folder, out)
    except BaseException:
        with suppress(OSError):
            places.remove(folder)
        raise
    return counted


def _counted(spark: Any, folder: Place, kind: str, options: Mapping[str, Any]) -> dict[str, Any]:
    schema = "id string, text string, predicted string, confidence float, reason string"
    written = spark.read.format(kind).options(**options).schema(schema)
    written = written.load(places.spark_pattern(places.spark_uri(folder)))
    rows = [row.asDict() for row in written.groupBy("predicted", "reason").count().collect()]
    return {
        "rows": sum(row["count"] for row in rows),
        "predicted": {row["predicted"]: row["count"] for row in rows if row["predicted"] is not None},
        "set_aside": {row["reason"]: row["count"] for row in rows if row["reason"] is not None},
    }
