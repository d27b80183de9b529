"""Files of any encoding and compression hold the same records, known by their first bytes whatever their names."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from pyspark.sql import SparkSession

from pipelines import charsets
from tests.spark.test_java_records import frame, good, lines, read

TEXT = "똠방각하 환불 문의"
PACK: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress, "bzip2": bz2.compress, "xz": lzma.compress,
    "zstd": lambda content: pa.Codec("zstd").compress(content, asbytes=True),
}  # fmt: skip


@pytest.mark.parametrize("pack", PACK.values(), ids=PACK)
@pytest.mark.parametrize("name", ["in.jsonl", "in.JSONL.GZ", "in.jsonl.gz"])
def test_compression_is_known_by_the_first_bytes(
    spark: SparkSession, tmp_path: Path, pack: Callable[[bytes], bytes], name: str
) -> None:
    content = [lines(*(good(f"{n} 가나다") for n in range(start, start + 500))) for start in (0, 500)]
    (tmp_path / name).write_bytes(b"".join(map(pack, content)))
    packed = frame(spark, [tmp_path / name], partitions=4)
    assert packed.rdd.getNumPartitions() == 1
    assert [row.text for row in packed.collect()] == [f"{n} 가나다" for n in range(1000)]


def test_gzip_padded_with_zeros_is_read_to_its_end_and_other_things_behind_it_are_an_error(
    spark: SparkSession, tmp_path: Path
) -> None:
    members = gzip.compress(lines(good("a"))) + bytes(7) + gzip.compress(lines(good("b")))
    assert [row[1] for row in read(spark, tmp_path / "in.jsonl", members + bytes(100_000))] == ["a", "b"]
    with pytest.raises(Exception, match=r"in\.jsonl can't be read to its end: .*gz"):
        read(spark, tmp_path / "in.jsonl", members + b"more")


def test_a_plain_file_named_as_packed_is_read_as_it_is(spark: SparkSession, tmp_path: Path) -> None:
    assert read(spark, tmp_path / "in.jsonl.gz", lines(good("a")))[0][1] == "a"


@pytest.mark.parametrize("encoding", ["CP949", "UTF-16", "UTF-16LE", "UTF-16BE", "UTF-32", "GB18030"])
@pytest.mark.parametrize("format", ["jsonl", "csv"])
def test_encodings_give_the_same_records(spark: SparkSession, tmp_path: Path, encoding: str, format: str) -> None:
    texts = [f"{TEXT} {n}" for n in range(3000)]
    table = "text,label\r\n" + "".join(f'"{text}",a\r\n' for text in texts)
    records = "".join(json.dumps(good(text), ensure_ascii=False) + "\r\n" for text in texts)
    content = table if format == "csv" else records
    plain = read(spark, tmp_path / f"in.{format}", content)
    of_jvm = charsets.of_jvm(encoding)
    assert read(spark, tmp_path / f"in.{format}", content.encode(encoding), encoding=of_jvm) == plain
    packed = gzip.compress(content.encode(encoding))
    assert read(spark, tmp_path / f"in.{format}", packed, encoding=of_jvm, partitions=3) == plain
    assert [text for _, text, *_ in plain] == texts


def test_utf_16_with_a_mark_under_the_name_of_its_order(spark: SparkSession, tmp_path: Path) -> None:
    content = "\ufeff" + json.dumps(good("가"))
    assert read(spark, tmp_path / "in.jsonl", content.encode("utf-16-le"), encoding="UTF-16LE")[0][1:] == (
        "가", "a", None,
    )  # fmt: skip


def test_what_is_no_text_in_an_encoding_is_set_aside(spark: SparkSession, tmp_path: Path) -> None:
    content = lines(good("가")).decode().encode("cp949") + b'{"text": "\xff\xff", "label": "a"}\n' + lines(good("z"))
    found = read(spark, tmp_path / "in.jsonl", content, encoding="x-windows-949")
    assert [reason for *_, reason in found] == [None, "invalid_encoding", None]
    pair = json.dumps(good("\U00010080"), ensure_ascii=False).encode("utf-16-be")
    half = json.dumps(good("x"), ensure_ascii=False).encode("utf-16-be").replace(b"\0x", b"\xdc\x80")
    found = read(spark, tmp_path / "in.jsonl", pair + b"\0\n" + half + b"\0\n", encoding="UTF-16BE")
    assert [(text, reason) for _, text, _, reason in found][0] == ("\U00010080", None)
    assert found[1][3] == "invalid_encoding"


def test_every_name_of_an_encoding_is_one_of_this_java(spark: SparkSession) -> None:
    of = spark._jvm.java.nio.charset.Charset  # type: ignore[union-attr]
    wrong = {name: known for name, known in charsets._names().items()
             if name not in charsets._MEANT and of.forName(name).name() != known}  # fmt: skip
    assert wrong == {}
