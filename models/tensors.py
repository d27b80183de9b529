"""Reads the output of tensor.encode: columnar, one shard in memory at a time, each rank its own shards."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from textmill.errors import InputError
from textmill.places import Place, arrow
from textmill.stored import Kind

_AGAIN = "encode the tensors again"
DESCRIBED: Kind[dict[str, Any]] = Kind(dict[str, Any], _AGAIN)
LABELS: Kind[list[str]] = Kind(list[str], _AGAIN)
COLUMNS = ("ids", "label", "weight")


@dataclass(frozen=True)
class Shard:
    """Rows of one shard: ids int32 [rows, length], label int32 [rows], weight float32 [rows]."""

    ids: np.ndarray
    label: np.ndarray
    weight: np.ndarray

    def take(self, rows: np.ndarray) -> Shard:
        """The rows with these numbers, in this order."""
        return Shard(self.ids[rows], self.label[rows], self.weight[rows])


@dataclass(frozen=True)
class Tensors:
    """A folder of tensors and its description; raises InputError where the folder does not fit it."""

    folder: Place
    kind: ClassVar[str] = "parquet"

    @cached_property
    def described(self) -> dict[str, Any]:
        """tensors.json."""
        file = self.folder / "tensors.json"
        try:
            return DESCRIBED.read(file)
        except FileNotFoundError:
            raise InputError(f"{file} is missing: the folder is no output of tensor.encode") from None

    @cached_property
    def labels(self) -> list[str]:
        """Label names; the index is the label's number."""
        return LABELS.read(self.folder / "labels.json")

    @property
    def length(self) -> int:
        """Ids per row."""
        return int(self.described["length"])

    @property
    def vocabulary(self) -> int:
        """Number of ids, padding and unknown included."""
        return int(self.described["vocabulary"]["size"])

    def problems(self, ranks: int = 1) -> list[str]:
        """What does not fit, before anything expensive starts: shards missing or unequal, ranks that don't divide."""
        wanted = {"length", "vocabulary", "shards", "parts"}
        if absent := sorted(wanted - self.described.keys()):
            return [f"{self.folder / 'tensors.json'} lacks {', '.join(absent)}: encode the tensors again"]
        found = []
        shards = self.described["shards"]
        if shards % ranks:
            fitting = [count for count in range(1, shards + 1) if shards % count == 0]
            found.append(
                f"{ranks} ranks can't share {shards} shards equally: use {fitting}, or encode with other shards"
            )
        for part, described in self.described["parts"].items():
            if described["rows"] != described["rows_per_shard"] * shards:
                found.append(
                    f"{self.folder / 'tensors.json'} tells of {described['rows']} rows of {part}, which are not {shards} "
                    f"shards of {described['rows_per_shard']}: encode the tensors again"
                )
            found += self._problems_of(part, self._per_file(part))
        return found

    def _per_file(self, part: str) -> list[int]:
        """The rows of each file of a part: a shard has one file, or one of each segment that has the part."""
        of_segments = self.described.get("segments") or [self.described["parts"]]
        shards = range(self.described["shards"])
        return [segment[part]["rows_per_shard"] for segment in of_segments if part in segment for _ in shards]

    def _problems_of(self, part: str, per_file: Sequence[int]) -> Iterator[str]:
        files = self.files(part)
        if len(files) != len(per_file):
            yield f"{self.folder / part} holds {len(files)} shards instead of {len(per_file)}"
        yield from filter(None, map(self._problem_of, files, per_file))

    def _problem_of(self, file: Place, per_shard: int) -> str | None:
        """What does not fit of one shard."""
        try:
            with file.open("rb") as stream:
                rows, ids = _counts(pq.read_metadata(stream))
        except pa.ArrowException as error:
            return f"{file} is no Parquet file: {error}"
        if rows != per_shard:
            return f"{file} has {rows} rows instead of {per_shard}: ranks would take unequal steps"
        fits = ids == rows * self.length
        return None if fits else f"{file} has {ids} ids in {rows} rows, {self.length} each are described"

    def files(self, part: str) -> list[Place]:
        """The shards of a part, in order; segment after segment where they are in segments."""
        return sorted((self.folder / part).glob(f"*.{self.kind}"))

    def rows(self, part: str, ranks: int = 1) -> int:
        """Rows of a part that one rank reads, padding included; 0 where there is no such part."""
        described = self.described["parts"].get(part)
        return described["rows"] // ranks if described else 0

    def steps(self, part: str, batch: int) -> int:
        """Steps of an epoch with `batch` rows over all ranks; the last step may have fewer. Every rank takes as many."""
        return -(-self.rows(part) // batch)

    def shards(self, part: str, rank: int = 0, ranks: int = 1) -> list[Place]:
        """The shards of one rank."""
        return self.files(part)[rank::ranks]

    def read(self, file: Place) -> Shard:
        """The rows of one shard; raises InputError where ids don't have the described length."""
        path, system = arrow(file)
        local = system is None  # threads that read through Python can abort the process at its end (arrow#34314)
        table = pq.read_table(path, columns=list(COLUMNS), memory_map=local, use_threads=local, filesystem=system)
        return self.shard(table, file)

    def stream(self, files: Sequence[Place], epoch: int) -> Iterator[Shard]:
        """These shards, one after the other, as `epoch` wants them."""
        return (self.read(file) for file in files)

    def shard(self, table: pa.Table, file: Place) -> Shard:
        """The rows of a table that `file` holds; raises InputError where ids don't have the described length."""
        values = pa.concat_arrays([chunk.flatten() for chunk in table["ids"].chunks]).to_numpy()
        if len(values) != table.num_rows * self.length:
            raise InputError(f"{file}: {len(values)} ids in {table.num_rows} rows, {self.length} each are described")
        columns = [table[name].to_numpy() for name in ("label", "weight")]
        return Shard(values.reshape(table.num_rows, self.length), *columns)


def _counts(described: pq.FileMetaData) -> tuple[int, int]:
    """Rows and ids of a shard, by its footer alone."""
    groups = [described.row_group(number) for number in range(described.num_row_groups)]
    columns = (group.column(number) for group in groups for number in range(group.num_columns))
    return described.num_rows, sum(each.num_values for each in columns if each.path_in_schema.startswith("ids."))


def opened(folder: Place) -> Tensors:
    """The tensors in a folder, as Parquet or as TFRecords; raises InputError where it has no tensors.json."""
    found = Tensors(folder)
    if found.described.get("format") == "tfrecord":
        from models.tfrecords import Records

        return Records(folder)
    return found


def batches(tensors: Tensors, part: str, batch: int, rank: int = 0, ranks: int = 1) -> Iterator[Shard]:
    """A rank's rows of every step, `batch` over all ranks, in the order of the shards."""
    shards = (tensors.read(file) for file in tensors.shards(part, rank, ranks))
    return _cut(shards, _quotas(tensors.rows(part, ranks), batch, rank, ranks))


def shuffled(
    tensors: Tensors, part: str, batch: int, seed: int, epoch: int, rank: int = 0, ranks: int = 1
) -> Iterator[Shard]:
    """Batches of one epoch: shards in an order of (seed, epoch), the rows of each shard too.

    Rows are in random order over all shards (of a segment) already, so shuffling inside shards is enough.
    """
    files, generator = in_order(tensors.shards(part, rank, ranks), seed, epoch, rank)
    mixed = (shard.take(generator.permutation(len(shard.label))) for shard in tensors.stream(files, epoch))
    return _cut(mixed, _quotas(tensors.rows(part, ranks), batch, rank, ranks))


def in_order(files: Sequence[Place], seed: int, epoch: int, rank: int) -> tuple[list[Place], np.random.Generator]:
    """A rank's shards in the order of an epoch, and the generator that shuffles their rows next."""
    generator = np.random.Generator(np.random.PCG64([seed, epoch, rank]))
    return [files[number] for number in generator.permutation(len(files))], generator


def _quotas(rows: int, batch: int, rank: int, ranks: int) -> Iterator[int]:
    """Rows a rank takes in each step, out of `rows` of its own.

    Rank r has taken ⌊(s · batch + r) / ranks⌋ after step s, which over all ranks sums to s · batch (Hermite's
    identity): every step but the last has exactly `batch` rows, whether or not `ranks` divides it, and all ranks end
    with the same step. A rank's share of a step may be 0.
    """
    taken = 0
    for step in range(1, -(-rows * ranks // batch) + 1):
        until = min(rows, (step * batch + rank) // ranks)
        yield until - taken
        taken = until


def _cut(shards: Iterator[Shard], sizes: Iterator[int]) -> Iterator[Shard]:
    left, start = next(shards, None), 0
    if left is None:
        return
    for size in sizes:
        while len(left.label) - start < size:
            left, start = _join(left.take(np.arange(start, len(left.label))), next(shards)), 0
        yield left.take(np.arange(start, start + size))
        start += size


def _join(first: Shard, second: Shard) -> Shard:
    pairs = (first.ids, second.ids), (first.label, second.label), (first.weight, second.weight)
    return Shard(*[np.concatenate(pair) for pair in pairs])
