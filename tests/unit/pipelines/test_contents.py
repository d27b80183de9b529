"""What `check` knows of raw files without a JVM: each fault is named with its file."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines import charsets, contents
from pipelines.inputs import Unfit
from pipelines.model import Input
from textmill.places import Place

KOREAN = "배송이 빨리 왔어요 감사합니다. 환불은 어떻게 하나요? 주문 번호를 알려 주세요"


def look(folder: Path, content: bytes | dict[str, bytes], format: str = "csv", **keys: Any) -> contents.Look:
    files: list[Place] = []
    for name, of_file in (content if isinstance(content, dict) else {f"in.{format}": content}).items():
        files.append(folder / name)
        (folder / name).write_bytes(of_file)
    return contents.look(files, Input(path="", format=format, **keys))  # type: ignore[arg-type]


def zstd(content: bytes) -> bytes:
    return pa.Codec("zstd").compress(content, asbytes=True)  # type: ignore[no-any-return]


PACK: dict[str, Callable[[bytes], bytes]] = {"gzip": gzip.compress, "bzip2": bz2.compress, "xz": lzma.compress, "zstd": zstd}


@pytest.mark.parametrize("pack", PACK.values(), ids=PACK)
@pytest.mark.parametrize("name", ["in.csv", "in.CSV.GZ", "in.csv.bin"])
def test_packed_files_are_known_by_their_first_bytes(
    tmp_path: Path, pack: Callable[[bytes], bytes], name: str
) -> None:
    packed = pack(b"text,label\n") + pack(b"a,b\n") if pack is not zstd else pack(b"text,label\na,b\n")
    assert look(tmp_path, {name: packed}) == contents.Look(["text", "label"], True)


def test_gzip_with_zeros_at_its_end(tmp_path: Path) -> None:
    assert look(tmp_path, gzip.compress(b"text,label\na,b\n") + bytes(1000)).has_records


@pytest.mark.parametrize(
    ("content", "keys", "message"),
    [
        (b"PK\x03\x04...", {}, "in.csv is a zip archive or a workbook"),
        (b"PAR1\x15\x04", {}, "in.csv is a Parquet file: write format: parquet"),
        (gzip.compress(b"text,label\n" * 9)[:-9], {}, "in.csv can't be read as csv: "),
        (b"\n\ntext,lable\na,b\n", {}, "in.csv:3 has no column 'label' for label, did you mean 'lable'?"),
        (b"text\tlabel\na\tb\n", {}, r'in.csv:1 has no column \'text\' .*is it written with delimiter: "\\t"?'),
        (b'"text,label\na,b\nc,d\n', {}, "in.csv:1 has no column 'text' .*write quote: null"),
        (f"text,label\n{KOREAN},a\n".encode("cp949"), {"max_bad": 0.1}, None),
        (f"{KOREAN},label\n".encode("cp949"), {}, "in.csv:1 is not UTF-8; it looks like CP949.*write encoding: CP949"),
        ("text,label\na,b\n".encode("utf-16"), {}, "in.csv:1 is not UTF-8; it looks like UTF-16:"),
        ("text,label\na,b\n".encode("utf-16-le"), {"encoding": "UTF-16"}, "in.csv has no byte order mark: write"),
        (f"text,label\n{KOREAN},a\n".encode(), {"encoding": "UTF-16LE"}, "in.csv"),
    ],
)  # fmt: skip
def test_what_a_csv_file_is_refused_for(tmp_path: Path, content: bytes, keys: Any, message: str | None) -> None:
    if message is None:
        message = "in.csv:2 is not UTF-8; it looks like CP949"
        content += f"{KOREAN},a\n".encode("cp949") * 2
    with pytest.raises(Unfit, match=message.replace("?", r"\?")):
        look(tmp_path, content, **keys)


@pytest.mark.parametrize("encoding", ["CP949", "EUC-KR", "UTF-16", "UTF-16LE", "UTF-32BE"])
@pytest.mark.parametrize("format", ["csv", "jsonl"])
def test_encodings(tmp_path: Path, encoding: str, format: str) -> None:
    record = json.dumps({"text": KOREAN, "label": "a"}, ensure_ascii=False)
    text = f"text,label\n{KOREAN},a\n" if format == "csv" else f"{record}\n"
    assert look(tmp_path, text.encode(encoding), format, encoding=encoding) == contents.Look(["text", "label"], True)


@pytest.mark.parametrize(
    ("files", "format", "message"),
    [
        ({"a": b"text,label\na,b\n", "b": b"text\na\n"}, "csv", "/b:1 has no column 'label'"),
        ({"a": b"not json\n", "b": b"[1]\n"}, "jsonl", "/a:1 is no JSON object"),
        ({"a": b'{"text": "x", "lable": 1}\n'}, "jsonl", "/a has no column 'label' .*did you mean 'lable'"),
        ({"a": b'{"text": "x", "label": 1}\n', "b": b'{"text": "x"}\n' * 100}, "jsonl", "/b has no column 'label'"),
        ({"a.lz4": b"x"}, "jsonl", "/a.lz4 is compressed in a way that is not read"),
        ({"a": b"PAR1"}, "parquet", "/a can't be read as parquet"),
    ],
)
def test_each_file_is_looked_at(tmp_path: Path, files: dict[str, bytes], format: str, message: str) -> None:
    with pytest.raises(Unfit, match=message):
        look(tmp_path, files, format)


@pytest.mark.parametrize(
    "files",
    [
        {"a": b"broken\n", "b": b'{"text": "x"}\n{"text": "y", "label": 1}\n'},
        {"a": b'{"text": "' + b"x" * 100_000 + b'", "label": 1}\n'},
        {"a": b'{"text": "' + b"x" * 3_000_000 + b'", "label": 1}\n'},
    ],
)
def test_what_a_run_may_set_aside_is_not_refused(tmp_path: Path, files: dict[str, bytes]) -> None:
    assert look(tmp_path, files, "jsonl").has_records


@pytest.mark.parametrize(
    ("files", "format"),
    [
        ({"a": b"", "b": b"text,label\n"}, "csv"), ({"a": b"\n \n"}, "jsonl"), ({"a": gzip.compress(b"")}, "text"),
        ({"a": b"\xef\xbb\xbf\n"}, "csv"),
    ],
)  # fmt: skip
def test_files_without_a_record(tmp_path: Path, files: dict[str, bytes], format: str) -> None:
    assert not look(tmp_path, files, format).has_records


def test_a_parquet_file_without_rows(tmp_path: Path) -> None:
    pq.write_table(pa.table({"text": pa.array([], pa.string()), "label": pa.array([], pa.string())}), tmp_path / "a")
    assert contents.look([tmp_path / "a"], Input(path="", format="parquet")) == contents.Look(["text", "label"], False)


def test_a_parquet_column_that_holds_no_text_is_refused(tmp_path: Path) -> None:
    table = pa.table({"text": ["a"], "label": pa.array([1.0], pa.float16()), "at": pa.array([1], pa.timestamp("ns"))})
    pq.write_table(table, tmp_path / "a")
    with pytest.raises(Unfit, match="/a: column 'label' for label is of type halffloat, which is no text, number"):
        contents.look([tmp_path / "a"], Input(path="", format="parquet"))


def test_an_unknown_encoding_is_refused_with_those_that_are_common() -> None:
    with pytest.raises(ValueError, match=re.escape("is no encoding that Java knows, did you mean 'CP949'")):
        charsets.of_jvm("CP94 9")
    assert charsets.of_jvm("cp949") == charsets.of_jvm("UHC") == "x-windows-949"
