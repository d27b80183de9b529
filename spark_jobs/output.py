"""Writing a DataFrame's parts in one pass, statistics included, under file names that depend on the data alone."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from spark_jobs import jvm
from spark_jobs.base import DROPPED, Written
from textmill import places
from textmill.places import Place

_TASK = re.compile(r"part-(\d+)-")
Naming = Callable[[str, int], str]
"""The path, without its ending, of the n-th file of a value of the column `part`; its folder is the part."""


def numbered(part: str, number: int) -> str:
    """`train/00003`."""
    return f"{part}/{number:05d}"


def write_parts(
    frame: DataFrame,
    out: Place,
    length: Column,
    label: Column | None = None,
    unknown: Column | None = None,
    spelling: Column | None = None,
    leave_out: Sequence[str] = (),
    naming: Naming = numbered,
) -> Written:
    """Write `frame`, whose string column `part` names each row's part, as Parquet files `out/<part>/00000.parquet` ….

    `length` is what the statistics call a row's length (characters or tokens), `label` its class (column label unless
    given), `spelling` how that was written where it is another. Counts, reasons, labels, lengths, scripts and samples
    come from the same pass that writes. Columns of `leave_out` are for the statistics alone.
    """
    null, columns = F.lit(None), set(frame.columns)
    reason = F.col("reason") if "reason" in columns else null
    label = label if label is not None else (F.col("label") if "label" in columns else null)
    counted, stats = jvm.counter(frame.sparkSession)
    seen = counted(
        F.col("part"),
        reason.cast("string"),
        label.cast("string"),
        (null if spelling is None else spelling).cast("string"),
        length.cast("int"),
        (null if unknown is None else unknown).cast("int"),
        (F.col("text") if "text" in columns else null).cast("string"),
    )
    written = frame.where(seen).drop(*leave_out)
    parts, checksums = write_files(written, out, naming=naming)
    return Written(parts, stats(), checksums)


def write_files(
    frame: DataFrame, out: Place, kind: str = "parquet", naming: Naming = numbered
) -> tuple[dict[str, Any], dict[str, str]]:
    """Write `frame` by its string column `part`: a file for each partition of a part; the parts, and the checksums.

    `kind` is parquet or tfrecord. Files are `out/<part>/00000.<kind>` …, or as `naming` says, in the order of the
    partitions.
    """
    scratch = out / "_scratch"
    frame.write.partitionBy("part").format(kind).save(places.spark_uri(scratch))
    fields = [field.jsonValue() for field in frame.schema.fields if field.name != "part"]
    return _settle(frame.sparkSession, out, {"type": "struct", "fields": fields}, kind, naming)


def write_json(file: Place, value: Any) -> None:
    """Write `value` as JSON for people and programs to read; in a folder that is published whole, so not beside."""
    file.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _settle(
    spark: SparkSession, out: Place, schema: Mapping[str, Any], kind: str, naming: Naming
) -> tuple[dict[str, Any], dict[str, str]]:
    """Move the files to their final names, for Spark's own hold a random identifier; the parts, and the checksums."""
    scratch = out / "_scratch"
    moves = {f"{naming(part, index)}.{kind}": file for part, files in _by_part(scratch, kind).items()
             for index, file in enumerate(files)}  # fmt: skip
    parts: dict[str, Any] = {}
    for name in moves:
        part = name.partition("/")[0]
        parts.setdefault(part, {"rows": 0, "files": [], "schema": schema})["files"].append(name)
    for part in parts:
        (out / part).mkdir(exist_ok=True)
    uris = [(places.spark_uri(scratch / file), places.spark_uri(out / name)) for name, file in moves.items()]
    settled = dict(zip(moves, jvm.settle(spark, uris), strict=True))
    if not parts:  # no row at all: those who take from it know its columns all the same
        parts[DROPPED] = {"rows": 0, "files": [], "schema": schema}
    for part in parts.values():
        part["rows"] = sum(settled[name][0] for name in part["files"])
    places.remove(scratch)
    return parts, {name: digest for name, (_, digest) in settled.items()}


def _by_part(scratch: Place, kind: str) -> dict[str, list[str]]:
    """Names of the files of each part, in the order of the tasks that wrote them."""
    found: dict[str, list[str]] = {}
    for name in places.files(scratch):
        folder, _, file = name.rpartition("/")
        if folder.startswith("part=") and _TASK.match(file) and file.endswith(f".{kind}"):
            found.setdefault(folder.removeprefix("part="), []).append(name)
    return {part: sorted(names, key=_task_number) for part, names in sorted(found.items())}


def _task_number(name: str) -> tuple[int, str]:
    file = name.rpartition("/")[2]
    match = _TASK.match(file)
    return (int(match.group(1)) if match else 0, file.rsplit(".c", 1)[-1])
