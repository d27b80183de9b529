"""Labels that look equal are one class, whatever the format; what was joined is counted."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.joined import joined
from spark_jobs.base import InputFiles
from spark_jobs.clean import Clean
from tests.spark.conftest import Bench
from textmill.texts import label

SPELLINGS = ["환불", unicodedata.normalize("NFD", "환불"), "환불 ", "\u00a0환불", "\ufeff환불", "환\u200b불"]
BLANK = [" ", "\ufeff", "\u200b\u00a0"]


@pytest.mark.parametrize("kind", ["jsonl", "csv", "parquet"])
def test_six_spellings_are_one_class(bench: Bench, kind: str) -> None:
    rows = [{"text": f"문의 {n}", "label": one} for n, one in enumerate([*SPELLINGS, *BLANK, "배송", "배송"])]
    file = bench.new_folder() / f"in.{kind}"
    write(file, rows)
    reading = {"format": kind, "text": "text", "label": "label", "id": None, "delimiter": ",", "sample": None, "seed": 7,
               "max_record_bytes": 1 << 20}  # fmt: skip
    done = bench.run(Clean(), [InputFiles("data", "rows", (file,), reading)])
    assert [row["label"] for row in done.rows()] == ["환불"] * 6 + ["배송"] * 2
    assert done.stats["reasons"] == {"missing_label": 3}
    assert joined(done.stats) == {"환불": dict.fromkeys(SPELLINGS, 1)}
    assert "spelling" not in done.rows()[0] and all(label(one) == "환불" for one in SPELLINGS)


def write(file: Path, rows: list[dict[str, str]]) -> None:
    if file.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(rows), file)
    elif file.suffix == ".csv":
        lines = ["text,label", *(f'"{row["text"]}","{row["label"]}"' for row in rows)]
        file.write_text("\n".join(lines), encoding="utf-8")
    else:
        file.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
