"""One local session for all tests that need Spark."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from pipelines.runner import rows_of
from spark_jobs import session
from spark_jobs.base import Operation, Resources, Source, Work, Written


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    log = tmp_path_factory.mktemp("spark") / "spark.log"
    started = session.start(session.SparkSettings(master="local[2]", memory="1g"), log, "textmill tests")
    yield started
    started.stop()


ODD = "my project [v2] {a} #1 100% 한글 'q' \"q\" & ;?*\\"
"""A folder that Spark, Hadoop, a shell or a URI would each read as something else."""
Rows = Sequence[Mapping[str, Any]]


class Bench:
    """Carries one operation out on rows given as dictionaries."""

    def __init__(self, spark: SparkSession, folder: Path) -> None:
        self.spark, self.folder, self._made = spark, folder, 0

    def source(self, rows: Rows, role: str, schema: str) -> Source:
        """Rows as the finished part of an earlier step."""
        path = self.new_folder()
        frame = self.spark.createDataFrame([tuple(row.values()) for row in rows], schema).coalesce(2)
        frame.write.parquet(str(path / "rows"))
        files = [file.relative_to(path).as_posix() for file in sorted(path.glob("rows/*.parquet"))]
        fields = [field.jsonValue() for field in frame.schema.fields]
        part = {"rows": len(rows), "files": files, "schema": {"type": "struct", "fields": fields}}
        sizes = {name: {"bytes": (path / name).stat().st_size} for name in files}
        return rows_of({"parts": {"rows": part}, "files": sizes}, path, "rows", role)

    def run(
        self, operation: Operation, sources: Sequence[Source], resources: Resources = Resources(), **params: Any
    ) -> Done:
        """The operation's output."""
        out = self.new_folder()
        given = operation.Params.model_validate(params)
        return Done(out, operation.run(Work(self.spark, out, given, tuple(sources), resources)))

    def new_folder(self) -> Path:
        """An empty folder."""
        self._made += 1
        path = self.folder / str(self._made)
        path.mkdir()
        return path


class Done:
    """An output to look into."""

    def __init__(self, out: Path, written: Written) -> None:
        self.out, self.written, self.stats = out, written, written.stats

    def rows(self, part: str = "rows") -> list[dict[str, Any]]:
        """All rows of a part, in the order of the files."""
        import pyarrow.parquet as pq

        files = self.written.parts.get(part, {"files": []})["files"]
        return [row for name in files for row in pq.read_table(self.out / name).to_pylist()]

    def source(self, part: str, role: str) -> Source:
        """A part of it for another operation to take."""
        sizes = {name: {"bytes": (self.out / name).stat().st_size} for name in self.contents()}
        return rows_of({"parts": self.written.parts, "files": sizes}, self.out, part, role)

    def contents(self) -> dict[str, bytes]:
        """Every file by name."""
        return {
            path.relative_to(self.out).as_posix(): path.read_bytes() for path in sorted(self.out.rglob("*.parquet"))
        }


@pytest.fixture
def bench(spark: SparkSession, tmp_path: Path) -> Bench:
    folder = tmp_path / ODD
    folder.mkdir()
    return Bench(spark, folder)
