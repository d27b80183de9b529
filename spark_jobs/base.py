"""What an operation is: its parameters, what it takes and gives, and the work it does on Spark."""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from textmill import places
from textmill.params import Params
from textmill.places import Place

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

DROPPED = "dropped"
"""The part of every row operation that holds the rows set aside, each with its `reason`."""
EARLIER = "earlier."
"""Roles that start so are parts (`earlier.train`) of what the same step gave for earlier dates."""
KEY = "_key"
"""A column of an output by which the same step compares later dates with it: eight bytes instead of a text. Other steps
are not given it, for they may change what it was made of."""
WARNINGS = "warnings"
"""The statistic of an output that holds what a person should look at."""
SET = "set."
"""Roles that start so are test rows that an evaluation measures by themselves too."""


@dataclass(frozen=True)
class Entity:
    """A dictionary: distinct surface forms, their weights if any, and whether its spans are emitted."""

    name: str
    values: tuple[str, ...]
    weights: tuple[float, ...] | None = None
    span: bool = True


@dataclass(frozen=True)
class Resources:
    """What an operation needs beside its rows: compiled from parameters and dictionaries before Spark starts."""

    data: Mapping[str, Any] = field(default_factory=dict)
    digests: Mapping[str, str] = field(default_factory=dict)
    """A digest of each named thing (`templates`, `entity PRODUCT`): part of the step's key."""
    notes: tuple[str, ...] = ()
    """What `check` says of them though it is no problem."""


@dataclass(frozen=True)
class Rows:
    """The rows of one part of a finished step, in the role (`rows`, `train`, `test` …) they play for the next."""

    role: str
    folder: Place
    files: tuple[str, ...]
    schema: Mapping[str, Any]
    rows: int
    size: int
    """Bytes of the files together."""
    more: tuple[tuple[Place, tuple[str, ...]], ...] = ()
    """Files in other folders, of the same schema."""

    @property
    def located(self) -> tuple[tuple[Place, tuple[str, ...]], ...]:
        """Folders and the names of files in them."""
        return (self.folder, self.files), *self.more

    def read(self, spark: SparkSession) -> DataFrame:
        """The rows without the column that says why a row was set aside."""
        from pyspark.sql.types import StructType

        beside = ("reason",) if self.role.startswith(EARLIER) else ("reason", KEY)
        schema = StructType.fromJson(dict(self.schema))
        files = [places.spark_pattern(places.spark_uri(folder / name)) for folder, names in self.located for name in names]
        rows = spark.read.schema(schema).parquet(*files) if files else spark.createDataFrame([], schema)
        return rows.drop(*beside)


@dataclass(frozen=True)
class InputFiles:
    """The files of one input of the definition and how their records are to be read."""

    name: str
    role: str
    files: tuple[Place, ...]
    reading: Mapping[str, Any]
    """format, text, label, id, delimiter, header, max_record_bytes, sample, seed; quote and encoding where given."""
    may_be_empty: bool = False
    """Whether it is no error that they hold no record."""

    @cached_property
    def size(self) -> int:
        """Bytes of the files together, as stored."""
        return sum(said.size for said in places.infos(self.files).values())


@dataclass(frozen=True)
class Folder:
    """The whole output of a finished step, for an operation that reads files of it other than rows."""

    role: str
    path: Place
    size: int = 0


Source = Rows | InputFiles | Folder


@dataclass(frozen=True)
class Sibling:
    """An output of the same operation and code with the same parameters, of whatever sources and resources."""

    folder: Place
    parts: Mapping[str, Any]
    checksums: Mapping[str, str]
    """SHA-256 of its files by name."""


def _no_siblings() -> Iterable[Sibling]:
    return ()


@dataclass(frozen=True)
class Work:
    """One operation to be carried out into the empty folder `out`."""

    spark: SparkSession
    out: Place
    params: Any
    sources: tuple[Source, ...]
    resources: Resources = Resources()
    siblings: Callable[[], Iterable[Sibling]] = _no_siblings
    """What there is already, the newest first: parts of it may be parts of this output."""

    def role(self, role: str) -> DataFrame:
        """All rows that play `role`, the sources in the order of `from`."""
        return union([source.read(self.spark) for source in joined(self.rows(role))])

    def rows(self, role: str) -> list[Rows]:
        """The sources of rows that play `role`."""
        return [source for source in self.sources if isinstance(source, Rows) and source.role == role]

    def folder(self, role: str) -> Place:
        """The output folder that plays `role`."""
        return next(source.path for source in self.sources if isinstance(source, Folder) and source.role == role)


@dataclass(frozen=True)
class Written:
    """What an operation wrote: the files and schema of each part, and the statistics of the pass."""

    parts: Mapping[str, Any] = field(default_factory=dict)
    stats: Mapping[str, Any] = field(default_factory=dict)
    checksums: Mapping[str, str] = field(default_factory=dict)
    """SHA-256 of files by name, where they are known without reading the files again."""

    def warned(self, warnings: Sequence[str]) -> Written:
        """The same with what a person should look at: shown with the step whenever it is made or reused."""
        return replace(self, stats={**self.stats, WARNINGS: list(warnings)}) if warnings else self


@dataclass(frozen=True)
class Prepared:
    """A step that comes before another, on the same rows: its one part is given to that step in the role `name`."""

    name: str
    op: str
    params: Params


class Operation(ABC):
    """A step of a definition. Subclasses are stateless; parameters come with the work."""

    name: ClassVar[str]
    version: ClassVar[int]
    """Raised whenever the same parameters and inputs give another output; part of every key."""
    Params: ClassVar[type[Params]]
    example: ClassVar[str] = ""
    """A step that does it, as a definition may write it; empty for what no step names."""
    takes: ClassVar[Literal["inputs", "rows", "parts", "tokens", "tensors"]]
    """inputs of the definition; rows of steps; rows of steps each in a role; a whole tokenized step; a tensor.encode
    step's folder, and the train rows it was made from."""
    train_only: ClassVar[bool] = False
    """Whether rows that are held out must not come in: what makes rows of rows would carry them into train."""
    path_params: ClassVar[tuple[str, ...]] = ()
    """Parameters that are paths: resolved by the definition, left out of the key (their content is in it)."""
    beside: ClassVar[Mapping[str, str]] = {}
    """Parameters that may be a mapping with `from:`, by the operation of the step it names. The step's folder comes in
    the parameter's role, and the folder of the tensors that step is made of as PARAMETER.tensors."""

    def by_date(self, params: Any) -> Literal["alone", "earlier"] | None:
        """Whether dated rows can be worked on date by date: each alone, or beside what the step gave for earlier dates.

        None: it has to see all rows together.
        """
        return None

    @abstractmethod
    def outputs(self, params: Any) -> tuple[str, ...]:
        """The parts it writes, `dropped` not counted."""

    def prepared(self, params: Any) -> Prepared | None:
        """What is worked out in a step of its own before, because it is reused where this step's parameters change."""
        return None

    def resources(self, params: Any, entities: Mapping[str, Entity]) -> Resources:
        """Compile what the work needs; raises DefinitionError with all that is wrong. No Spark here."""
        return Resources()

    def partitions(self, work: Work) -> int:
        """Partitions of its shuffles: by the size of the data alone, so that outputs don't depend on the cores.

        Earlier dates are looked at beside, and do not make a day's output into more files.
        """
        own = sum(source.size for source in work.sources if not source.role.startswith(EARLIER))
        return max(4, min(4000, own // (8 << 20)))

    def run(self, work: Work) -> Written:
        """Carry the work out; raises InputError for data that can't be worked on."""
        key = "spark.sql.shuffle.partitions"
        before = work.spark.conf.get(key)
        work.spark.conf.set(key, str(self.partitions(work)))
        try:
            return self._run(work)
        finally:
            work.spark.conf.set(key, str(before))

    @abstractmethod
    def _run(self, work: Work) -> Written:
        """What an operation does."""


def joined(sources: Sequence[Rows]) -> list[Rows]:
    """The sources with those that follow each other and have one schema as one: Spark plans a source of many files
    sooner than many sources."""
    found: list[Rows] = []
    for source in sources:
        if found and found[-1].schema == source.schema:
            last = found.pop()
            rows, size = last.rows + source.rows, last.size + source.size
            found.append(replace(last, rows=rows, size=size, more=(*last.more, *source.located)))
        else:
            found.append(source)
    return found


def union(frames: Sequence[DataFrame]) -> DataFrame:
    """Rows of all frames; columns that one of them lacks are null there."""
    first, *others = frames
    for other in others:
        first = first.unionByName(other, allowMissingColumns=True)
    return first


def digest(value: Any) -> str:
    """SHA-256 of the canonical JSON of `value`."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
