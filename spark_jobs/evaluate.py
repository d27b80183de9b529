"""model.evaluate: Spark batch scoring of a held-out part with a SavedModel, and the metrics of it."""

from __future__ import annotations

from typing import Any

import numpy as np
from pydantic import Field
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from models import metrics, scoring
from models.tensors import DESCRIBED, LABELS
from spark_jobs import jvm
from spark_jobs.base import SET, Operation, Work, Written
from spark_jobs.output import write_json, write_parts
from textmill import places
from textmill.errors import InputError
from textmill.params import Params as BaseParams
from textmill.places import Place


class Params(BaseParams):
    """What is scored."""

    part: str = Field("test", description="The part of the tokens that is scored.")


class Evaluate(Operation):
    """Writes the rows scored and metrics.json; every engine's model is measured by this one operation."""

    name = "model.evaluate"
    version = 3
    Params = Params
    takes = "tokens"

    def outputs(self, params: Params) -> tuple[str, ...]:
        """One part: the predictions."""
        return ("predictions",)

    def _run(self, work: Work) -> Written:
        """Raises InputError where there is no row to score."""
        rows = work.role(work.params.part)
        if not sum(source.rows for source in work.rows(work.params.part)):
            raise InputError(f"no row in the {work.params.part} part: nothing to evaluate on")
        labels = LABELS.read(work.folder("tensors") / "labels.json")
        scored = score(rows, work.folder("model"), work.folder("tensors"), labels)
        ordered = scored.repartition(1).sortWithinPartitions("id", "text")
        written = write_parts(ordered.withColumn("part", F.lit("predictions")), work.out, F.length("text"))
        files = [places.spark_uri(work.out / name) for name in written.parts["predictions"]["files"]]
        predictions = work.spark.read.parquet(*map(places.spark_pattern, files))
        summary = metrics.summarize(confusion(predictions, labels), labels)
        write_json(work.out / "metrics.json", {**summary, "sets": _sets(work, predictions, labels)})
        return written


def _sets(work: Work, predictions: DataFrame, labels: list[str]) -> dict[str, Any]:
    """rows, accuracy and macro_f1 of the rows that are measured by themselves too, by the name of the set.

    They are those of the predictions that the set's step has too, the same in id, text and label.
    """
    names = sorted({source.role for source in work.sources if source.role.startswith(SET)})
    found = {}
    for name in names:
        of_set = predictions.join(work.role(name), ["id", "text", "label"], "left_semi")
        summary = metrics.summarize(confusion(of_set, labels), labels)
        figures = ("rows", "accuracy", "macro_f1") if summary["rows"] else ("rows",)
        found[name.removeprefix(SET)] = {figure: summary[figure] for figure in figures}
    return found


def score(rows: DataFrame, model: Place, tensors: Place, labels: list[str]) -> DataFrame:
    """Columns id, text, label, predicted, confidence, correct of tokenized rows."""
    described = DESCRIBED.read(tensors / "tensors.json")
    vocabulary = {"vocabulary_file": places.spark_uri(tensors / "vocabulary.tsv")}
    buckets = {"oov_buckets": described["vocabulary"]["unknown_buckets"]}
    settings = {**vocabulary, **buckets, "length": described["length"], "truncate": described["truncate"]}
    encode = jvm.function(rows.sparkSession, "encode", settings)
    encoded = rows.select("id", "text", "label", encode(F.col("tokens"))["ids"].alias("ids"))
    schema = "id string, text string, label string, predicted string, confidence float, correct boolean"
    return encoded.mapInArrow(scoring.scorer(str(places.absolute(model)), labels), schema)


def confusion(predictions: DataFrame, labels: list[str]) -> np.ndarray:
    """Rows by true and predicted label, int64 [labels, labels]; counted in Spark."""
    pairs = predictions.groupBy("label", "predicted").count().collect()
    number = {label: index for index, label in enumerate(labels)}
    matrix = np.zeros((len(labels), len(labels)), dtype=np.int64)
    for true, predicted, rows in pairs:
        matrix[number[true], number[predicted]] += rows
    return matrix
