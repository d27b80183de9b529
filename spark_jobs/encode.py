"""tensor.encode: tokens to fixed-length ids in equal shards, with a vocabulary fitted on the train part alone."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pyarrow.parquet as pq
from pydantic import Field
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from spark_jobs import jvm
from spark_jobs.base import Operation, Work, Written, union
from spark_jobs.cuts import Cuts, cut_points, place
from spark_jobs.output import write_json, write_parts
from spark_jobs.tokenize import PARTS
from textmill import places
from textmill.errors import InputError
from textmill.params import Params as BaseParams
from textmill.places import Place

PAD, UNKNOWN, FIRST_TOKEN = 0, 1, 2


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


@dataclass(frozen=True)
class Part:
    """How many rows a part has, and how they fill its shards."""

    name: str
    rows: int
    shards: int
    remainder: str

    @property
    def per_shard(self) -> int:
        """Rows in each shard. Only train may drop rows; what is measured on the other parts must be all of them."""
        if self.drops:
            return self.rows // self.shards
        return -(-self.rows // self.shards)

    @property
    def drops(self) -> bool:
        """Whether rows are left out rather than padded."""
        return self.remainder == "drop" and self.name == "train" and self.rows >= self.shards

    def summary(self) -> dict[str, Any]:
        """Its entry in tensors.json; steps at batch 1 by number of ranks."""
        total = self.per_shard * self.shards
        ranks = [ranks for ranks in range(1, self.shards + 1) if self.shards % ranks == 0]
        return {
            "rows": total,
            "real_rows": min(self.rows, total),
            "padded": max(0, total - self.rows),
            "dropped": max(0, self.rows - total),
            "rows_per_shard": self.per_shard,
            "steps": {str(count): total // count for count in ranks},
        }


class Encode(Operation):
    """Writes shards, vocabulary.tsv, labels.json and tensors.json."""

    name = "tensor.encode"
    version = 2
    Params = Params
    takes = "tokens"

    def outputs(self, params: Params) -> tuple[str, ...]:
        """The same parts as it takes."""
        return PARTS

    def _run(self, work: Work) -> Written:
        """Raises InputError where train is empty, a row has no label, or another part has a label train lacks."""
        rows = {part: work.role(part) for part in PARTS if _count(work, part)}
        if "train" not in rows:
            raise InputError("no row in the train part: nothing to fit a vocabulary on")
        labels = _labels(rows)
        tokens = _vocabulary(work, rows["train"])
        vocabulary = _write_vocabulary(work.out / "vocabulary.tsv", tokens)
        parts = [Part(part, _count(work, part), work.params.shards, work.params.remainder) for part in rows]
        sharded = shard(work, rows, parts, labels)
        written = write_parts(
            sharded, work.out, F.col("tokens"), F.col("name"), F.col("unknown"), leave_out=("tokens", "unknown", "name")
        )
        _check_equal(work.out, written, parts)
        _write_tensors(work, parts, vocabulary, len(tokens), labels)
        return written


def _vocabulary(work: Work, train: DataFrame) -> list[tuple[str, int]]:
    """(token, count in train) in the order of the ids, by the rule."""
    from spark_jobs.embeddings import vocabulary

    params, last = work.params.vocabulary, work.resources.data.get("last")
    if last is None:
        return fit_vocabulary(train, params)
    known = list(vocabulary.tokens(places.place(last) / "vocabulary.tsv"))
    kept = list(zip(known, _counts(train, known), strict=True))
    if params.rule == "fixed":
        return kept
    had, room = set(known), max(0, params.max - len(known))
    return kept + [pair for pair in fit_vocabulary(train, params) if pair[0] not in had][:room]


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


def shard(work: Work, rows: dict[str, DataFrame], parts: Sequence[Part], labels: Sequence[str]) -> DataFrame:
    """All parts' rows as tensors, one Spark partition per shard, each in the order of a seeded hash.

    Columns part, ids, length, label, weight, and for the statistics tokens, unknown, name.
    """
    key = order_key(work.params.seed)
    keyed = union([frame.withColumn("group", F.lit(part)).withColumn("key", key) for part, frame in rows.items()])
    placed = place(keyed, _shard_cuts(keyed, parts)).where(F.col("place") < work.params.shards)
    tensors = union([_encoded(work, placed, labels), padding(work.spark, parts, work.params.length)])
    ordered = in_shards(tensors, parts).sortWithinPartitions(F.col("weight").desc(), "key", "ids", "label")
    return ordered.withColumnRenamed("group", "part").drop("key", "place")


def in_shards(rows: DataFrame, parts: Sequence[Part]) -> DataFrame:
    """One partition for every shard of every part: the rows' columns `group` and `place` say which."""
    spark, shards = rows.sparkSession, parts[0].shards
    of_part = _lookup({part.name: index for index, part in enumerate(parts)})[F.col("group")]
    slots = len(parts) * shards
    slot = _slot_keys(spark, slots)[of_part * shards + F.col("place")]
    return rows.withColumn("_slot", slot).repartition(slots, "_slot").drop("_slot")


def order_key(seed: int) -> Column:
    """The key by which the rows of a part are sorted over all of its shards."""
    return F.xxhash64(F.lit(seed), "text", "label", "id")


def _shard_cuts(keyed: DataFrame, parts: Sequence[Part]) -> Cuts:
    by_name = {part.name: part for part in parts}

    def ranks(name: str, rows: int) -> list[int]:
        part = by_name[name]
        return [min(rows, part.per_shard * number) for number in range(1, part.shards + part.drops)]

    return cut_points(keyed, ranks)


def _encoded(work: Work, placed: DataFrame, labels: Sequence[str]) -> DataFrame:
    vocabulary = {"vocabulary_file": places.spark_uri(work.out / "vocabulary.tsv")}
    buckets = {"oov_buckets": work.params.vocabulary.unknown_buckets}
    settings = {**vocabulary, **buckets, "length": work.params.length, "truncate": work.params.truncate}
    encoded = jvm.function(work.spark, "encode", settings)(F.col("tokens"))
    number = _lookup({label: index for index, label in enumerate(labels)})[F.col("label")]
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


def _lookup(table: Mapping[str, int]) -> Column:
    return F.create_map(*[F.lit(item) for pair in table.items() for item in pair])


def padding(spark: SparkSession, parts: Sequence[Part], length: int) -> DataFrame:
    """The rows of weight 0 that make all shards of a part equal, as columns group, place, key, ids … weight."""
    missing = [
        (part.name, shard)
        for part in parts
        for shard in range(part.shards)
        for _ in range(part.per_shard - max(0, min(part.per_shard, part.rows - shard * part.per_shard)))
    ]
    rows = spark.createDataFrame(missing, "group string, place int")
    return rows.select(
        "*",
        F.lit(0).cast("long").alias("key"),
        F.array_repeat(F.lit(PAD), length).alias("ids"),
        F.lit(0).alias("length"),
        F.lit(0).alias("label"),
        F.lit(0.0).cast("float").alias("weight"),
    )


def _slot_keys(spark: SparkSession, slots: int) -> Column:
    """An array of integers of which the n-th is one that Spark's hash partitioning sends to partition n."""
    tried = spark.range(0, slots * 64, 1, 1).select(F.col("id").cast("int").alias("number"))
    partition = F.pmod(F.hash("number"), F.lit(slots)).alias("partition")
    found = dict(tried.groupBy(partition).agg(F.min("number")).collect())
    return F.array(*[F.lit(found[number]) for number in range(slots)])


def _count(work: Work, part: str) -> int:
    return sum(source.rows for source in work.rows(part))


def _labels(rows: dict[str, DataFrame]) -> list[str]:
    found = {part: {row[0] for row in frame.select("label").distinct().collect()} for part, frame in rows.items()}
    for part, labels in found.items():
        if None in labels:
            raise InputError(f"the {part} part has rows without a label: give the input a label column")
        if unseen := labels - found["train"]:
            named = ", ".join(sorted(unseen)[:10])
            raise InputError(f"the {part} part has {len(unseen)} labels that train lacks: {named}")
    return sorted(found["train"])


def _write_vocabulary(path: Place, tokens: Sequence[tuple[str, int]]) -> str:
    """Write token<TAB>count lines and return their SHA-256."""
    content = "".join(f"{token}\t{count}\n" for token, count in tokens).encode()
    path.write_bytes(content)
    return hashlib.sha256(content).hexdigest()


def _write_tensors(work: Work, parts: Sequence[Part], vocabulary: str, tokens: int, labels: Sequence[str]) -> None:
    write_json(work.out / "labels.json", labels)
    buckets = work.params.vocabulary.unknown_buckets
    described = {
        "length": work.params.length,
        "pad_id": PAD,
        "unknown_id": UNKNOWN,
        "vocabulary": {"size": tokens + FIRST_TOKEN + buckets, "unknown_buckets": buckets, "sha256": vocabulary},
        "labels": len(labels),
        "shards": work.params.shards,
        "seed": work.params.seed,
        "remainder": work.params.remainder,
        "truncate": work.params.truncate,
        "parts": {part.name: part.summary() for part in parts},
    }
    write_json(work.out / "tensors.json", described)


def _check_equal(out: Place, written: Written, parts: Sequence[Part]) -> None:
    for part in parts:
        for name in written.parts[part.name]["files"]:
            with (out / name).open("rb") as shard_file:
                rows = pq.read_metadata(shard_file).num_rows
            if rows != part.per_shard:
                raise InputError(
                    f"{name} has {rows} rows where {part.per_shard} are needed: rows of {part.name} share their id, "
                    "text and label, so that they can't be ordered; put a text.dedup step before"
                )
