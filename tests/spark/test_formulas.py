"""`score --as csv --spreadsheet`: no cell is a formula, and all else stays."""

from __future__ import annotations

from pyspark.sql import SparkSession

from spark_jobs.score import harmless

FORMULAS = ["=1+1", "+82", "-1", "@x", "  =1", "\t=1", "\tx", "\rx", "\n=1", "＝1", "=a\nb"]
OTHERS = ["", " ", "a=1", "1-2", "'=1", "환불", "a\n=1", None]


def test_only_formulas_are_marked(spark: SparkSession) -> None:
    rows = spark.createDataFrame([(text, 0.5) for text in FORMULAS + OTHERS], "text string, confidence float")
    found = [(row["text"], row["confidence"]) for row in harmless(rows).collect()]
    assert found == [(f"'{text}", 0.5) for text in FORMULAS] + [(text, 0.5) for text in OTHERS]
