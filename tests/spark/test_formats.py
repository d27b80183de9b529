"""The same records in any format, whoever wrote the files, give the same ids, texts, labels and reasons."""

from __future__ import annotations

import datetime as dt
import decimal
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyspark.sql import SparkSession

from spark_jobs import clean
from spark_jobs.base import InputFiles
from textmill.errors import InputError

READING = {"text": "msg.text", "label": "label", "id": "Id", "delimiter": ",", "max_record_bytes": 1 << 20, "sample": None,
           "seed": 7}  # fmt: skip
Record = dict[str, Any]
Rows = list[tuple[Any, ...]]

_CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\0\r\ufffd")
_STRINGS = st.one_of(
    st.text(_CHARACTERS, max_size=8), st.sampled_from(["환불", "환불 ", "", " ", "\ufeff", "1.0", 'a,"b"\nc', "007"])
)
_TIMES = st.datetimes(dt.datetime(1700, 1, 1), dt.datetime(2200, 1, 1))
TYPES: dict[str, tuple[st.SearchStrategy[Any], pa.DataType]] = {
    "boolean": (st.booleans(), pa.bool_()),
    "date": (st.dates(dt.date(1, 1, 1)), pa.date32()),
    "decimal": (st.decimals(-(10**12), 10**12, places=7).map(lambda value: value + 0), pa.decimal128(25, 7)),
    "float": (st.floats(allow_nan=False, allow_infinity=False), pa.float64()),
    "int": (st.integers(-(2**63), 2**63 - 1), pa.int64()),
    "nanos": (_TIMES, pa.timestamp("ns")),
    "small": (st.integers(-9, 9).map(float), pa.float64()),
    "string": (_STRINGS, pa.string()),
    "time": (_TIMES, pa.timestamp("us")),
    "zoned": (_TIMES.map(lambda time: time.replace(tzinfo=dt.timezone.utc)), pa.timestamp("us", "UTC")),
    "unsigned": (st.integers(0, 2**64 - 1), pa.uint64()),
}


def examples(strategy: st.SearchStrategy[Any], count: int) -> list[Any]:
    """Examples of hypothesis as one batch: a job of Spark for each would take minutes."""
    found: list[Any] = []

    @settings(max_examples=count, database=None, deadline=None)
    @given(strategy)
    def collect(example: Any) -> None:
        found.append(example)

    collect()
    return found


def records(kind: str) -> list[Record]:
    value = st.none() | TYPES[kind][0]
    texts = st.none() | _STRINGS
    return examples(st.fixed_dictionaries({"msg.text": texts, "label": value, "Id": value}), 80)


def written(value: Any) -> str | None:
    """As Python writes it, but for booleans, which no two programs write alike."""
    if isinstance(value, decimal.Decimal):
        return f"{value:.7f}"
    return str(value).lower() if isinstance(value, bool) else None if value is None else str(value)


def jsonl(rows: list[Record], kind: str, file: Path) -> None:
    typed = kind in ("boolean", "float", "int", "small", "unsigned")
    lines = [{name: value if typed else written(value) for name, value in row.items()} for row in rows]
    file.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")


def csv(rows: list[Record], kind: str, file: Path) -> None:
    def cell(value: Any) -> str:
        return "" if value is None else '"' + str(written(value)).replace('"', '""') + '"'

    lines = ["msg.text,label,Id", *(",".join(cell(row[name]) for name in ("msg.text", "label", "Id")) for row in rows)]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="")


def table(rows: list[Record], kind: str) -> pa.Table:
    """With columns that nobody asked for and that Spark can't read, or takes for others."""
    columns = {"msg.text": pa.string(), "label": TYPES[kind][1], "Id": TYPES[kind][1]}
    wanted = {name: pa.array([row[name] for row in rows], type_) for name, type_ in columns.items()}
    moment = pa.array([dt.datetime(2024, 1, 1)] * len(rows), pa.timestamp("ns"))
    beside = {"msg": pa.array([{"text": "?"}] * len(rows)), "Label": pa.array([1] * len(rows)), "id": moment,
              "at": pa.array([dt.time(1)] * len(rows)), "tags": pa.array([[1, 2]] * len(rows))}  # fmt: skip
    return pa.table({**beside, **wanted})


def by_pyarrow(rows: list[Record], kind: str, file: Path) -> None:
    pq.write_table(table(rows, kind), file)


def by_pandas(rows: list[Record], kind: str, file: Path) -> None:
    """Nanoseconds, as pandas has them; years that these can't hold stay microseconds."""
    frame = pd.DataFrame(rows, dtype=object)
    if kind == "unsigned":  # pandas takes integers for signed ones unless it is asked not to
        frame = frame.astype({"label": "UInt64", "Id": "UInt64"})
    frame.to_parquet(file)


def as_polars(rows: list[Record], kind: str, file: Path) -> None:
    """What polars writes: large strings, categories numbered by uint32, nanoseconds where asked."""
    made = table(rows, kind)
    for number, name in enumerate(made.column_names):
        column = made.column(name)
        if pa.types.is_string(column.type):
            large = column.cast(pa.large_string())
            categories = large.combine_chunks().dictionary_encode().cast(pa.dictionary(pa.uint32(), pa.large_string()))
            made = made.set_column(number, name, large if name == "msg.text" else categories)
    pq.write_table(made, file, compression="zstd", version="2.6")


WRITERS: dict[str, Callable[[list[Record], str, Path], None]] = {
    "csv": csv, "jsonl": jsonl, "pandas.parquet": by_pandas, "polars.parquet": as_polars, "pyarrow.parquet": by_pyarrow,
}  # fmt: skip


def read(spark: SparkSession, files: list[Path], **reading: Any) -> Rows:
    """Rows of (id, text, label, reason): without ids that are positions, and the texts that show a bad record."""
    kind = files[0].suffix[1:]
    source = InputFiles("data", "rows", tuple(files), {**READING, "format": kind, **reading})
    rows = clean.clean(clean.read(spark, source), clean.Params()).collect()
    names = tuple(f"{file.name}:" for file in files)
    shown = [(row.id if not row.id.startswith(names) else None, row.text, row.label, row.reason) for row in rows]
    return [row if row[3] is None else (row[0], None, row[2], row[3]) for row in shown]


def test_the_same_records_in_any_format_are_the_same(spark: SparkSession, tmp_path: Path) -> None:
    drawn = {kind: records(kind) for kind in TYPES}
    assert sum(map(len, drawn.values())) >= 500
    found: dict[str, Rows] = {}
    for number, (name, write) in enumerate(WRITERS.items()):
        folder = tmp_path / str(number)
        folder.mkdir()
        for kind, rows in drawn.items():
            write(rows, kind, folder / f"{kind}.{name.rpartition('.')[2]}")
        found[name] = read(spark, sorted(folder.iterdir()))
    assert len(found["jsonl"]) == sum(map(len, drawn.values()))
    assert {None, "missing_text", "missing_label", "too_short"} == {row[3] for row in found["jsonl"]}
    expected = Counter(found["jsonl"])
    for name, rows in found.items():  # in no order: Spark reads larger files first
        lacks, more = list((expected - Counter(rows)).elements()), list((Counter(rows) - expected).elements())
        assert not lacks and not more, f"{name}: {lacks[:5]}; {more[:5]}"


def test_lists_structs_and_blanks_are_missing_as_in_jsonl(spark: SparkSession, tmp_path: Path) -> None:
    for number, label in enumerate([[2, 25], {"a": 1}, None, " "]):
        rows = [{"msg.text": "글", "label": label, "Id": None}]
        pq.write_table(pa.Table.from_pylist(rows), tmp_path / f"{number}.parquet")
        (tmp_path / f"{number}.jsonl").write_text(json.dumps(rows[0]) + "\n")
    expected = [(None, None, None, "missing_label")] * 4
    assert read(spark, sorted(tmp_path.glob("*.parquet"))) == read(spark, sorted(tmp_path.glob("*.jsonl"))) == expected
    pq.write_table(pa.Table.from_pylist([{"msg.text": ["글"], "label": "a", "Id": "1"}]), tmp_path / "list.parquet")
    assert read(spark, [tmp_path / "list.parquet"]) == [(None, None, None, "missing_text")]


def test_a_type_may_differ_by_file_and_a_float_day_has_the_same_labels(spark: SparkSession, tmp_path: Path) -> None:
    days = {"1": [1, 2], "2": [1.0, None], "3": ["1", "x"], "4": [None, None], "5": [True, False]}
    for day, labels in days.items():
        pd.DataFrame({"msg.text": "글", "label": labels, "Id": day}).to_parquet(tmp_path / f"{day}.parquet")
    labels = [row[2] for row in sorted(read(spark, sorted(tmp_path.iterdir())), key=lambda row: str(row[0]))]
    assert sorted(filter(None, labels)) == ["1", "1", "1", "2", "false", "true", "x"] and labels.count(None) == 3


def test_files_of_one_name_have_ids_of_their_own_and_none_is_encoded(spark: SparkSession, tmp_path: Path) -> None:
    files = []
    for folder in ("날 1 [a]", "날 2"):
        files.append(tmp_path / folder / "part #1 {100%}.parquet")
        files[-1].parent.mkdir()
        pq.write_table(pa.table({"msg.text": ["글", "둘"], "label": ["a", "b"]}), files[-1])
    source = InputFiles("data", "rows", tuple(files), {**READING, "format": "parquet", "id": None})
    found = sorted(row.id for row in clean.read(spark, source).collect())
    assert found == [f"날 {day}/part #1 {{100%}}.parquet:{row}" for day in ("1 [a]", "2") for row in (0, 1)]


def test_invalid_utf8_and_long_texts_are_set_aside(spark: SparkSession, tmp_path: Path) -> None:
    texts = pa.array([b"\xff\xfe", "좋음".encode(), b"x" * 200])
    pq.write_table(pa.table({"msg.text": texts, "label": ["a"] * 3, "Id": ["1", "2", "3"]}), tmp_path / "in.parquet")
    found = read(spark, [tmp_path / "in.parquet"], max_record_bytes=100)
    assert [row[3] for row in found] == ["invalid_utf8", None, "record_too_long"]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"label": ["a"], "Id": ["1"]}, "bad.parquet has no column 'msg.text' for text; there are: label, Id"),
        (
            {"msg.text": ["a"], "label": pa.array([1.0], pa.float16()), "Id": ["1"]},
            "column 'label' for label is of type halffloat",
        ),
    ],
)
def test_a_file_that_can_not_be_read_is_named(spark: SparkSession, tmp_path: Path, columns: Any, message: str) -> None:
    good = pa.table({"msg.text": ["글"], "label": ["a"], "Id": ["1"]})
    pq.write_table(good, tmp_path / "a.parquet")
    pq.write_table(pa.table(columns), tmp_path / "bad.parquet")
    with pytest.raises(InputError, match=message):
        read(spark, sorted(tmp_path.iterdir()))
