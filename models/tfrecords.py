"""Reads tensors that were exported as TFRecords: a shard of examples parsed in batches, none of them in Python."""

from __future__ import annotations

import gzip
import re
import shutil
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from models.tensors import Shard, Tensors
from textmill import places
from textmill.errors import InputError
from textmill.places import Place
from textmill.transfer import copy

_BATCH = 4096


class Records(Tensors):
    """Tensors whose shards are TFRecords; the same rows in the same order as those they were written from."""

    kind: ClassVar[str] = "tfrecord"

    def _problem_of(self, file: Place, per_shard: int) -> str | None:
        """By its size, which tensors.json tells: to count its records all of it would have to be read.

        Of a shard that was packed with gzip since, checksums say when it is read.
        """
        if _is_gzip(file):
            return None
        expected = self.described["bytes"].get(f"{file.parent.name}/{file.name}")
        size = places.info(file).size
        return None if size == expected else f"{file} has {size:,} bytes instead of {expected or 0:,}: export it again"

    def read(self, file: Place) -> Shard:
        """The rows of one shard; raises InputError where a record is damaged, or rows are missing."""
        columns = self.columns(file, ("ids", "label", "weight"))
        expected = self.described["parts"][file.parent.name]["rows_per_shard"]
        if len(columns["label"]) != expected:
            raise InputError(f"{file} holds {len(columns['label'])} records instead of {expected}")
        return Shard(*columns.values())

    def columns(self, file: Place, wanted: tuple[str, ...]) -> dict[str, np.ndarray]:
        """Features of all records of a file, by name: ids int32 [rows, length], the others [rows]."""
        import tensorflow as tf

        kinds = {"ids": ([self.length], tf.int64), "length": ([], tf.int64), "label": ([], tf.int64)}
        features = {name: tf.io.FixedLenFeature(*kinds.get(name, ([], tf.float32))) for name in wanted}

        def parse(records: Any) -> Any:
            parsed = tf.io.parse_example(records, features)
            return {name: tf.cast(parsed[name], tf.int32) if name in kinds else parsed[name] for name in wanted}

        with _local(file) as stored, _unpacked(stored) as path:
            records = tf.data.TFRecordDataset(str(path), buffer_size=8 << 20).batch(_BATCH).map(parse)
            options = tf.data.Options()
            options.autotune.enabled = False  # its thread holds up the end of an iteration for seconds at times
            try:
                batches = list(records.with_options(options).as_numpy_iterator())
            except (tf.errors.DataLossError, tf.errors.InvalidArgumentError) as error:
                raise InputError(f"{file} is damaged: {_told(error.message)}") from error
        return {name: np.concatenate([batch[name] for batch in batches]) for name in wanted}


def _told(message: str) -> str:
    """TensorFlow's words without the names of its nodes and operations."""
    return re.sub(r"\{\{.*?\}\} | \[Op:.*", "", message.splitlines()[0])


def _is_gzip(file: Place) -> bool:
    """By its first bytes, whatever its name: a record whose length looks like them does not unpack."""
    with file.open("rb") as stream:
        if stream.read(3) != b"\x1f\x8b\x08":
            return False
        stream.seek(0)
        try:
            gzip.GzipFile(fileobj=stream).read(1)  # type: ignore[arg-type]  # files of fsspec have its methods
        except (OSError, EOFError, zlib.error):
            return False
    return True


@contextmanager
def _unpacked(file: Path) -> Iterator[Path]:
    """The file, or what is packed in it: TensorFlow's own reader of gzip stops at zeros behind a member."""
    if not _is_gzip(file):
        yield file
        return
    with tempfile.NamedTemporaryFile() as plain:
        try:
            with gzip.open(file) as packed:
                shutil.copyfileobj(packed, plain, 8 << 20)
        except (OSError, EOFError, zlib.error) as error:
            raise InputError(f"{file} is damaged: {error}") from error
        plain.flush()
        yield Path(plain.name)


@contextmanager
def _local(file: Place) -> Iterator[Path]:
    """The file on this machine's disk: TensorFlow's own clients of remote stores need libraries of theirs."""
    if isinstance(file, Path):
        yield file
        return
    with tempfile.TemporaryDirectory() as folder:
        copy(file, Path(folder, file.name))
        yield Path(folder, file.name)
