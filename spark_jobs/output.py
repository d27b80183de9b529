"""Writing a DataFrame's parts in one pass, statistics included, under file names that depend on the data alone."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from spark_jobs import jvm
from spark_jobs.base import Written

_TASK = re.compile(r"part-(\d+)-")


def write_parts(
    frame: DataFrame,
    out: Path,
    length: Column,
    label: Column | None = None,
    unknown: Column | None = None,
    leave_out: Sequence[str] = (),
) -> Written:
    """Write `frame`, whose string column `part` names each row's part, as Parquet files `out/<part>/00000.parquet` ….

    `length` is what the statistics call a row's length (characters or tokens), `label` its class (column label unless
    given). Counts, reasons, labels and lengths come from the same pass that writes. Columns of `leave_out` are for the
    statistics alone.
    """
    null, columns = F.lit(None), set(frame.columns)
    reason = F.col("reason") if "reason" in columns else null
    label = label if label is not None else (F.col("label") if "label" in columns else null)
    counted, stats = jvm.counter(frame.sparkSession)
    seen = counted(
        F.col("part"),
        reason.cast("string"),
        label.cast("string"),
        length.cast("int"),
        (null if unknown is None else unknown).cast("int"),
    )
    written = frame.where(seen).drop(*leave_out)
    written.write.partitionBy("part").parquet(str(out / "_scratch"))
    fields = [field.jsonValue() for field in written.schema.fields if field.name != "part"]
    parts = _settle(frame.sparkSession, out / "_scratch", out, {"type": "struct", "fields": fields})
    return Written(parts, stats())


def _settle(spark: SparkSession, scratch: Path, out: Path, schema: Mapping[str, Any]) -> dict[str, Any]:
    """Move the files to their final names, for Spark's own hold a random identifier."""
    parts: dict[str, Any] = {}
    for folder in sorted(scratch.glob("part=*")):
        part = folder.name.removeprefix("part=")
        (out / part).mkdir()
        names = []
        for index, file in enumerate(sorted(folder.glob("part-*.parquet"), key=_task_number)):
            names.append(f"{part}/{index:05d}.parquet")
            jvm.canonicalize(spark, file)
            file.rename(out / names[-1])
        rows = sum(pq.read_metadata(out / name).num_rows for name in names)
        parts[part] = {"rows": rows, "files": names, "schema": schema}
    shutil.rmtree(scratch)
    return parts


def _task_number(file: Path) -> tuple[int, str]:
    match = _TASK.match(file.name)
    return (int(match.group(1)) if match else 0, file.name.rsplit(".c", 1)[-1])
