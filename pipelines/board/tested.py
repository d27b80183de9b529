"""Predictions row by row: what pairs two models on the test rows they share, in whatever order they were written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from models.tensors import LABELS
from pipelines.board.trials import PREDICTIONS, Source
from pipelines.report.reading import json_object
from pipelines.store import MANIFEST, Store
from textmill.places import Place

_IDENTITY = ("id", "text", "label")
_SPARK_SEED = 42
"""What Spark's xxhash64 starts from."""


@dataclass(frozen=True)
class TestRows:
    """The rows of a test part, ordered by id, text and label (string arrays [rows])."""

    __test__ = False  # no test, whatever pytest makes of its name

    id: pa.Array
    text: pa.Array
    label: pa.Array

    def __len__(self) -> int:
        return len(self.id)

    def equals(self, other: TestRows) -> bool:
        """Whether they are the same rows."""
        return self is other or all(getattr(self, name).equals(getattr(other, name)) for name in _IDENTITY)

    @cached_property
    def numbers(self) -> dict[tuple[str, str, str], int]:
        """The number of each row by its id, text and label."""
        return {row: number for number, row in enumerate(zip(*self._lists(), strict=True))}

    def _lists(self) -> list[list[str]]:
        return [getattr(self, name).to_pylist() for name in _IDENTITY]

    def shared(self, other: TestRows) -> tuple[np.ndarray, np.ndarray]:
        """Numbers of the rows that are in both, here and there."""
        if self.equals(other):
            every = np.arange(len(self))
            return every, every
        pairs = [(number, other.numbers[row]) for row, number in self.numbers.items() if row in other.numbers]
        found = np.array(pairs, dtype=np.int64).reshape(-1, 2)
        return found[:, 0], found[:, 1]


@dataclass(frozen=True)
class Tested:
    """What a model predicted of test rows: a label for each (string array [rows])."""

    rows: TestRows
    predicted: pa.Array

    @cached_property
    def right(self) -> np.ndarray:
        """bool [rows]."""
        return np.asarray(pc.equal(self.rows.label, self.predicted))


class Tests:
    """Reads predictions of a store; rows and files that many trials share are read once."""

    __test__ = False

    def __init__(self, store: Store) -> None:
        self.store = store
        self._rows: dict[tuple[str, ...], tuple[TestRows, np.ndarray]] = {}
        self._archives: dict[str, Mapping[str, np.ndarray]] = {}
        self._known: list[TestRows] = []

    def of(self, source: Source) -> Tested:
        """The predictions of a trial.

        Raises OSError, ValueError, LookupError or what pyarrow raises where they are gone or do not fit the test part.
        """
        return self._evaluated(source) if source.trial is None else self._tried(source, source.trial)

    def _evaluated(self, source: Source) -> Tested:
        table = _read(sorted((source.folder / "predictions").glob("*.parquet")), (*_IDENTITY, "predicted"))
        return Tested(self._same(_test_rows(table)), table["predicted"].combine_chunks())

    def _same(self, rows: TestRows) -> TestRows:
        """The equal rows read before, so that pairs of models over the same rows need no comparison of texts."""
        known = next((one for one in self._known if one.equals(rows)), None)
        if known is None:
            self._known.append(known := rows)
        return known

    def _tried(self, source: Source, trial: str) -> Tested:
        archive = self._archive(source)
        labels = LABELS.read(source.folder / "labels.json")
        rows, order = self._ordered(json_object(source.folder / MANIFEST)["because"])
        names = pa.array(labels, pa.string())
        if len(order) != len(archive["labels"]) or not names.take(pa.array(archive["labels"][order])).equals(
            rows.label
        ):
            raise ValueError(f"its {len(archive['labels']):,} rows are not those of the test part of its tensors")
        return Tested(rows, names.take(pa.array(archive[trial][order])))

    def _archive(self, source: Source) -> Mapping[str, np.ndarray]:
        if source.key not in self._archives:
            with (source.folder / PREDICTIONS).open("rb") as stream, np.load(stream, allow_pickle=False) as found:
                self._archives[source.key] = {name: found[name] for name in found.files}
        return self._archives[source.key]

    def _ordered(self, because: Mapping[str, Any]) -> tuple[TestRows, np.ndarray]:
        """The test rows behind a sweep or search, and for each its place among the real test rows of the tensors."""
        segments = False
        if tensors := self._folders("tensor.encode", because, "tensors"):
            described = json_object(tensors[0] / "tensors.json")
            seed, segments = described["seed"], "segments" in described
            because = json_object(tensors[0] / MANIFEST)["because"]
        else:  # a search takes tokens, and names the seed by which tensors of them are ordered
            seed = because["params"]["order"]
        tokens = self._folders("text.tokenize", because, "test")
        which = (*map(str, tokens), str(seed), str(segments))
        if which not in self._rows:
            files = [_test_files(folder) for folder in tokens]
            table, order = _placed(files if segments else [sum(files, [])], seed)
            self._rows[which] = self._same(_test_rows(table)), order
        return self._rows[which]

    def _folders(self, op: str, because: Mapping[str, Any], role: str) -> list[Place]:
        """The outputs that a step took in a role."""
        return [self.store.folder(op, take[3]) for take in because["takes"] if take[0] == role]


def tensor_order(seed: int, text: Sequence[str], label: Sequence[str], id: Sequence[str]) -> np.ndarray:
    """The place of each row among its part's in the tensors: tensor.encode orders by Spark's xxhash64 of all this."""
    import xxhash

    start = xxhash.xxh64_intdigest(
        seed.to_bytes(4 if -(1 << 31) <= seed < 1 << 31 else 8, "little", signed=True), _SPARK_SEED
    )

    def key(*values: str) -> int:
        found = start
        for value in values:
            found = xxhash.xxh64_intdigest(value.encode(), found)
        return found

    keys = np.fromiter(map(key, text, label, id), dtype=np.uint64, count=len(text)).astype(np.int64)
    places = np.empty(len(keys), dtype=np.int64)
    places[np.argsort(keys, kind="stable")] = np.arange(len(keys))
    return places


def _placed(segments: Sequence[Sequence[Place]], seed: int) -> tuple[pa.Table, np.ndarray]:
    """The rows of all files by id, text and label, and the place of each in tensors that have these segments."""
    tables = [_read(files, _IDENTITY) for files in segments if files]
    if not tables:
        raise FileNotFoundError("no test rows")
    starts = np.cumsum([0, *map(len, tables[:-1])])
    columns = ([table[name].to_pylist() for name in ("text", "label", "id")] for table in tables)
    places = [start + tensor_order(seed, *of_table) for start, of_table in zip(starts, columns, strict=True)]
    together = pa.concat_tables(tables)
    order = _by_identity(together)
    return together.take(order), np.concatenate(places)[order]


def _read(files: Sequence[Place], columns: Sequence[str]) -> pa.Table:
    """The rows of Parquet files, ordered by id, text and label; FileNotFoundError where there is no file."""
    if not files:
        raise FileNotFoundError("no predictions")
    tables = []
    for file in files:
        with file.open("rb") as stream:  # threads that read Python's files can abort the process at its end (arrow#34314)
            tables.append(pq.ParquetFile(stream).read(columns=list(columns), use_threads=False))
    table = pa.concat_tables(tables)
    return table.take(_by_identity(table))


def _by_identity(table: pa.Table) -> pa.Array:
    """The numbers of its rows ordered by id, text and label."""
    return pc.sort_indices(table, [(name, "ascending") for name in _IDENTITY])


def _test_rows(table: pa.Table) -> TestRows:
    return TestRows(*(table[name].combine_chunks() for name in _IDENTITY))


def _test_files(tokens: Place) -> list[Place]:
    described = json_object(tokens / MANIFEST)["parts"]["test"]
    return [tokens / name for name in described["files"]]
