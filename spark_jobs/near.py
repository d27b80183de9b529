"""text.near_pairs: pairs of similar texts, found by MinHash and verified; what text.dedup decides on."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from spark_jobs import jvm
from spark_jobs.base import Operation, Work, Written
from spark_jobs.output import write_parts
from textmill.params import Params as BaseParams

_HASHES = 128
_FOUND = 0.95
_PAIRS_PER_PARTITION = 1 << 21
_BYTES_PER_ROW = 40


class Grams(BaseParams):
    """What is compared: sets of n-grams."""

    unit: Literal["char", "word"] = Field("char", description="What n-grams are made of.")
    ngram: int = Field(3, ge=1, le=20, description="Characters or words in an n-gram.")
    seed: int = Field(7, description="Of the hash functions.")


class Params(Grams):
    """The part of `near:` that decides what is searched."""

    floor: float = Field(ge=0.3, le=1, description="Pairs of lower Jaccard similarity are not looked for.")


class Near(Grams):
    """Near-duplicates: texts whose sets of n-grams have at least this Jaccard similarity, directly or over others."""

    threshold: float = Field(0.8, ge=0.3, le=1, description="Jaccard similarity from which two texts are the same.")
    floor: float | None = Field(
        None, ge=0.3, le=1, description="Pairs are kept from here up, so that any threshold above reuses the search."
    )
    keep: Literal["one", "all"] = Field(
        "one", description="all: rows are only marked with their cluster, which data.split keeps together."
    )

    @model_validator(mode="after")
    def _order(self) -> Near:
        if self.floor is not None and self.floor > self.threshold:
            raise ValueError(f"floor {self.floor} is above threshold {self.threshold}")
        return self

    def search(self) -> Params:
        """What is searched: down to the threshold rounded down to a tenth unless a floor is given."""
        floor = self.floor if self.floor is not None else max(0.3, int(self.threshold * 10 + 1e-9) / 10)
        return Params(**self.model_dump(include=set(Grams.model_fields)), floor=floor)


class NearPairs(Operation):
    """Writes each pair of distinct texts (as xxhash64 of the text) with its exact Jaccard similarity, from `floor` up.

    A pair at the floor is found with a probability of 0.95, above it with a higher one. A 64-bit key stands for a text:
    among ten million texts two share one with a probability of 3e-6.
    """

    name = "text.near_pairs"
    version = 1
    Params = Params
    takes = "rows"

    def outputs(self, params: Params) -> tuple[str, ...]:
        """One part: the pairs, columns a, b and similarity."""
        return ("pairs",)

    def _run(self, work: Work) -> Written:
        """Exact duplicates count once."""
        texts = work.role("rows").select(F.xxhash64("text").alias("key"), "text")
        similar = verified(candidates(work, texts), texts, work.params)
        ordered = similar.repartition(self.partitions(work), "a").sortWithinPartitions("a", "b")
        written = write_parts(ordered.withColumn("part", F.lit("pairs")), work.out, F.lit(None))
        none = {"rows": 0, "files": [], "schema": ordered.schema.jsonValue()}
        return Written({"pairs": none, **written.parts}, written.stats)


def banding(floor: float) -> tuple[int, int]:
    """(bands, rows) of the signature: the most rows, and so the fewest false candidates, that find 95 % at `floor`."""
    for rows in range(_HASHES, 1, -1):
        for bands in range(1, _HASHES // rows + 1):
            if 1 - (1 - floor**rows) ** bands >= _FOUND:
                return bands, rows
    return _HASHES, 1


def candidates(work: Work, texts: DataFrame) -> DataFrame:
    """Distinct pairs (a, b), a below b, of texts with a common band."""
    bands, rows = banding(work.params.floor)
    texts_at_most = sum(source.size for source in work.sources) // _BYTES_PER_ROW * bands
    partitions = max(4, -(-texts_at_most // _PAIRS_PER_PARTITION))
    settings = {**work.params.canonical(), "bands": bands, "rows": rows, "partitions": partitions}
    return jvm.candidates(texts, settings).distinct()


def verified(pairs: DataFrame, texts: DataFrame, params: Params) -> DataFrame:
    """Columns a, b, similarity (float64) of the pairs at or above the floor."""
    by_key = texts.groupBy("key").agg(F.first("text").alias("text"))
    left = by_key.select(F.col("key").alias("a"), F.col("text").alias("_a"))
    right = by_key.select(F.col("key").alias("b"), F.col("text").alias("_b"))
    jaccard = jvm.function(pairs.sparkSession, "jaccard", params.canonical())
    compared = pairs.join(left, "a").join(right, "b").withColumn("similarity", jaccard(F.col("_a"), F.col("_b")))
    return compared.where(F.col("similarity") >= params.floor).select("a", "b", "similarity")
