"""text.tokenize: one analysis chain, the same in training and serving."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field, model_validator
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from spark_jobs import jvm, sentencepieces
from spark_jobs.base import DROPPED, EARLIER, KEY, Entity, Operation, Resources, Work, Written, digest, union
from spark_jobs.output import write_json, write_parts
from textmill.errors import DefinitionError, InputError, Problem
from textmill.params import Params as BaseParams

PARTS = ("train", "valid", "test")
ANALYSIS = "analysis.json"
"""The parameters, user dictionary included, beside the tokens: with them a published model analyses texts alone."""

Analyzer = Literal[
    "nori", "standard", "english", "simple", "whitespace", "char", "jamo", "sentencepiece", "cjk", "kuromoji", "smartcn", "arabic", "brazilian", "czech",
    "danish", "dutch", "finnish", "french", "german", "greek", "hindi", "hungarian", "indonesian", "italian",
    "norwegian", "persian", "portuguese", "romanian", "russian", "spanish", "swedish", "thai", "turkish",
]  # fmt: skip


Tag = Literal[
    "E", "IC", "J", "MAG", "MAJ", "MM", "NNG", "NNP", "NNB", "NNBC", "NP", "NR", "SF", "SH", "SL", "SN", "SP", "SSC", "SSO",
    "SC", "SY", "SE", "VA", "VCN", "VCP", "VV", "VX", "XPN", "XR", "XSA", "XSN", "XSV", "UNKNOWN", "UNA", "NA", "VSV",
]  # fmt: skip
"""nori's part-of-speech tags, those of the Sejong corpus with all endings as E and all particles as J."""


_ONLY_FOR = {
    "sentencepiece": frozenset({"pieces", "sample"}),
    "nori": frozenset({"user_dict", "stop_tags", "decompound"}),
}


class Params(BaseParams):
    """Which analyzer, and what it keeps."""

    analyzer: Analyzer = Field(
        "standard",
        description="A Lucene analyzer (`nori` reduces Korean verbs to stems), `char`, `jamo`, or `sentencepiece`.",
    )
    pieces: int = Field(8000, ge=100, description="sentencepiece: at most so many pieces, fitted on train alone.")
    sample: int = Field(500_000, ge=1, description="sentencepiece: rows of train, drawn by hash, that it is fitted on.")
    user_dict: tuple[str, ...] | str = Field((), description="Entities whose values nori keeps whole.")
    stop_tags: tuple[Tag, ...] | None = Field(None, description="nori: part-of-speech tags to leave out.")
    decompound: Literal["none", "discard", "mixed"] = Field("discard", description="nori: what becomes of compounds.")
    stop_words: bool = Field(False, description="Leave out the language's stop words; they often carry an intent.")
    leaks: Literal["drop", "keep"] = Field(
        "drop", description="Rows whose tokens equal those of a row in test (or, for train, in valid): set aside."
    )

    @model_validator(mode="after")
    def _of_use(self) -> Params:
        for analyzer, fields in _ONLY_FOR.items():
            if analyzer != self.analyzer and (useless := self.model_fields_set & fields):
                raise ValueError(f"{' and '.join(sorted(useless))}: only for analyzer {analyzer}, not {self.analyzer}")
        return self


class Tokenize(Operation):
    """Adds the column tokens; sets aside (reason `leak`) what would let a held-out text into another part."""

    name = "text.tokenize"
    version = 5
    Params = Params
    example = "tokens: {do: text.tokenize, from: [populate, split.valid, split.test], analyzer: nori}"
    takes = "parts"

    def by_date(self, params: Params) -> Literal["alone", "earlier"] | None:
        """All but sentencepiece, which is fitted on all train rows."""
        if params.analyzer == "sentencepiece":
            return None
        return "alone" if params.leaks == "keep" else "earlier"

    def outputs(self, params: Params) -> tuple[str, ...]:
        """The same parts as it takes."""
        return PARTS

    def resources(self, params: Params, entities: Mapping[str, Entity]) -> Resources:
        """The entities' values as user dictionary; raises DefinitionError for an entity that is not there."""
        names = [params.user_dict] if isinstance(params.user_dict, str) else list(params.user_dict)
        if missing := [name for name in names if name not in entities]:
            known = ", ".join(sorted(entities)) or "none"
            raise DefinitionError(
                [Problem("", "user_dict", f"no entity {name} (there are: {known})") for name in missing]
            )
        words = sorted({value for name in names for value in entities[name].values})
        return Resources({"user_dict": words}, {f"entity {name}": digest(entities[name].values) for name in names})

    def _run(self, work: Work) -> Written:
        """The parts tokenized, with leaks set aside."""
        write_json(work.out / ANALYSIS, {**work.params.canonical(), **work.resources.data})
        parts = [work.role(role).withColumn("part", F.lit(role)) for role in _roles(work)]
        rows = self._tokenized(work, parts)
        if work.params.leaks == "keep":
            return write_parts(union(rows), work.out, F.size("tokens"))
        rows = [frame.withColumn(KEY, F.xxhash64("tokens")) for frame in rows]
        earlier = {part: work.role(EARLIER + part) for part in PARTS if work.rows(EARLIER + part)}
        if not earlier:
            return write_parts(set_leaks_aside(rows), work.out, F.size("tokens"))
        rows = [frame.persist() for frame in rows]  # a day's rows are few, and each join would analyse them again
        try:
            return write_parts(set_late_leaks_aside(set_leaks_aside(rows), earlier), work.out, F.size("tokens"))
        finally:
            for frame in rows:
                frame.unpersist()

    def _tokenized(self, work: Work, parts: list[DataFrame]) -> list[DataFrame]:
        if work.params.analyzer == "sentencepiece":
            if not work.rows("train"):
                raise InputError("no train rows to fit sentencepiece on: let the step take a train part too")
            model = sentencepieces.fit(work.role("train"), work.params.pieces, work.params.sample)
            (work.out / sentencepieces.FILE).write_bytes(model)
            return [sentencepieces.apply(frame, model) for frame in parts]
        tokens = jvm.function(work.spark, "tokenize", {**work.params.canonical(), **work.resources.data})
        return [frame.withColumn("tokens", tokens(F.col("text"))) for frame in parts]


def _roles(work: Work) -> list[str]:
    present = {source.role for source in work.sources}
    return [part for part in PARTS if part in present]


def set_leaks_aside(parts: list[DataFrame]) -> DataFrame:
    """The union of `parts` (train, valid, test, in this order) where a row equal in tokens to one of a later part
    moves to `dropped` with the reason `leak`."""
    if len(parts) == 1:
        return parts[0].withColumn("reason", F.lit(None).cast("string"))
    placed = [frame.withColumn("_order", F.lit(order)) for order, frame in enumerate(parts)]
    held_out = union(placed[1:]).groupBy(KEY).agg(F.max("_order").alias("_last"))
    joined = union(placed).join(F.broadcast(held_out), KEY, "left")
    leak = F.col("_last") > F.col("_order")
    return _leaking(joined, leak).drop("_order", "_last")


def set_late_leaks_aside(rows: DataFrame, earlier: Mapping[str, DataFrame]) -> DataFrame:
    """`rows` of set_leaks_aside where those equal in tokens to an earlier row of another part are leaks too: what
    earlier dates are trained and tested on stays.

    Of the earlier rows, by their part, keys alone are looked through, once.
    """
    keys = F.broadcast(rows.select(KEY).distinct())
    before = union([frame.select(KEY, F.lit(part).alias("_part")) for part, frame in earlier.items()])
    known = before.join(keys, KEY, "left_semi").groupBy(KEY).agg(F.collect_set("_part").alias("_parts"))
    joined = rows.join(F.broadcast(known), KEY, "left")
    others = F.size(F.array_except("_parts", F.array("part"))) > 0
    return _leaking(joined, (F.col("part") != DROPPED) & others).drop("_parts")


def _leaking(rows: DataFrame, leak: Column) -> DataFrame:
    reason = F.when(leak, F.lit("leak"))
    if "reason" in rows.columns:
        reason = F.coalesce(reason, F.col("reason"))
    return rows.withColumn("reason", reason).withColumn("part", F.when(leak, F.lit(DROPPED)).otherwise(F.col("part")))
