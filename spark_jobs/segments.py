"""Tensors in segments, one for each date: a new date costs its own rows, those of earlier dates are copied.

A segment is what one source of tokens gives. Its bytes depend on that source, the vocabulary, the labels and the
parameters alone, so that a copy is what encoding it again would give. Each has the same number of rows in every shard,
so ranks that divide the shards of each take equal steps.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from spark_jobs.base import Rows, Sibling, Source, Written, joined, union
from spark_jobs.output import write_json
from spark_jobs.shards import group, lookup, named, prefix, ungrouped
from textmill import places, transfer
from textmill.places import Place

VOCABULARY = "vocabulary.tsv"
FILE = "segments.json"
"""For each source of tokens the statistics of its segment, by part."""
_FOLDER = "/([^/]+)/[^/]+/[^/]+$"
_OTHERS = "…"


@dataclass(frozen=True)
class Segment:
    """A segment of an output that is there."""

    sibling: Sibling
    number: int
    stats: Mapping[str, Any]
    """By part."""

    @property
    def labels(self) -> dict[str, set[str]]:
        """The labels of each part."""
        return {part: set(counted["labels"]) for part, counted in self.stats.items()}

    def fits(self, vocabulary: str, labels: Sequence[str]) -> bool:
        """Whether its ids are those of the vocabulary with this SHA-256, its numbers those of the labels."""
        if self.sibling.checksums.get(VOCABULARY) != vocabulary:
            return False
        return _told(self.sibling, "labels.json") == list(labels)

    def copy(self, out: Place, number: int) -> Written | None:
        """Its shards as segment `number` of `out`; None where they are missing or damaged."""
        of_part = {part: self._moves(part, number) for part in self.stats}
        moves = {to: name for found in of_part.values() for to, name in found.items()}
        for part in of_part:
            (out / part).mkdir(parents=True, exist_ok=True)
        copied = list(places.in_threads(lambda to: self._copied(moves[to], out / to), moves))
        if not all(copied):
            for to in moves:
                (out / to).unlink(missing_ok=True)
            return None
        parts = {part: {**self.sibling.parts[part], "rows": self.stats[part]["rows"], "files": list(found)}
                 for part, found in of_part.items()}  # fmt: skip
        sums = {to: self.sibling.checksums[name] for to, name in moves.items()}
        return Written(parts, {"parts": self.stats, "reasons": {}}, sums)

    def _moves(self, part: str, number: int) -> dict[str, str]:
        """The new names of a part's shards, and those they have."""
        names = [name for name in self.sibling.parts[part]["files"] if name.startswith(prefix(self.number, part))]
        return {f"{named(group(number, part), shard)}.parquet": name for shard, name in enumerate(names)}

    def _copied(self, name: str, to: Place) -> bool:
        try:
            transfer.copy(self.sibling.folder / name, to)
        except OSError:
            return False
        return places.checksum(to) == self.sibling.checksums[name]


Sources = Mapping[str, Mapping[str, Sequence[Rows]]]
"""Rows that are there, by the folder they come from, in the order of `from`, and by part."""
Pieces = dict[int, Written]
"""What was written, by the number of the segment."""


def sources(given: Iterable[Source]) -> Sources:
    """The rows of each source, those parts alone that have any."""
    found: dict[str, dict[str, list[Rows]]] = {}
    for rows in (one for one in given if isinstance(one, Rows)):
        of_source = found.setdefault(rows.folder.name, {})
        if rows.rows:
            of_source.setdefault(rows.role, []).append(rows)
    return found


def known(siblings: Iterable[Sibling]) -> dict[str, list[Segment]]:
    """The segments that there are, by their sources."""
    found: dict[str, list[Segment]] = {}
    for sibling in siblings:
        for number, (source, stats) in enumerate((_told(sibling, FILE) or {}).items()):
            if not any(_OTHERS in counted["labels"] for counted in stats.values()):
                found.setdefault(source, []).append(Segment(sibling, number, stats))
    return found


def copied(given: Sources, there: Mapping[str, Sequence[Segment]], labels: Sequence[str], out: Place) -> Pieces:
    """Copy into `out` what there is with the ids of its vocabulary and the numbers of these labels."""
    found, vocabulary = {}, places.checksum(out / VOCABULARY)
    for number, source in enumerate(given):
        fitting = (segment for segment in there.get(source, ()) if segment.fits(vocabulary, labels))
        if (written := next(filter(None, (segment.copy(out, number) for segment in fitting)), None)) is not None:
            found[number] = written
    return found


def read(spark: SparkSession, given: Sources, numbers: Sequence[int]) -> DataFrame:
    """The rows of these segments, the column `group` says which and which part.

    All files of a part are one source for Spark, for it plans many sources slowly.
    """
    names = list(given)
    number = lookup({names[one]: f"{one:05d}-" for one in numbers})[F.regexp_extract("_metadata.file_path", _FOLDER, 1)]
    by_part: dict[str, list[Rows]] = {}
    for one in numbers:
        for part, rows in given[names[one]].items():
            by_part.setdefault(part, []).extend(rows)
    return union([rows.read(spark).withColumn("group", F.concat(number, F.lit(part)))
                  for part, found in by_part.items() for rows in joined(found)])  # fmt: skip


def pieces(written: Written, numbers: Sequence[int]) -> Pieces:
    """What was written of several segments, by segment."""
    found: Pieces = {}
    for number in numbers:
        counted = {ungrouped(name)[1]: stats for name, stats in written.stats["parts"].items()
                   if ungrouped(name)[0] == number}  # fmt: skip
        parts = {}
        for part, stats in counted.items():
            files = [name for name in written.parts[part]["files"] if name.startswith(prefix(number, part))]
            parts[part] = {**written.parts[part], "rows": stats["rows"], "files": files}
        sums = {name: written.checksums[name] for part in parts.values() for name in part["files"]}
        found[number] = Written(parts, {"parts": counted, "reasons": {}}, sums)
    return found


def together(found: Pieces) -> Written:
    """All segments as one output."""
    parts: dict[str, Any] = {}
    stats: dict[str, Any] = {}
    for _, piece in sorted(found.items()):
        for part, described in piece.parts.items():
            had = parts.setdefault(part, {**described, "rows": 0, "files": []})
            parts[part] = {**had, "rows": had["rows"] + described["rows"], "files": had["files"] + described["files"]}
            counted = piece.stats["parts"][part]
            stats[part] = _sum(stats[part], counted) if part in stats else counted
    sums = {name: digest for piece in found.values() for name, digest in piece.checksums.items()}
    return Written(parts, {"parts": stats, "reasons": {}}, sums)


def write(out: Place, given: Sources, found: Pieces) -> None:
    """Write segments.json."""
    write_json(out / FILE, {source: found[number].stats["parts"] for number, source in enumerate(given)})


def _sum(first: Any, second: Any) -> Any:
    """Two parts' statistics as one: tensors have no texts, so all of it are counts, and one maximum."""
    if not isinstance(first, Mapping):
        return [*first, *second] if isinstance(first, list) else first + second
    summed = {name: _sum(first[name], second[name]) if name in first and name in second else first.get(name, second.get(name))
              for name in {**first, **second}}  # fmt: skip
    return {**summed, "max": max(first["max"], second["max"])} if "max" in first else summed


def _told(sibling: Sibling, name: str) -> Any:
    """What a JSON file of an output says; None where it is damaged, or house-keeping has removed it meanwhile."""
    try:
        content = (sibling.folder / name).read_bytes()
    except OSError:
        return None
    return json.loads(content) if hashlib.sha256(content).hexdigest() == sibling.checksums.get(name) else None
