"""Raw input files: found and looked into before any JVM starts."""

from __future__ import annotations

import bz2
import csv
import glob
import gzip
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

from pipelines.model import Input
from pipelines.validation import did_you_mean

_OPENERS: dict[str, Callable[[Path], Any]] = {".gz": gzip.open, ".bz2": bz2.open}
_HIDDEN = ("_", ".")


class Unfit(ValueError):
    """An input that can't be read as the definition says."""


def find(path: str) -> tuple[Path, ...]:
    """The files of an input's path (file, folder or pattern), sorted; raises Unfit where there is none."""
    place = Path(path)
    if place.is_dir():
        found = [file for file in place.rglob("*") if file.is_file() and not file.name.startswith(_HIDDEN)]
    else:
        found = [Path(name) for name in glob.glob(path, recursive=True) if Path(name).is_file()]
    if not found:
        raise Unfit(f"there is no file {path}")
    return tuple(sorted(found))


def header(files: tuple[Path, ...], given: Input) -> list[str]:
    """The columns of the first file; raises Unfit where all files are empty or a wanted column is missing."""
    first = next((file for file in files if file.stat().st_size), None)
    if first is None:
        raise Unfit(f"{files[0]} is empty")
    try:
        columns = _COLUMNS[given.format](first, given)
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise Unfit(f"{first} can't be read as {given.format}: {error}") from error
    if columns is None:
        return []
    wanted = {"text": given.text, "label": given.label, "id": given.id}
    for role, column in wanted.items():
        if column is not None and column not in columns:
            raise Unfit(f"{first} has no column '{column}' for {role}{did_you_mean(column, columns)}")
    return columns


def _open(file: Path) -> BinaryIO:
    return _OPENERS.get(file.suffix, lambda path: path.open("rb"))(file)


def _csv_columns(file: Path, given: Input) -> list[str]:
    with _open(file) as stream:
        text = io.TextIOWrapper(stream, encoding="utf-8-sig", newline="")
        return next(csv.reader(text, delimiter=given.delimiter), [])


def _jsonl_columns(file: Path, given: Input) -> list[str] | None:
    """The fields of the first record that is a JSON object, of the first hundred; None where none is."""
    with _open(file) as stream:
        for _ in range(100):
            line = stream.readline(given.max_record_bytes)
            try:
                record = json.loads(line.decode("utf-8-sig"))
            except ValueError:
                continue
            if isinstance(record, dict):
                return list(record)
    return None


def _parquet_columns(file: Path, given: Input) -> list[str]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return list(pq.read_schema(file).names)
    except pa.ArrowException as error:
        raise OSError(str(error)) from error


_COLUMNS: dict[str, Callable[[Path, Input], list[str] | None]] = {
    "csv": _csv_columns,
    "jsonl": _jsonl_columns,
    "parquet": _parquet_columns,
    "text": lambda file, given: None,
}
