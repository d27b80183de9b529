"""Subword pieces by SentencePiece's unigram model (Kudo and Richardson, EMNLP 2018), fitted and applied without rows."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, get_args

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType, StringType, StructField, StructType

from spark_jobs.clean import Mask
from textmill.errors import InputError

if TYPE_CHECKING:
    import pyarrow as pa

FILE = "sentencepiece.model"
_SEED = 7
_RESERVED = {0x2585: " "}


def fit(train: DataFrame, pieces: int, sample: int) -> bytes:
    """The model of `train`'s column text; rows are drawn by hash. Raises InputError where there is too little text."""
    chosen = train.select("text").orderBy(F.xxhash64(F.lit(_SEED), "text"), "text").limit(sample)
    return fit_on(chosen.toPandas()["text"].tolist(), pieces)


def fit_on(texts: Sequence[str], pieces: int) -> bytes:
    """The model of these texts, all of them. Raises InputError where they are too little text."""
    import sentencepiece

    model = io.BytesIO()
    try:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=map(_without_reserved, texts),
            model_writer=model,
            vocab_size=pieces,
            # Texts are cleaned already, and NFKC would make jamo of ㅋㅋ that no longer show as they were written.
            normalization_rule_name="identity",
            # Longer texts would be left out of the fitting: the default is 4,192 bytes.
            max_sentence_length=max((len(text.encode()) for text in texts), default=0) + 1,
            hard_vocab_limit=False,
            character_coverage=0.9995,
            user_defined_symbols=[f"<{name}>" for name in get_args(Mask)],
            num_threads=1,  # sums over threads come in any order, and so would the pieces
            minloglevel=2,
        )
    except RuntimeError as error:
        raise InputError(f"no pieces can be fitted on {len(texts):,} rows of train: {error}") from error
    return model.getvalue()


def _without_reserved(text: str) -> str:
    """A text that holds a sign which the trainer keeps for itself would be left out of the fitting."""
    return text.translate(_RESERVED)


def apply(rows: DataFrame, model: bytes) -> DataFrame:
    """`rows` with the column tokens, the pieces of text."""
    schema = StructType([*rows.schema.fields, StructField("tokens", ArrayType(StringType(), False))])
    return rows.mapInArrow(_pieces(model), schema)


def _pieces(model: bytes) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    def tokenized(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        import pyarrow as pa
        import sentencepiece

        processor = sentencepiece.SentencePieceProcessor(model_proto=model)
        for batch in batches:
            texts = batch.column(batch.schema.get_field_index("text")).to_pylist()
            tokens = pa.array(processor.encode(texts, out_type=str, num_threads=1), pa.list_(pa.string()))
            yield pa.RecordBatch.from_arrays([*batch.columns, tokens], [*batch.schema.names, "tokens"])

    return tokenized
