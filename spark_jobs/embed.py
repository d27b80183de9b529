"""text.embed: a matrix of word vectors aligned with a vocabulary, trained on the train part or read from a file."""

from __future__ import annotations

import hashlib
import json
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import Field, model_validator
from pyspark.sql import functions as F

from spark_jobs import jvm
from spark_jobs.base import Entity, Operation, Resources, Work, Written
from spark_jobs.embeddings import earlier, neighbours, pretrained, subword, vocabulary
from spark_jobs.embeddings.vocabulary import Vocabulary
from spark_jobs.output import write_json
from textmill import places
from textmill.errors import DefinitionError, InputError, Problem
from textmill.ids import PAD
from textmill.params import Params as BaseParams
from textmill.transfer import cache

_USELESS = {
    "word2vec": ("x_max",),
    "glove": ("negative", "sample"),
    "pretrained": (
        "rule",
        "window",
        "epochs",
        "negative",
        "sample",
        "x_max",
        "learning_rate",
        "min_count",
        "partition_tokens",
    ),
}
_EPOCHS = {"word2vec": 5, "glove": 15, "pretrained": 0}
_RATES = {"word2vec": 0.025, "glove": 0.05, "pretrained": 0.0}


class Params(BaseParams):
    """Where the vectors come from."""

    method: Literal["word2vec", "glove", "pretrained"] = Field(
        "word2vec", description="Skip-gram with negative sampling, GloVe, or vectors from the file `path`."
    )
    size: int = Field(100, ge=1, le=4096, description="Numbers per vector.")
    window: int | Literal["row"] = Field(
        5, description="Tokens to each side that are a token's context; row: all others of its row (item2vec)."
    )
    epochs: int | None = Field(None, ge=1, description="word2vec 5, glove 15 by default.")
    negative: int = Field(5, ge=1, description="word2vec: drawn tokens for every real pair.")
    sample: float = Field(1e-3, ge=0, description="word2vec: more frequent tokens are left out by chance; 0: none.")
    x_max: float = Field(10, gt=0, description="glove: pairs seen more often weigh no more than this.")
    learning_rate: float | None = Field(None, gt=0, description="At the start; word2vec 0.025, glove 0.05 by default.")
    min_count: int = Field(1, ge=1, description="Tokens of the vocabulary that are rarer get no vector of their own.")
    partition_tokens: int = Field(
        2_000_000, ge=1, description="Tokens a task trains on: smaller is more parallel, and learns less per epoch."
    )
    path: str | None = Field(None, description="pretrained: word2vec text or binary, GloVe, fastText .vec; .gz too.")
    rule: Literal["refit", "fixed", "extend"] = Field(
        "refit",
        description="Trained anew, those of the last promoted version, or those and new tokens' turned to fit them.",
    )
    subword: bool = Field(False, description="Tokens without a vector get one from character n-grams.")
    show: tuple[str, ...] = Field((), description="Tokens whose neighbours are wanted; else 30 frequent ones.")
    seed: int = Field(7, description="Of all that is drawn; the definition's seed by default.")

    @model_validator(mode="after")
    def _fits(self) -> Params:
        if (self.path is not None) != (self.method == "pretrained"):
            raise ValueError("path belongs to method: pretrained, which needs one")
        if self.window != "row" and self.window < 1:
            raise ValueError("window is at least 1, or row")
        if useless := self.model_fields_set.intersection(_USELESS[self.method]):
            raise ValueError(f"method {self.method} has no use for {' and '.join(sorted(useless))}")
        return self

    def training(self) -> str:
        """JSON of what the jar needs to know."""
        given = self.canonical()
        given["window"] = 0 if self.window == "row" else self.window
        given["epochs"] = self.epochs or _EPOCHS[self.method]
        given["learning_rate"] = self.learning_rate or _RATES[self.method]
        return json.dumps(given)


@dataclass
class Table:
    """Vectors of the vocabulary's tokens, and where they come from."""

    vectors: np.ndarray
    """float32 [tokens, size]."""
    own: np.ndarray
    """bool [tokens]: trained or read."""
    made: np.ndarray
    """bool [tokens]: from sub-words."""

    @property
    def present(self) -> np.ndarray:
        """bool [tokens]: has a vector."""
        return self.own | self.made


class Embed(Operation):
    """Writes matrix.npy (float32 [ids, size]), embed.json and neighbours.json."""

    name = "text.embed"
    version = 2
    Params = Params
    example = "vectors: {do: text.embed, from: tensors, method: word2vec, size: 100}"
    takes = "tensors"
    path_params = ("path",)

    def outputs(self, params: Params) -> tuple[str, ...]:
        """No rows."""
        return ()

    def resources(self, params: Params, entities: Mapping[str, Entity]) -> Resources:
        """The digest of the file of vectors; raises DefinitionError where it can't be read."""
        if params.path is None:
            return Resources()
        try:
            with Path(params.path).open("rb") as stream:
                return Resources(digests={"vectors": hashlib.file_digest(stream, "sha256").hexdigest()})
        except OSError as error:
            raise DefinitionError([Problem("", "path", f"{params.path}: {error.strerror}")]) from None

    def _run(self, work: Work) -> Written:
        """Raises InputError for a file of vectors that doesn't fit, and where no token has a vector."""
        started = time.monotonic()
        known = vocabulary.read(work.folder("tensors"))
        table = _table(work, known)
        if not table.own.any():
            raise InputError(f"no token of the vocabulary has a vector: {_why_none(work.params)}")
        if work.params.subword:
            table.made = subword.complete(known.tokens, table.vectors, table.own, work.params.seed)
        seconds = time.monotonic() - started
        with places.replacing(work.out / "matrix.npy") as stream:
            np.save(stream, matrix(known, table))
        described = describe(work, known, table)
        write_json(work.out / "embed.json", described)
        asked = work.params.show or neighbours.frequent(known.tokens, table.present)
        near = neighbours.nearest(known.tokens, table.vectors, table.present, asked)
        write_json(work.out / "neighbours.json", near)
        pace = {"seconds": round(seconds, 3), "records_per_s": round(described["records"] / seconds, 1)}
        return Written({}, {**described, **pace})


def matrix(known: Vocabulary, table: Table) -> np.ndarray:
    """float32 [ids, size]: padding is 0; unknown tokens, buckets and tokens without one are the mean."""
    whole = np.empty((known.size, table.vectors.shape[1]), dtype=np.float32)
    whole[:] = table.vectors[table.own].mean(axis=0)
    whole[PAD] = 0
    whole[known.ids][table.present] = table.vectors[table.present]
    return whole


def describe(work: Work, known: Vocabulary, table: Table) -> dict[str, Any]:
    """The hit rate: tokens with a vector of their own, by vocabulary and by running tokens of train."""
    records = sum(source.rows for source in work.rows("train"))
    running = work.role("train").agg(F.sum(F.size("tokens"))).first()
    tokens = int(running[0] or 0) if running else 0
    return {
        "method": work.params.method,
        "size": work.params.size,
        "ids": known.size,
        "tokens": len(known.tokens),
        "own": int(table.own.sum()),
        "subword": int(table.made.sum()),
        "hit_rate": {
            "vocabulary": round(float(table.own.mean()), 6),
            "running": round(int(known.counts[table.own].sum()) / max(1, tokens), 6),
        },
        "records": records,
    }


def _table(work: Work, known: Vocabulary) -> Table:
    """The vectors, by the method and the rule."""
    if work.params.method == "pretrained":
        return _pretrained(known, work.params)
    last = work.resources.data.get("last")
    if last is None:
        return _trained(work, known)
    before = earlier.read(places.place(last), work.params.size)
    if work.params.rule == "fixed":
        vectors, own = earlier.only(before, known.tokens)
    else:
        trained = _trained(work, known)
        vectors, own = earlier.extended(before, known.tokens, trained.vectors, trained.own)
    return Table(vectors, own, np.zeros_like(own))


def _trained(work: Work, known: Vocabulary) -> Table:
    tokens, vocabulary_file = work.role("train").select("tokens"), work.folder("tensors") / "vocabulary.tsv"
    with tempfile.TemporaryDirectory(dir=cache()) as scratch:
        vectors = Path(scratch, "vectors.f32")
        jvm.train_vectors(tokens, vocabulary_file, work.params.method, work.params.training(), vectors)
        ids = np.fromfile(vectors, dtype="<f4").reshape(-1, work.params.size)
    own = known.counts >= work.params.min_count
    return Table(ids[known.ids].astype(np.float32), own, np.zeros_like(own))


def _pretrained(known: Vocabulary, params: Params) -> Table:
    found = pretrained.load(Path(str(params.path)), known.tokens, params.size)
    own = np.array([token in found for token in known.tokens], dtype=bool)
    vectors = np.zeros((len(known.tokens), params.size), dtype=np.float32)
    for row in np.flatnonzero(own):
        vectors[row] = found[known.tokens[row]]
    return Table(vectors, own, np.zeros_like(own))


def _why_none(params: Params) -> str:
    if params.method == "pretrained":
        return f"{params.path} has none of its tokens"
    return f"all are rarer than min_count {params.min_count}"
