"""Every record of a file is a row or is set aside: counted here by another way than the jar's."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyspark.sql import SparkSession

from spark_jobs import jvm

SPEC = {"text": "text", "label": "label", "id": None, "partitions": 4, "seed": 7, "max_record_bytes": 60}
PIECES = [b"a", b"b", b"x y", "가".encode(), b"\0", b'"', b'""', b"'", b",", b"\t", b";", b"|", b"\n", b"\r\n", b"\r",
          b"\n\n", b" ", b" \n", b"\xef\xbb\xbf", "\ufffd".encode(), b"\xff", b"\xed\xa0\x80", "🂀".encode(), b"#",
          b'"a","b"', b"a,b\n", b'\na,"', b"\na\tb\n", b'"a\nb",c\n', b"x" * 30]  # fmt: skip
"""What stray quotes, NUL, line breaks and bytes that are no UTF-8 can make of a file. 🂀 ends in U+DC80 in UTF-16."""
FILES = 50
Reason = str | None


def bodies(before: Sequence[bytes]) -> st.SearchStrategy[list[bytes]]:
    """The contents of many files, each after one of `before`: one read of Spark's for all."""
    content = st.tuples(st.sampled_from(before), st.lists(st.sampled_from(PIECES), max_size=16))
    return st.lists(content.map(lambda drawn: drawn[0] + b"".join(drawn[1])), min_size=FILES, max_size=FILES)


def reasons(spark: SparkSession, folder: Path, contents: Sequence[bytes], **spec: Any) -> list[list[Reason]]:
    """For each file the reasons of its records, in their order; None for a good one."""
    files = [folder / f"{number}.in" for number in range(len(contents))]
    for file, content in zip(files, contents, strict=True):
        file.write_bytes(content)
    found: list[list[Reason]] = [[] for _ in files]
    rows, counted = jvm.counted_records(spark, {**SPEC, **spec, "files": [str(file) for file in files]})
    rows = rows.collect()
    for row in rows:
        found[int(row.position.partition(".")[0])].append(row.reason)
    assert counted() == len(rows)
    return found


def decoded(content: bytes) -> str:
    """Its text with \\n for each line break, and a lone surrogate for each bad byte."""
    text = content.decode("utf-8", "surrogateescape").removeprefix("\ufeff")
    return re.sub("\r\n|\r", "\n", text)


def is_invalid(text: str) -> bool:
    return re.search("[\udc80-\udcff]", text) is not None


def is_long(text: str) -> bool:
    return len(re.sub("[\udc80-\udcff]", "x", text).encode()) > SPEC["max_record_bytes"]


def csv_reasons(text: str, delimiter: str, quote: str) -> list[Reason]:
    """By regular expressions over the whole text, where the jar goes character by character."""
    d, q = re.escape(delimiter), re.escape(quote)
    inside = f"{q}(?:[^{q}]|{q}{q})*+" if quote else "(?!)"
    blank = " ?" if delimiter == "\t" else "[ \t]*"
    kinds = {"good": f"{inside}{q}{blank}(?=[{d}\n]|\\Z)", "open": f"{inside}\\Z",
             "stray": f"{inside}{q}[^{d}\n]*", "plain": f"[^{d}\n]*"}  # fmt: skip
    cell = re.compile("|".join(f"(?P<{name}>{pattern})" for name, pattern in kinds.items()))
    found: list[Reason] = []
    width, at = 0, 0
    while at < len(text):
        begin, cells = at, []
        while True:
            matched = cell.match(text, at)
            assert matched is not None
            cells.append(matched)
            at = matched.end()
            if text[at : at + 1] != delimiter:
                break
            at += 1
        raw = text[begin:at]
        at += 1
        if len(cells) == 1 and cells[0]["plain"] is not None and not raw.strip():
            continue
        if not width:
            width = len(cells)
            continue
        lines = [line for line in raw.split("\n") if line.strip()]
        stray = [one for one in cells if one["stray"] is not None and "\n" in one[0]]
        if stray or cells[-1]["open"] is not None:
            found += ["open_quote"] * len(lines)
        elif (reason := _csv_reason(raw, cells, width, quote)) in (None, "missing_text", "missing_label"):
            found.append(reason)
        else:
            found += [reason] * (len(lines) if len(cells) != width else 1)
    return found


def _csv_reason(raw: str, cells: Sequence[re.Match[str]], width: int, quote: str) -> Reason:
    if is_invalid(raw):
        return "invalid_utf8"
    if is_long(raw):
        return "record_too_long"
    if len(cells) != width:
        return "broken_csv"
    if cells[0][0] == "":
        return "missing_text"
    label = cells[1][0]
    if cells[1]["good"] is not None:
        label = label.rstrip(" \t")[1:-1]
    # What nobody sees is no label: cleaning takes it away.
    return None if re.sub("[\0\ufeff]", "", label).strip() else "missing_label"


@pytest.mark.parametrize("quote", ['"', "'", ""])
@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
def test_records_of_csv_files(spark: SparkSession, tmp_path: Path, delimiter: str, quote: str) -> None:
    header = [f"{bom}{blank}text{delimiter}label\n".encode() for bom in ("", "\ufeff") for blank in ("", "\n", " \r\n")]

    @settings(max_examples=2, deadline=None, suppress_health_check=list(HealthCheck))
    @given(contents=bodies(header))
    def every_record_has_its_reason(contents: list[bytes]) -> None:
        found = reasons(spark, tmp_path, contents, format="csv", delimiter=delimiter, quote=quote)
        for content, of_file in zip(contents, found, strict=True):
            assert of_file == csv_reasons(decoded(content), delimiter, quote), content

    every_record_has_its_reason()


def line_reasons(of_line: Callable[[str], Reason], content: bytes) -> list[Reason]:
    """Of a file whose records are lines."""
    found: list[Reason] = []
    for line in re.split(b"\r\n|\r|\n", content):
        text = line.decode("utf-8", "surrogateescape")
        if len(line) > SPEC["max_record_bytes"]:
            found.append("record_too_long")
        elif is_invalid(text):
            found.append("invalid_utf8")
        elif text.removeprefix("\ufeff").strip():
            found.append(of_line(text))
    return found


@pytest.mark.parametrize(("format", "reason"), [("jsonl", "broken_json"), ("text", None)])
def test_records_of_lines(spark: SparkSession, tmp_path: Path, format: str, reason: Reason) -> None:
    @settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
    @given(contents=bodies([b"", b"\xef\xbb\xbf", b"\n"]))
    def every_line_has_its_reason(contents: list[bytes]) -> None:
        label = "label" if format == "jsonl" else None
        found = reasons(spark, tmp_path, contents, format=format, label=label)
        for content, of_file in zip(contents, found, strict=True):
            assert of_file == line_reasons(lambda line: reason, content), content

    every_line_has_its_reason()
