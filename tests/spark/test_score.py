"""What batch scoring writes, read again: the model's part is left out, its figures are made up."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from spark_jobs import clean, score
from spark_jobs.base import InputFiles

TEXTS = [
    "plain",
    'a "quoted" word',
    '"',
    '""',
    '",',
    'ends with "',
    "two\nlines",
    "two\r\nlines",
    "an old\rline",
    "\nbreaks outside\n",
    '"\n"',
    "a\ttab",
    "\ttabs outside\t",
    "  blanks outside  ",
    "\u3000\u00a0blanks of other kinds\u00a0",
    " ",
    "",
    "👍🏽 🙂\u200d↔️",
    "=1+1",
    "+1",
    "-1",
    "@you",
    "# no comment",
    "a\\",
    "\\",
    '\\"',
    "\\n",
    "comma, comma",
    "semi;colon",
    "\ufeffmark",
    "line\u2028separator\u0085",
    "'",
    "null",
    "id,text,predicted,confidence,reason",
    "가" * 3000 + "\n",
]


def _source(files: list[Path], kind: str, **more: Any) -> InputFiles:
    reading = {"format": kind, "text": "text", "id": "id", "label": None, "delimiter": ",", "sample": None, "seed": 7}
    return InputFiles("table", "rows", files, {**reading, "header": None, **more})


def _predicted(_: object, table: DataFrame) -> DataFrame:
    """Even rows have a label, the others a reason."""
    even = F.col("id").cast("int") % 2 == 0
    return table.select(
        "id",
        "text",
        F.when(even, F.lit("with\na line, break")).alias("predicted"),
        F.when(even, F.lit(0.5).cast("float")).alias("confidence"),
        F.when(~even, F.coalesce("reason", F.lit("too_short"))).alias("reason"),
    )


def _texts(files: list[Path], kind: str) -> dict[int, str]:
    """Texts by id, as another reader finds them."""
    rows: list[Any] = []
    for file in files:
        if kind == "parquet":
            rows += pq.read_table(file).to_pylist()
        elif kind == "json":
            rows += map(json.loads, file.read_bytes().removesuffix(b"\n").split(b"\n"))
        else:
            with file.open(encoding="utf-8", newline="") as stream:
                rows += csv.DictReader(stream)
    return {int(row["id"]): row["text"] for row in rows}


@pytest.mark.parametrize("kind", ["parquet", "json", "csv"])
def test_what_is_written_is_read_as_the_same_records(
    spark: SparkSession, tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = tmp_path / "in.jsonl"
    lines = [json.dumps({"id": str(number), "text": text}) + "\n" for number, text in enumerate(TEXTS)]
    given.write_text("".join(lines))
    monkeypatch.setattr(score, "score", _predicted)
    counted = score.write(None, _source([given], "jsonl"), tmp_path / "out", kind, spark)  # type: ignore[arg-type]
    even = (len(TEXTS) + 1) // 2
    assert counted["rows"] == len(TEXTS)
    assert counted["predicted"] == {"with\na line, break": even}
    assert sum(counted["set_aside"].values()) == len(TEXTS) - even
    files = sorted((tmp_path / "out").glob(f"*.{kind}"))
    header = ["id", "text", "predicted", "confidence", "reason"] if kind == "csv" else None
    again = _source(files, "jsonl" if kind == "json" else kind, header=header)
    found = _texts(files, kind)
    assert [found[number] for number in range(len(TEXTS))] == TEXTS
    params = clean.Params(min_chars=1, max_chars=5000)
    first, second = (
        sorted(tuple(row) for row in clean.clean(clean.read(spark, source), params).collect())
        for source in (_source([given], "jsonl"), again)
    )
    assert first == second
