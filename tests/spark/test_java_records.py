"""Reading inputs in the jar: every record once, with its position, or set aside with its reason."""

from __future__ import annotations

import bz2
import gzip
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from py4j.protocol import Py4JJavaError
from pyspark.sql import DataFrame, SparkSession

from spark_jobs import jvm

Found = list[tuple[Any, ...]]


def frame(spark: SparkSession, files: list[Path], format: str = "jsonl", **spec: Any) -> DataFrame:
    given = {"format": format, "files": [str(file) for file in files], "text": "text", "label": "label", "id": None}
    return jvm.records(spark, {**given, "delimiter": ",", "partitions": 1, "seed": 7, **spec})


def read(spark: SparkSession, file: Path, content: str | bytes, **spec: Any) -> Found:
    """(position, text, label, reason) of the records of a file with this content."""
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    rows = frame(spark, [file], file.suffixes[0][1:], **spec).collect()
    assert all(row.id == row.position for row in rows if spec.get("id") is None)
    return [(row.position, row.text, row.label, row.reason) for row in rows]


def lines(*records: Any) -> bytes:
    return b"".join((json.dumps(record, ensure_ascii=False) + "\n").encode() for record in records)


def good(text: str, label: str = "a") -> dict[str, str]:
    return {"text": text, "label": label}


def test_each_kind_of_bad_line_has_its_reason(spark: SparkSession, tmp_path: Path) -> None:
    bad = {
        b'{"text": "x", "label"': "broken_json", b'{"text": "x", "label": "a"} x': "broken_json", b"[1]": "broken_json",
        b'"text"': "broken_json", b'{"text": NaN}': "broken_json", b"{" * 5000: "broken_json",
        b'{"label": "a"}': "missing_text", b'{"text": null, "label": "a"}': "missing_text",
        b'{"text": {"a": 1}, "label": "a"}': "missing_text", b'{"text": "x"}': "missing_label",
        b'{"text": "x", "label": null}': "missing_label", b'{"text": "x", "label": " "}': "missing_label",
        b'{"text": "\xff", "label": "a"}': "invalid_utf8", b'{"text": "\xed\xa0\x80", "label": "a"}': "invalid_utf8",
        b'{"text": "' + b"x" * 100_000 + b'"}': "record_too_long", "가".encode() * 50_000 + b"\xff": "record_too_long",
    }  # fmt: skip
    found = read(spark, tmp_path / "in.jsonl", b"\n".join(bad), max_record_bytes=90_000)
    assert [reason for *_, reason in found] == list(bad.values())
    assert all(label is None and len(text) <= 500 for _, text, label, _ in found)
    offset = 0
    for raw, (position, text, *_) in zip(bad, found, strict=True):
        shown = raw.decode(errors="ignore")[:400]
        assert position == f"in.jsonl:{offset}" and text.replace("\ufffd", "").startswith(shown)
        offset += len(raw) + 1


def test_what_is_good_in_unusual_lines(spark: SparkSession, tmp_path: Path) -> None:
    content = (
        b'\xef\xbb\xbf{"text": "bom", "label": 5}\r\n\r\n \t\n'
        b'{"label": 1e5, "more": {"text": "no", "l": [1, {}]}, "text": "first", "text": "last"}\n'
        b'{"text": true, "label": true}\n{"text": "\xef\xbf\xbd", "label": "real"}\n'
        b'\xef\xbb\xbf{"text": "again", "label": "a"}'
    )
    assert [found[1:] for found in read(spark, tmp_path / "in.jsonl", content)] == [
        ("bom", "5", None), ("last", "100000.0", None), ("true", "true", None),
        ("\ufffd", "real", None), ("again", "a", None),
    ]  # fmt: skip


def test_labels_and_ids_are_taken_where_asked_for(spark: SparkSession, tmp_path: Path) -> None:
    file = tmp_path / "in.jsonl"
    file.write_bytes(lines({"text": "x", "n": 7}, {"text": "y"}))
    rows = frame(spark, [file], label=None, id="n").collect()
    assert [(row.id, row.label, row.reason) for row in rows] == [("7", None, None), ("in.jsonl:22", None, None)]


def test_plain_text_has_a_record_a_line(spark: SparkSession, tmp_path: Path) -> None:
    found = read(spark, tmp_path / "in.text", "하나\r\n\n둘 \x0b\n" + "x" * 50, label=None, max_record_bytes=40)
    assert [record[:2] for record in found[:2]] == [("in.text:0", "하나"), ("in.text:9", "둘 \x0b")]
    assert found[2][3] == "record_too_long"


def test_a_line_far_beyond_the_limit_is_passed_over(spark: SparkSession, tmp_path: Path) -> None:
    content = lines(good("before")) + b'{"text": "' + "가".encode() * 4_000_000 + b'"}\n' + lines(good("after"))
    found = read(spark, tmp_path / "in.jsonl", content)
    assert [(text[:10], reason) for _, text, _, reason in found] == [
        ("before", None), ('{"text": "', "record_too_long"), ("after", None),
    ]  # fmt: skip


@pytest.mark.parametrize(("suffix", "pack"), [(".gz", gzip.compress), (".bz2", bz2.compress)])
def test_compressed_files_count_the_bytes_inside(spark: SparkSession, tmp_path: Path, suffix: str, pack: Any) -> None:
    plain = lines(*(good(f"{n} 가나다") for n in range(6_000)))
    (tmp_path / "in.jsonl").write_bytes(plain)
    (tmp_path / f"in.jsonl{suffix}").write_bytes(pack(plain[:100_003]) + pack(plain[100_003:]))
    expected = frame(spark, [tmp_path / "in.jsonl"]).collect()
    packed = frame(spark, [tmp_path / f"in.jsonl{suffix}"], partitions=5)
    assert packed.rdd.getNumPartitions() == 1
    found = packed.collect()
    assert [row.text for row in found] == [row.text for row in expected]
    assert [row.id.split(":")[1] for row in found] == [row.id.split(":")[1] for row in expected]


def test_a_truncated_file_is_an_error_that_names_it(spark: SparkSession, tmp_path: Path) -> None:
    packed = gzip.compress(b"text,label\n" + b"".join(b"x%d,a\n" % n for n in range(20_000)))
    for name in ("cut.csv.gz", "cut.text.gz"):  # the first buffer of one already reaches the end
        (tmp_path / name).write_bytes(packed[: len(packed) // 2])
        with pytest.raises(Py4JJavaError, match=rf"{name} can't be read to its end: .*end of input"):
            frame(spark, [tmp_path / name], name.split(".")[1])._jdf.count()


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    files=st.lists(st.lists(st.text("ab가\r ", max_size=6), max_size=12), min_size=1, max_size=4),
    end=st.sampled_from(["\n", "\r\n"]),
    last=st.booleans(),
    partitions=st.integers(1, 40),
)
def test_every_line_comes_once_wherever_files_are_cut(
    spark: SparkSession, tmp_path: Path, files: list[list[str]], end: str, last: bool, partitions: int
) -> None:
    paths = []
    for number, content in enumerate(files):
        paths.append(tmp_path / f"{number}.text")
        paths[-1].write_bytes((end.join(content) + (end if last else "")).encode())
    whole = frame(spark, paths, "text", label=None).collect()
    cut = frame(spark, paths, "text", label=None, partitions=partitions)
    assert cut.collect() == whole and cut.rdd.getNumPartitions() <= partitions
    joined = "\n".join(end.join(content) for content in files)
    assert [row.text for row in whole] == [line for line in re.split("[\r\n]+", joined) if line.strip()]


def test_a_large_file_is_cut_as_asked(spark: SparkSession, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_bytes(lines(*(good(f"문장 {n}") for n in range(20_000))))
    parts = frame(spark, [tmp_path / "in.jsonl"], partitions=7)
    sizes = [len(part) for part in parts.rdd.glom().collect()]
    assert len(sizes) == 7 and max(sizes) < 1.05 * min(sizes)
    assert [row.text for row in parts.collect()] == [f"문장 {n}" for n in range(20_000)]


def test_many_small_files_share_partitions_and_have_ids_of_their_own(spark: SparkSession, tmp_path: Path) -> None:
    files = [tmp_path / f"dt={n % 3}" / f"part-{n // 3}.jsonl" for n in range(60)] + [tmp_path / "only.jsonl"]
    for file in files:
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(lines(good(str(file))) if file.name != "part-5.jsonl" else b"")
    rows = frame(spark, files, partitions=4)
    assert rows.rdd.getNumPartitions() == 4
    ids = [row.id for row in rows.collect()]
    assert len(set(ids)) == len(ids) == 58 and {"dt=1/part-0.jsonl:0", "only.jsonl:0"} <= set(ids)


def test_names_that_hadoop_takes_for_patterns(spark: SparkSession, tmp_path: Path) -> None:
    for name in ("a,b.jsonl", "[c]*.jsonl", "100%20 {d}.jsonl", "한글 #1.jsonl"):
        assert read(spark, tmp_path / name, lines(good("x"))) == [(f"{name}:0", "x", "a", None)]


def test_only_empty_files(spark: SparkSession, tmp_path: Path) -> None:
    assert read(spark, tmp_path / "in.jsonl", b"") == read(spark, tmp_path / "in.csv", b"") == []


def test_a_sample_goes_by_text_and_seed_alone(spark: SparkSession, tmp_path: Path) -> None:
    for name, step in (("one", 1), ("two", -1)):
        (tmp_path / f"{name}.jsonl").write_bytes(lines(*(good(f"{n % 4000}") for n in range(8000)[::step])))
    samples = [
        Counter(row.text for row in frame(spark, [tmp_path / f"{name}.jsonl"], sample=0.1, **more).collect())
        for name, more in (("one", {}), ("two", {"partitions": 3}), ("one", {"seed": 8}))
    ]
    assert samples[0] == samples[1] != samples[2]
    assert set(samples[0].values()) == {2} and 320 < len(samples[0]) < 480


CSV_GOOD = [
    ("text,label\na,b\n", ["a|b"]),
    ('\ufeff"text","label"\r\n"a ""q"",\r\nline 2",b\r\n', ['a "q",\nline 2|b']),
    ("text,label\n#태그,a\n# not a comment,b\n", ["#태그|a", "# not a comment|b"]),
    ("text,label\na,b\r\nc,d\r\n", ["a|b", "c|d"]),
    ("label,text\nb,a", ["a|b"]),
    ("text,label\r  a ,b\r", ["  a |b"]),
    ('text,label\n"",b\n\n\n"x",c\n', ["|b", "x|c"]),
    ("more,text,label,id\n1,a,b,\n", ["a|b"]),
    ("text,label\n\x01a\x02,b\n", ["\x01a\x02|b"]),
]


@pytest.mark.parametrize(("content", "expected"), CSV_GOOD)
def test_csv(spark: SparkSession, tmp_path: Path, content: str, expected: list[str]) -> None:
    found = read(spark, tmp_path / "in.csv", content)
    assert [(position, f"{text}|{label}", reason) for position, text, label, reason in found] == [
        (f"in.csv:{number}", record, None) for number, record in enumerate(expected, 1)
    ]


def test_bad_csv_records_have_their_reasons_and_the_others_go_on(spark: SparkSession, tmp_path: Path) -> None:
    content = (
        "text,label\na,b,c\na\n,b\na,\na,  \n" + "x" * 3_000_000 + ",b\n" + "가" * 400_000 + ",b\n" + "," * 60_000
    ).encode() + b'\nz\xffz,b\n"quoted,\n"\ngood,b\nnever "closed,b\n"open,b\nto the end'
    found = read(spark, tmp_path / "in.csv", content)
    assert [reason for *_, reason in found] == [
        "broken_csv", "broken_csv", "missing_text", "missing_label", "missing_label", "record_too_long",
        "record_too_long", "broken_csv", "invalid_utf8", "broken_csv", "broken_csv", None, None, "open_quote",
        "open_quote",
    ]  # fmt: skip
    assert all(len(text) <= 500 for _, text, *_ in found) and found[0][:2] == ("in.csv:1", "a,b,c")
    assert found[12][1:3] == ('never "closed', "b")
    assert found[13][:2] == ("in.csv:14 (quote opened in line 15)", '"open,b') and found[14][1] == "to the end"


def test_csv_files_of_one_input_may_order_their_columns_differently(spark: SparkSession, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text;label\nx;l\n")
    (tmp_path / "b.csv").write_text("label;id;text\nl;7;y\n")
    rows = frame(spark, [tmp_path / "a.csv", tmp_path / "b.csv"], "csv", delimiter=";").collect()
    assert [(row.text, row.label) for row in rows] == [("x", "l"), ("y", "l")]
    (tmp_path / "c.csv").write_text("x;y\n1;2\n")
    wrong = r"c\.csv can't be read to its end: its header, line 1, has no column 'text'; there are: \[x, y\]"
    with pytest.raises(Py4JJavaError, match=wrong):
        frame(spark, [tmp_path / "c.csv"], "csv", delimiter=";")._jdf.count()


def test_a_record_of_any_number_of_columns_is_set_aside(spark: SparkSession, tmp_path: Path) -> None:
    found = read(spark, tmp_path / "in.csv", "text,label\na,b\n" + "," * 70_000 + "\nc,d\n")
    assert [reason for *_, reason in found] == [None, "broken_csv", None]


def test_no_record_of_a_csv_file_vanishes(spark: SparkSession, tmp_path: Path) -> None:
    nul = 'text,label\na,x\n\0b,y\n"\0c",z\n\0\0d,w\ne,v\n'
    found = read(spark, tmp_path / "nul.csv", nul)
    assert [record[:3] for record in found] == [
        ("nul.csv:1", "a", "x"), ("nul.csv:2", "\0b", "y"), ("nul.csv:3", "\0c", "z"), ("nul.csv:4", "\0\0d", "w"),
        ("nul.csv:5", "e", "v"),
    ]  # fmt: skip
    before = read(spark, tmp_path / "in.csv", " \n\ntext,label\n\n \nend,a")
    assert before == [("in.csv:1", "end", "a", None)]


def test_a_genuine_replacement_character_is_no_bad_byte(spark: SparkSession, tmp_path: Path) -> None:
    found = read(spark, tmp_path / "in.csv", b"text,label\n\xef\xbf\xbd,real\n\xff,bad\n\xf0\x90\x82\x80,pair\n")
    assert [(text, reason) for _, text, _, reason in found] == [
        ("\ufffd", None), ("\ufffd,bad", "invalid_utf8"), ("\U00010080", None),
    ]  # fmt: skip


def test_a_quote_that_is_never_closed_counts_all_that_it_swallows(spark: SparkSession, tmp_path: Path) -> None:
    rows = [f"t{n}\ta" for n in range(1, 201)]
    rows[149] = '"' + rows[149]
    content = "text\tlabel\n" + "\n".join(rows) + "\n"
    found = read(spark, tmp_path / "in.csv", content, delimiter="\t")
    assert Counter(reason for *_, reason in found) == {None: 149, "open_quote": 51}
    assert found[149][0] == "in.csv:150 (quote opened in line 151)"
    text = read(spark, tmp_path / "in.csv", content, delimiter="\t", quote="")
    assert [record[1] for record in text] == [row.partition("\t")[0] for row in rows]
    rows[179] = rows[179].replace("t180", 't180"x')
    closed = read(spark, tmp_path / "in.csv", "text\tlabel\n" + "\n".join(rows), delimiter="\t")
    assert Counter(reason for *_, reason in closed) == {None: 169, "open_quote": 31}


def test_what_a_quote_swallows_is_not_held(spark: SparkSession, tmp_path: Path) -> None:
    content = 'text,label\n"never\n' + "x,a\n" * 40_000
    found = read(spark, tmp_path / "in.csv", content, max_record_bytes=100)
    assert len(found) == 40_001 and {reason for *_, reason in found} == {"open_quote"}
    assert [text for _, text, *_ in found][:3] == ['"never', "x,a", "x,a"] and found[-1][1] == ""


def test_reading_stops_early_without_harm(spark: SparkSession, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("text,label\n" + "a,b\n" * 10_000)
    (tmp_path / "in.jsonl").write_bytes(lines(*(good("a") for _ in range(10_000))))
    for format in ("csv", "jsonl"):
        assert len(frame(spark, [tmp_path / f"in.{format}"], format).take(3)) == 3


def test_an_unknown_format_is_refused(spark: SparkSession, tmp_path: Path) -> None:
    with pytest.raises(Exception, match="unknown format xml; there are: csv, jsonl, parquet, text"):
        read(spark, tmp_path / "in.xml", "")
