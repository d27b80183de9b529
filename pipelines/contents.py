"""Looks into raw input files before any JVM starts: compression, encoding, header, schema and the first records."""

from __future__ import annotations

import bz2
import codecs
import csv
import gzip
import io
import itertools
import json
import lzma
import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from pipelines import charsets
from pipelines.inputs import Unfit
from pipelines.model import Input
from pipelines.validation import did_you_mean
from spark_jobs import parquet
from textmill import places
from textmill.errors import InputError
from textmill.places import Place

_PEEKED = 1 << 16
"""Bytes of each file, unpacked, that are looked at."""
_MOST_FILES = 1000
"""Of an input in a remote store: each file costs a question there. The others are looked at when they are read."""
_LINES = 100
_PACKED = {
    "gzip": b"\x1f\x8b", "bzip2": rb"BZh[1-9](?:1AY&SY|\x17rE8P\x90)", "zstd": rb"\x28\xb5\x2f\xfd",
    "xz": b"\xfd7zXZ\0",
}  # fmt: skip
_FOREIGN = {
    b"PK\x03\x04": "a zip archive or a workbook: unpack it, or save it as csv",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "an Office file: save it as csv",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive: unpack it",
    b"Rar!\x1a\x07": "a rar archive: unpack it",
    b"\x04\x22\x4d\x18": "compressed with lz4: only gzip, bzip2, zstd and xz are read",
    b"\xff\x06\0\0sNaPpY": "compressed with snappy: only gzip, bzip2, zstd and xz are read",
    b"\x1f\x9d": "compressed with compress: only gzip, bzip2, zstd and xz are read",
    b"PAR1\x15": "a Parquet file: write format: parquet",
    b"SQLite format 3\0": "a database: export its table as csv",
}
_NAMES = (".lz4", ".snappy", ".deflate", ".lzo", ".lzo_deflate", ".lzma", ".br", ".z")
_TROUBLES = (OSError, EOFError, zlib.error, lzma.LZMAError, ValueError)


@dataclass(frozen=True)
class Look:
    """What is in the files of an input: the columns of the first that has some, and whether any holds a record."""

    columns: list[str]
    has_records: bool


@dataclass(frozen=True)
class _Seen:
    """What is in one file; `at` is the line of its header or first record."""

    file: Place
    columns: tuple[str, ...]
    has_records: bool
    at: int = 1
    sampled: int = 0
    """Lines that were looked at, where they need not all have the same fields."""


def look(files: Sequence[Place], given: Input) -> Look:
    """What is in the files; raises Unfit for one that can't be read as `given` says, with its name and the line."""
    remote = [file for file in files if not isinstance(file, Path)]
    left_out = set(remote[_MOST_FILES:])
    seen = list(places.in_threads(lambda file: _seen(file, given), [file for file in files if file not in left_out]))
    full = [one for one in seen if one.columns]
    _require_columns(full if given.format != "jsonl" else seen, given)
    return Look(list(full[0].columns) if full else [], any(one.has_records for one in seen) or bool(left_out))


def _seen(file: Place, given: Input) -> _Seen:
    if file.suffix.lower() in _NAMES and given.format != "parquet":
        raise Unfit(f"{file} is compressed in a way that is not read: gzip, bzip2, zstd and xz are")
    try:
        if not places.info(file).size:
            return _Seen(file, (), False)
        return _LOOKS[given.format](file, given)
    except Unfit:
        raise
    except _TROUBLES as error:
        raise Unfit(f"{file} can't be read as {given.format}: {places.brief(error)}") from error


def _require_columns(seen: Sequence[_Seen], given: Input) -> None:
    """Each csv and parquet file has all of them; of jsonl files some record, and some of each hundred."""
    if given.format == "text" or not seen:
        return
    if given.format != "jsonl":
        for one in seen:
            _require(one, one.columns, given)
        return
    fields = [column for one in seen for column in one.columns]
    read = [one for one in seen if one.sampled]
    if read and not fields and given.max_bad < 1:
        raise Unfit(f"{read[0].file}:{read[0].at} is no JSON object, nor is another line: is format: jsonl right?")
    if fields:
        _require(next(one for one in seen if one.columns), fields, given)
    for one in read:
        if one.sampled >= _LINES and one.columns:
            _require(one, one.columns, given)


def _require(seen: _Seen, columns: Sequence[str], given: Input) -> None:
    for role, column in {"text": given.text, "label": given.label, "id": given.id}.items():
        if column is not None and column not in columns:
            listed = _printable(", ".join(dict.fromkeys(columns)))[:500]
            close = did_you_mean(column, columns).partition(";")[0]
            place = f"{seen.file}:{seen.at}" if given.format == "csv" else str(seen.file)
            hint = _delimiter(columns, column, given.delimiter) if given.format == "csv" else ""
            raise Unfit(f"{place} has no column '{column}' for {role}{close}; its columns: {listed}{hint}")


def _printable(text: str) -> str:
    """On one line: a header may be anything."""
    return "".join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in text)


def _delimiter(columns: Sequence[str], wanted: str, given: str) -> str:
    """Which delimiter the header seems to be written with."""
    if any("\n" in column for column in columns):
        return "; a quote in it spans lines: if quotes are text, write quote: null in the input"
    for other in ("\t", ";", ",", "|"):
        if other != given and any(wanted in column.split(other) for column in columns):
            return f"; is it written with delimiter: {json.dumps(other)}?"
    return ""


def opened(stream: IO[bytes], file: Place) -> IO[bytes]:
    """The unpacked content, by the file's first bytes whatever its name; raises Unfit for what is not read."""
    import pyarrow as pa

    buffered = io.BufferedReader(stream, 1 << 16)  # type: ignore[arg-type]  # files of fsspec have its methods
    head = buffered.peek(16)[:16]
    for sign, message in _FOREIGN.items():
        if head.startswith(sign):
            raise Unfit(f"{file} is {message}")
    kind = next((name for name, sign in _PACKED.items() if re.match(sign, head, re.DOTALL)), None)
    unpack: dict[str | None, Callable[[Any], Any]] = {
        "gzip": gzip.open, "bzip2": bz2.open, "xz": lzma.open,
        "zstd": lambda packed: pa.CompressedInputStream(packed, "zstd"),
    }  # fmt: skip
    return unpack[kind](buffered) if kind else buffered  # type: ignore[no-any-return]


def _peek(file: Place, given: Input) -> tuple[bytes, bool]:
    """The beginning of the unpacked content, and whether it is all; a first line that is longer is read to its end."""
    with file.open("rb") as stream:
        content = opened(stream, file)
        data = _read(content, _PEEKED)
        if len(data) == _PEEKED and b"\n" not in data and b"\r" not in data:
            data += _read(content, given.max_record_bytes)
            return data, len(data) < _PEEKED + given.max_record_bytes
        return data, len(data) < _PEEKED


def _read(content: IO[bytes], size: int) -> bytes:
    """So many bytes, fewer only at the end."""
    data = b""
    while len(data) < size and (more := content.read(size - len(data))):
        data += more
    return data


def _text(file: Place, given: Input) -> tuple[str, bool]:
    """The beginning as text, with U+FFFD for what is not; raises Unfit where too much is not."""
    data, is_all = _peek(file, given)
    name = charsets.of_python(given.encoding or charsets.UTF8)
    if name is None:
        return "", False
    if given.encoding == "UTF-16" and not data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise Unfit(f"{file} has no byte order mark: write encoding: UTF-16LE or UTF-16BE in the input")
    text = codecs.getincrementaldecoder(name)("replace").decode(data, is_all)
    lines = [(number, line) for number, line in enumerate(re.split("\r\n|\r|\n", text), 1) if line.strip()]
    bad = [number for number, line in lines if "\ufffd" in line] if not _is_exact(data, name, is_all) else []
    must = given.format == "csv" and lines and bad[:1] == [lines[0][0]]
    if bad and (must or len(bad) > max(given.max_bad, 0.5) * len(lines)):
        hint = charsets.advice(data)
        raise Unfit(f"{file}:{bad[0]} is not {given.encoding or charsets.UTF8}{hint}")
    return text.removeprefix("\ufeff"), is_all


def _is_exact(data: bytes, name: str, is_all: bool) -> bool:
    """Whether all bytes are text: a genuine U+FFFD is."""
    try:
        codecs.getincrementaldecoder(name)("strict").decode(data, is_all)
    except UnicodeDecodeError:
        return False
    return True


def _csv(file: Place, given: Input) -> _Seen:
    text, is_all = _text(file, given)
    quoting = {"quoting": csv.QUOTE_NONE} if given.quote is None else {"quotechar": given.quote}
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=given.delimiter, **quoting)  # type: ignore[arg-type]
    csv.field_size_limit(max(csv.field_size_limit(), given.max_record_bytes + _PEEKED))
    try:
        first = itertools.islice(_full(rows), 2)
        found = [(row, max(1, rows.line_num - "".join(row).count("\n"))) for row in first]
    except csv.Error as error:
        raise Unfit(f"{file}:{rows.line_num} is no csv: {error}") from error
    header, at = found[0] if found else ([], 1)
    return _Seen(file, tuple(header), len(found) > 1 or not is_all, at)


def _full(rows: Iterator[list[str]]) -> Iterator[list[str]]:
    """All but blank lines, which are no records."""
    return (row for row in rows if len(row) > 1 or row and row[0].strip())


def _jsonl(file: Place, given: Input) -> _Seen:
    """The fields of the first records; none where no line is a JSON object."""
    text, is_all = _text(file, given)
    lines = [(number, line) for number, line in enumerate(re.split("\r\n|\r|\n", text), 1) if line.strip(" \t\ufeff")]
    whole = lines[:_LINES] if is_all else lines[:-1][:_LINES]
    columns = dict.fromkeys(field for _, line in whole for field in _object(line) or ())
    return _Seen(file, tuple(columns), bool(lines) or not is_all, lines[0][0] if lines else 1, len(whole))


def _object(line: str) -> dict[str, Any] | None:
    try:
        record = json.loads(line.removeprefix("\ufeff"))
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None


def _parquet(file: Place, given: Input) -> _Seen:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with file.open("rb") as stream:
            found = pq.ParquetFile(stream)
            seen = _Seen(file, tuple(found.schema_arrow.names), found.metadata.num_rows > 0)
    except pa.ArrowException as error:
        raise OSError(str(error)) from error
    wanted = {"text": given.text, "label": given.label, "id": given.id}
    if {column for column in wanted.values() if column is not None} <= set(seen.columns):
        try:
            parquet.stored(file, wanted)
        except InputError as error:
            raise Unfit(str(error)) from error
    return seen


def _lines(file: Place, given: Input) -> _Seen:
    text, is_all = _text(file, given)
    return _Seen(file, (), bool(text.strip()) or not is_all)


_LOOKS: dict[str, Callable[[Place, Input], _Seen]] = {
    "csv": _csv, "jsonl": _jsonl, "parquet": _parquet, "text": _lines,
}  # fmt: skip
