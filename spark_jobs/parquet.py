"""The wanted columns of Parquet files as each file stores them, whoever wrote it and whatever else is in it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from textmill import places
from textmill.errors import InputError
from textmill.places import Place

if TYPE_CHECKING:
    import pyarrow as pa

_PER_SECOND = {"milliseconds": 1_000, "microseconds": 1_000_000, "nanoseconds": 1_000_000_000}


@dataclass(frozen=True)
class Stored:
    """A column of a file: its name, the type as which Spark reads it, and what a value of it is."""

    name: str
    type: str
    kind: str


Columns = Mapping[str, Stored]
"""By role (id, text, label); without what holds no single values, which is missing in every record as in a JSON file."""


def groups(files: Sequence[Place], reading: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The files that store the wanted columns alike, together, as patterns. Raises InputError naming a file that can't be read."""
    full = _full(files)
    found: dict[str, dict[str, Any]] = {}
    for file, columns in zip(full, places.in_threads(lambda file: stored(file, reading), full), strict=True):
        described = {role: asdict(column) for role, column in columns.items()}
        of_kind = found.setdefault(json.dumps(described, sort_keys=True), {"columns": described, "files": []})
        of_kind["files"].append(places.spark_pattern(places.spark_uri(file)))
    return list(found.values())


def rows(files: Sequence[Place]) -> int:
    """How many rows there are in the files, as their footers say."""
    return sum(places.in_threads(_rows, _full(files)))


def _full(files: Sequence[Place]) -> list[Place]:
    """Those that are not empty: a file of no bytes has no footer, and no record."""
    sizes = places.infos(files)
    return [file for file in files if file not in sizes or sizes[file].size]


def _rows(file: Place) -> int:
    import pyarrow.parquet as pq

    with file.open("rb") as stream:
        return int(pq.read_metadata(stream).num_rows)


def stored(file: Place, reading: Mapping[str, Any]) -> Columns:
    """How a file stores the columns that `reading` names.

    Raises InputError naming the file where it is no Parquet, lacks a column, or has one of a type that is no text.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with file.open("rb") as stream, pq.ParquetFile(stream) as opened:
            schema, leaves = opened.schema_arrow, opened.schema
            found = {}
            for role in ("id", "text", "label"):
                name = reading[role]
                if name is not None and (column := _column(file, role, name, schema, leaves)) is not None:
                    found[role] = column
            return found
    except (OSError, pa.ArrowException) as error:
        raise InputError(f"{file} can't be read as parquet: {error}") from error


def _column(file: Place, role: str, name: str, schema: pa.Schema, leaves: Any) -> Stored | None:
    import pyarrow as pa

    places_of = schema.get_all_field_indices(name)
    if not places_of:
        raise InputError(f"{file} has no column '{name}' for {role}; there are: {', '.join(schema.names)}")
    if len(places_of) > 1:
        raise InputError(f"{file} has {len(places_of)} columns '{name}' for {role}: let one of them have another name")
    field = schema.field(places_of[0])
    if pa.types.is_nested(field.type) or pa.types.is_null(field.type):
        return None
    leaf = leaves.column(sum(_leaves(schema.field(number).type) for number in range(places_of[0])))
    how = _how(leaf)
    if how is None:
        raise InputError(
            f"{file}: column '{name}' for {role} is of type {field.type}, which is no text, number, boolean, date or time"
        )
    return Stored(name, *how)


def _leaves(type_: pa.DataType) -> int:
    """How many columns of the file a field of this type takes."""
    import pyarrow as pa

    if isinstance(type_, pa.BaseExtensionType):
        return _leaves(type_.storage_type)
    if not pa.types.is_nested(type_):
        return 1
    return sum(_leaves(type_.field(number).type) for number in range(type_.num_fields))


def _how(leaf: Any) -> tuple[str, str] | None:
    """Spark's type, and the kind that ParquetFiles.java makes strings of; None where there is none."""
    logical = json.loads(leaf.logical_type.to_json())
    kind, physical = logical["Type"], leaf.physical_type
    if kind == "Decimal" and leaf.precision <= 38:
        return f"decimal({leaf.precision},{leaf.scale})", "plain"
    if kind == "Timestamp":
        meaning = "instant" if logical["isAdjustedToUTC"] else "moment"
        return "bigint", f"{meaning}:{_PER_SECOND[logical['timeUnit']]}"
    if kind == "Time":
        return ("int" if physical == "INT32" else "bigint"), f"time:{_PER_SECOND[logical['timeUnit']]}"
    if kind == "Date":
        return "int", "date"
    if kind == "Int" and not logical["isSigned"]:
        return {8: "int", 16: "int", 32: "bigint", 64: "decimal(20,0)"}[logical["bitWidth"]], "plain"
    if kind == "UUID":
        return "binary", "uuid"
    if kind in ("None", "Int", "String", "Enum", "JSON"):
        return _OF_PHYSICAL.get(physical)
    return None


_OF_PHYSICAL = {
    "BYTE_ARRAY": ("binary", "text"),
    "BOOLEAN": ("boolean", "plain"),
    "INT32": ("int", "plain"),
    "INT64": ("bigint", "plain"),
    "FLOAT": ("float", "float"),
    "DOUBLE": ("double", "double"),
    "INT96": ("timestamp", "int96"),
}
