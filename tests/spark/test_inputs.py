"""Records of every format come out once, with their position, whatever they are compressed with."""

from __future__ import annotations

import bz2
import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from spark_jobs import jvm

SPEC = {
    "text": "text",
    "label": "label",
    "id": None,
    "delimiter": ",",
    "max_record_bytes": 1 << 20,
    "sample": None,
    "seed": 7,
}
PACK: dict[str, Callable[[bytes], bytes]] = {"": bytes, ".gz": gzip.compress, ".bz2": bz2.compress}


def read(spark: SparkSession, file: Path, **spec: Any) -> list[dict[str, Any]]:
    """The records of one file."""
    return [row.asDict() for row in jvm.records(spark, {**SPEC, **spec, "files": [str(file)]}).collect()]


@pytest.mark.parametrize("suffix", list(PACK))
def test_jsonl_with_bom_crlf_and_blank_lines(spark: SparkSession, tmp_path: Path, suffix: str) -> None:
    lines = [json.dumps({"text": f"글 {n}", "label": n}, ensure_ascii=False) for n in range(3)]
    file = tmp_path / f"in.jsonl{suffix}"
    file.write_bytes(PACK[suffix](("\ufeff" + "\r\n".join([*lines[:2], "", *lines[2:]]) + "\r\n").encode()))
    found = read(spark, file, format="jsonl")
    assert [(row["text"], row["label"], row["reason"]) for row in found] == [
        (f"글 {n}", str(n), None) for n in range(3)
    ]
    assert found[0]["id"] == f"{file.name}:0"


@pytest.mark.parametrize("suffix", list(PACK))
def test_csv_with_quotes_line_breaks_and_bad_rows(spark: SparkSession, tmp_path: Path, suffix: str) -> None:
    file = tmp_path / f"in.csv{suffix}"
    text = 'text,label\n"two\nlines, ""quoted""",a\nplain,b\nonly one cell\nmissing,\n'
    file.write_bytes(PACK[suffix](text.encode() + b"\xff\xfe,c\n"))
    found = read(spark, file, format="csv", header=["text", "label"])
    assert [(row["text"], row["label"]) for row in found[:2]] == [('two\nlines, "quoted"', "a"), ("plain", "b")]
    assert [row["reason"] for row in found] == [None, None, "broken_csv", "missing_label", "invalid_utf8"]
    assert found[2]["position"] == f"{file.name}:3"


def test_lines_of_text_have_no_label(spark: SparkSession, tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_text("first\nsecond\n")
    found = read(spark, tmp_path / "in.txt", format="text", label=None)
    assert [(row["text"], row["label"]) for row in found] == [("first", None), ("second", None)]


def test_every_line_of_a_split_file_comes_out_once(spark: SparkSession, tmp_path: Path) -> None:
    numbers = range(150_000)
    file = tmp_path / "big [1],{2}.jsonl"  # signs that Hadoop takes for patterns
    with file.open("w") as stream:
        stream.writelines(json.dumps({"text": f"line {n} " + "x" * 60, "label": "a"}) + "\n" for n in numbers)
    frame = jvm.records(spark, {**SPEC, "format": "jsonl", "files": [str(file)]})
    assert frame.rdd.getNumPartitions() >= 2
    assert sorted(int(row.text.split()[1]) for row in frame.select("text").collect()) == list(numbers)


def test_a_sample_is_the_same_records_each_time(spark: SparkSession, tmp_path: Path) -> None:
    lines = [json.dumps({"text": f"text {n}", "label": "a"}) for n in range(2000)]
    (tmp_path / "in.jsonl").write_text("\n".join(lines))
    first = [row["text"] for row in read(spark, tmp_path / "in.jsonl", format="jsonl", sample=0.1)]
    (tmp_path / "in.jsonl").write_text("\n".join(reversed(lines)))
    second = [row["text"] for row in read(spark, tmp_path / "in.jsonl", format="jsonl", sample=0.1)]
    assert sorted(first) == sorted(second) and 130 < len(first) < 270
