"""Raw input files: found and looked into before any JVM starts."""

from __future__ import annotations

import bz2
import csv
import glob
import gzip
import io
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, BinaryIO, cast

from pipelines.model import Input
from pipelines.validation import did_you_mean
from textmill import places
from textmill.errors import TextmillError
from textmill.places import Place

_OPENERS: dict[str, Callable[[Any], Any]] = {".gz": gzip.open, ".bz2": bz2.open}
_HIDDEN = ("_", ".")


class Unfit(ValueError):
    """An input that can't be read as the definition says."""


class Missing(Unfit):
    """There is no file where the definition says."""


def find(path: str) -> tuple[Place, ...]:
    """The files of an input's path (file, folder or pattern, local or a URI), sorted.

    Raises Missing where there is none, Unfit where they can't be reached.
    """
    try:
        place = places.place(path)
        found = _in_folder(place) or _matching(place)
    except (TextmillError, OSError) as error:
        raise Unfit(places.brief(error)) from error
    if not found:
        raise Missing(f"there is no file {path}")
    return tuple(sorted(found, key=lambda file: file.parts))


def _in_folder(folder: Place) -> list[Place]:
    """The files of a folder and of those in it; none that Hadoop would pass over as hidden."""
    if not folder.is_dir():
        return []
    names = [name for name in places.files(folder) if not any(map(_is_hidden, name.split("/")))]
    return [folder / name for name in names]


def _matching(pattern: Place) -> list[Place]:
    """The files that match; where only folders do, the files in them."""
    if isinstance(pattern, Path):
        matches = {Path(name): Path(name).is_file() for name in glob.glob(str(pattern), recursive=True)}
    else:
        said = pattern.fs.glob(pattern.path, detail=True)
        matches = {pattern.with_segments(name): of_one["type"] == "file" for name, of_one in said.items()}
    shown = {match: is_file for match, is_file in matches.items() if match == pattern or not _is_hidden(match.name)}
    files = [match for match, is_file in shown.items() if is_file]
    return files or [file for folder in shown for file in _in_folder(folder)]


def _is_hidden(name: str) -> bool:
    return name.startswith(_HIDDEN)


def header(files: tuple[Place, ...], given: Input) -> list[str]:
    """The columns of the first file; raises Unfit where all files are empty or a wanted column is missing."""
    first = next((file for file in files if places.info(file).size), None)
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
            listed = ", ".join(columns)
            close = did_you_mean(column, columns).partition(";")[0]
            raise Unfit(f"{first} has no column '{column}' for {role}{close}; its columns: {listed}")
    return columns


@contextmanager
def _open(file: Place) -> Iterator[BinaryIO]:
    with file.open("rb") as stored, _OPENERS.get(file.suffix, nullcontext)(stored) as content:
        yield content


def _csv_columns(file: Place, given: Input) -> list[str]:
    with _open(file) as stream:
        text = io.TextIOWrapper(stream, encoding="utf-8-sig", newline="")
        quoting = {"quoting": csv.QUOTE_NONE} if given.quote is None else {"quotechar": given.quote}
        rows = csv.reader(text, delimiter=given.delimiter, **quoting)  # type: ignore[arg-type]
        return next((row for row in rows if len(row) > 1 or row and row[0].strip()), [])


def _jsonl_columns(file: Place, given: Input) -> list[str] | None:
    """The fields of the first record that is a JSON object, of the first hundred; None where none is."""
    # The files of some stores read lines, but none of a limited length.
    with _open(file) as stream, io.BufferedReader(cast("io.RawIOBase", stream)) as buffered:
        for _ in range(100):
            line = buffered.readline(given.max_record_bytes)
            try:
                record = json.loads(line.decode("utf-8-sig"))
            except ValueError:
                continue
            if isinstance(record, dict):
                return list(record)
    return None


def _parquet_columns(file: Place, given: Input) -> list[str]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with file.open("rb") as stream:
            return list(pq.read_schema(stream).names)
    except pa.ArrowException as error:
        raise OSError(str(error)) from error


_COLUMNS: dict[str, Callable[[Place, Input], list[str] | None]] = {
    "csv": _csv_columns,
    "jsonl": _jsonl_columns,
    "parquet": _parquet_columns,
    "text": lambda file, given: None,
}
