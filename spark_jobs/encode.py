"""tensor.encode: tokens to fixed-length ids in equal shards, with a vocabulary fitted on the train part alone."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Literal

import pyarrow.parquet as pq
from pydantic import Field
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from spark_jobs import jvm, segments
from spark_jobs.base import Operation, Work, Written, joined, union
from spark_jobs.cuts import Cuts, cut_points, place
from spark_jobs.embeddings.vocabulary import tokens as tokens_in
from spark_jobs.output import Naming, numbered, write_json, write_parts
from spark_jobs.shards import Part, in_shards, lookup, named, padding, summary
from spark_jobs.tokenize import PARTS
from textmill import places
from textmill.errors import InputError
from textmill.ids import FIRST_TOKEN, PAD, UNKNOWN
from textmill.params import Params as BaseParams
from textmill.places import Place
from textmill.transfer import copy


class Vocabulary(BaseParams):
    """Which tokens get an id of their own."""

    rule: Literal["refit", "fixed", "extend"] = Field(
        "refit", description="Fitted anew, that of the last promoted version, or that one and new tokens after it."
    )
    max: int = Field(50_000, ge=1, description="At most so many tokens, the most frequent first.")
    min_count: int = Field(2, ge=1, description="Rarer tokens are unknown.")
    unknown_buckets: int = Field(
        0, ge=0, description="Ids that unknown tokens share by their hash; 0: all of them have the id 1."
    )
    fit_on: Literal["train"] = Field("train", description="The vocabulary never sees valid or test.")


class Params(BaseParams):
    """Shape and division of the tensors."""

    vocabulary: Vocabulary = Vocabulary()
    length: int = Field(32, ge=1, description="Tokens per row; longer rows are cut, shorter ones padded with 0.")
    truncate: Literal["end", "start"] = Field("end", description="Where a row that is too long loses tokens.")
    shards: int = Field(8, ge=1, description="Shards per part; the ranks of a training divide them.")
    remainder: Literal["pad", "drop"] = Field(
        "pad", description="Train rows that don't fill all shards equally: padded with weight 0, or left out."
    )
    seed: int = Field(7, description="The order of the rows; the definition's seed by default.")


class Encode(Operation):
    """Writes shards, vocabulary.tsv, labels.json and tensors.json.

    Where the vocabulary is to stay the tensors are in segments, one for each source of tokens.
    """

    name = "tensor.encode"
    version = 3
    Params = Params
    example = "tensors: {do: tensor.encode, from: tokens, vocabulary: {max: 50000, min_count: 3}, length: 24}"
    takes = "tokens"

    def outputs(self, params: Params) -> tuple[str, ...]:
        """The same parts as it takes."""
        return PARTS

    def _run(self, work: Work) -> Written:
        """Raises InputError where train is empty, a row has no label, or another part has a label train lacks."""
        if not _count(work, "train"):
            raise InputError("no row in the train part: nothing to fit a vocabulary on")
        return _in_segments(work) if work.params.vocabulary.rule == "fixed" else _whole(work)


def _whole(work: Work) -> Written:
    """All rows in one order, whatever source they come from."""
    shards, remainder = work.params.shards, work.params.remainder
    parts = [Part(part, count, shards, remainder) for part in PARTS if (count := _count(work, part))]
    rows = {part.name: work.role(part.name) for part in parts}
    labels = _checked(_labels(rows))
    _write_vocabulary(work)
    grouped = union([frame.withColumn("group", F.lit(part)) for part, frame in rows.items()])
    written = _written(work, grouped, parts, labels)
    _write_tensors(work, {part.name: [part] for part in parts}, labels)
    return written


def _in_segments(work: Work) -> Written:
    """The rows of each source by themselves. Segments that an earlier output has are copied from it."""
    sources, there = segments.sources(work.sources), segments.known(work.siblings())
    labels = _checked(_labels_of(work.spark, sources, there))
    _write_vocabulary(work)
    pieces = segments.copied(sources, there, labels, work.out)
    parts = _parts_of(sources, work.params)
    if new := [number for number in range(len(sources)) if number not in pieces]:
        rows = segments.read(work.spark, sources, new)
        written = _written(work, rows, [part for number in new for part in parts[number]], labels, named)
        pieces |= segments.pieces(written, new)
    segments.write(work.out, sources, pieces)
    by_name = {name: [part for of in parts for part in of if part.name == name] for name in PARTS}
    _write_tensors(work, {name: found for name, found in by_name.items() if found}, labels, len(sources))
    return segments.together(pieces)


def _parts_of(sources: segments.Sources, params: Params) -> list[list[Part]]:
    """What each segment has of each part."""
    return [
        [Part(name, sum(one.rows for one in of[name]), params.shards, params.remainder, number) for name in of]
        for number, of in enumerate(sources.values())
    ]


def _labels_of(
    spark: SparkSession, sources: segments.Sources, there: Mapping[str, list[segments.Segment]]
) -> dict[str, set[str]]:
    """The labels of each part; rows are looked through only where no earlier output tells."""
    told = [there[source][0].labels for source in sources if source in there]
    rows = {part: [one for source, of in sources.items() if source not in there for one in of.get(part, ())]
            for part in PARTS}  # fmt: skip
    told.append(_labels({part: union([one.read(spark) for one in joined(of)]) for part, of in rows.items() if of}))
    return {part: set().union(*(of.get(part, set()) for of in told)) for part in PARTS}


def _written(
    work: Work, rows: DataFrame, parts: Sequence[Part], labels: Sequence[str], naming: Naming = numbered
) -> Written:
    """Write the rows, whose column `group` names one of the parts."""
    written = write_parts(
        shard(work, rows, parts, labels), work.out, F.col("tokens"), F.col("name"), F.col("unknown"),
        leave_out=("tokens", "unknown", "name"), naming=naming,
    )  # fmt: skip
    _check_equal(work.out, parts, naming)
    return written


def _write_vocabulary(work: Work) -> None:
    """Lines of token<TAB>count in train, in the order of the ids; a fixed one is the very file of the last version."""
    file, last = work.out / segments.VOCABULARY, work.resources.data.get("last")
    if last is not None and work.params.vocabulary.rule == "fixed":
        copy(places.place(last) / segments.VOCABULARY, file)
        return
    train = work.role("train")
    tokens = _extended(train, work.params.vocabulary, last) if last else fit_vocabulary(train, work.params.vocabulary)
    file.write_bytes("".join(f"{token}\t{count}\n" for token, count in tokens).encode())


def _extended(train: DataFrame, params: Vocabulary, last: str) -> list[tuple[str, int]]:
    """The tokens of the last version, and new ones after them."""
    known = tokens_in(places.place(last) / segments.VOCABULARY)
    had, room = set(known), max(0, params.max - len(known))
    new = [pair for pair in fit_vocabulary(train, params) if pair[0] not in had][:room]
    return list(zip(known, _counts(train, known), strict=True)) + new


def _counts(train: DataFrame, tokens: Sequence[str]) -> list[int]:
    """How often each token occurs in train, 0 where it does not."""
    wanted = train.sparkSession.createDataFrame([(token,) for token in tokens], "token string")
    seen = train.select(F.explode("tokens").alias("token")).join(F.broadcast(wanted), "token").groupBy("token").count()
    found = dict(seen.toPandas().itertuples(index=False, name=None))
    return [int(found.get(token, 0)) for token in tokens]


def fit_vocabulary(train: DataFrame, params: Vocabulary) -> list[tuple[str, int]]:
    """(token, count), the most frequent first, ties in the order of their code points."""
    counts = train.select(F.explode("tokens").alias("token")).groupBy("token").count()
    kept = counts.where(F.col("count") >= params.min_count).orderBy(F.desc("count"), "token").limit(params.max)
    found = kept.toPandas()
    return list(zip(found["token"].tolist(), found["count"].tolist(), strict=True))


def shard(work: Work, rows: DataFrame, parts: Sequence[Part], labels: Sequence[str]) -> DataFrame:
    """All groups' rows as tensors, one Spark partition per shard, each in the order of a seeded hash.

    Columns part, ids, length, label, weight, and for the statistics tokens, unknown, name.
    """
    keyed = rows.withColumn("key", order_key(work.params.seed))
    placed = place(keyed, _shard_cuts(keyed, parts)).where(F.col("place") < work.params.shards)
    tensors = union([_encoded(work, placed, labels), padding(work.spark, parts, work.params.length)])
    ordered = in_shards(tensors, parts).sortWithinPartitions(F.col("weight").desc(), "key", "ids", "label")
    return ordered.withColumnRenamed("group", "part").drop("key", "place")


def order_key(seed: int) -> Column:
    """The key by which the rows of a part are sorted over all of its shards."""
    return F.xxhash64(F.lit(seed), "text", "label", "id")


def _shard_cuts(keyed: DataFrame, parts: Sequence[Part]) -> Cuts:
    by_group = {part.group: part for part in parts}

    def ranks(group: str, rows: int) -> list[int]:
        part = by_group[group]
        return [min(rows, part.per_shard * number) for number in range(1, part.shards + part.drops)]

    return cut_points(keyed, ranks, sum(part.rows for part in parts))


def _encoded(work: Work, placed: DataFrame, labels: Sequence[str]) -> DataFrame:
    vocabulary = {"vocabulary_file": places.spark_uri(work.out / "vocabulary.tsv")}
    buckets = {"oov_buckets": work.params.vocabulary.unknown_buckets}
    settings = {**vocabulary, **buckets, "length": work.params.length, "truncate": work.params.truncate}
    encoded = jvm.function(work.spark, "encode", settings)(F.col("tokens"))
    number = lookup({label: index for index, label in enumerate(labels)})[F.col("label")]
    return placed.withColumn("_e", encoded).select(
        "group",
        "place",
        "key",
        F.col("_e.ids").alias("ids"),
        F.col("_e.length").alias("length"),
        number.cast("int").alias("label"),
        F.lit(1.0).cast("float").alias("weight"),
        F.size("tokens").alias("tokens"),
        F.col("_e.unknown").alias("unknown"),
        F.col("label").alias("name"),
    )


def _count(work: Work, part: str) -> int:
    return sum(source.rows for source in work.rows(part))


def _labels(rows: Mapping[str, DataFrame]) -> dict[str, set[str]]:
    """The labels of each part, of all parts in one pass."""
    found: dict[str, set[str]] = {part: set() for part in rows}
    if rows:
        pairs = union([frame.select(F.lit(part).alias("part"), "label") for part, frame in rows.items()])
        for part, label in pairs.distinct().collect():
            found[part].add(label)
    return found


def _checked(labels: Mapping[str, set[str]]) -> list[str]:
    """The labels in the order of their numbers."""
    for part, found in labels.items():
        if None in found:
            raise InputError(f"the {part} part has rows without a label: give the input a label column")
        if unseen := found - labels["train"]:
            named = ", ".join(sorted(unseen)[:10])
            raise InputError(f"the {part} part has {len(unseen)} labels that train lacks: {named}")
    return sorted(labels["train"])


def _write_tensors(work: Work, parts: Mapping[str, Sequence[Part]], labels: Sequence[str], number: int = 0) -> None:
    """labels.json and tensors.json; `number` is that of the segments, 0 where there are none."""
    write_json(work.out / "labels.json", labels)
    vocabulary = (work.out / "vocabulary.tsv").read_bytes()
    buckets, size = work.params.vocabulary.unknown_buckets, vocabulary.count(b"\n") + FIRST_TOKEN
    described = {
        "length": work.params.length,
        "pad_id": PAD,
        "unknown_id": UNKNOWN,
        "vocabulary": {
            "size": size + buckets, "unknown_buckets": buckets, "sha256": hashlib.sha256(vocabulary).hexdigest(),
        },
        "labels": len(labels),
        "shards": work.params.shards,
        "seed": work.params.seed,
        "remainder": work.params.remainder,
        "truncate": work.params.truncate,
        "parts": {name: summary(of) for name, of in parts.items()},
    }  # fmt: skip
    if number:
        told = ({part.name: part.counts() for of in parts.values() for part in of if part.segment == index}
                for index in range(number))  # fmt: skip
        described["segments"] = list(told)
    write_json(work.out / "tensors.json", described)


def _check_equal(out: Place, parts: Sequence[Part], naming: Naming) -> None:
    for part in parts:
        for number in range(part.shards):
            name = f"{naming(part.group, number)}.parquet"
            with (out / name).open("rb") as shard_file:
                rows = pq.read_metadata(shard_file).num_rows
            if rows != part.per_shard:
                raise InputError(
                    f"{name} has {rows} rows where {part.per_shard} are needed: rows of {part.name} share their id, "
                    "text and label, so that they can't be ordered; put a text.dedup step before"
                )
