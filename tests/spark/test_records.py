"""TFRecords hold the examples of the tensors, all of them, in their order, as TensorFlow reads them."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession

from models.tensors import Tensors, opened
from spark_jobs import records
from spark_jobs.shards import Part, summary
from textmill.errors import InputError, TextmillError

tf = pytest.importorskip("tensorflow")

LENGTH, SHARDS = 5, 4
ROWS = {"train": 1003, "valid": 38, "test": 3}
"""Real rows: no number of shards divides them."""


@pytest.fixture(scope="module")
def tensors(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tensors as tensor.encode writes them, with padding at the end of every part."""
    folder, generator = tmp_path_factory.mktemp("tensors"), np.random.default_rng(3)
    parts = [Part(name, rows, SHARDS, "pad") for name, rows in ROWS.items()]
    for part in parts:
        write_part(folder / part.name, part, generator)
    described = {"length": LENGTH, "vocabulary": {"size": 90}, "shards": SHARDS,
                 "parts": {part.name: summary([part]) for part in parts}}  # fmt: skip
    (folder / "tensors.json").write_text(json.dumps(described), encoding="utf-8")
    (folder / "labels.json").write_text('["a", "b", "ㄷ"]', encoding="utf-8")
    (folder / "vocabulary.tsv").write_text("낱말\t3\n", encoding="utf-8")
    return folder


def write_part(folder: Path, part: Part, generator: np.random.Generator) -> None:
    folder.mkdir()
    rows = part.per_shard * part.shards
    real = np.arange(rows) < part.rows
    ids = generator.integers(0, 2**31 - 1, (rows, LENGTH), dtype=np.int32) * real[:, None]
    columns = {"length": generator.integers(1, LENGTH, rows, dtype=np.int32) * real,
               "label": generator.integers(0, 3, rows, dtype=np.int32) * real, "weight": real}  # fmt: skip
    for number in range(part.shards):
        of_shard = slice(number * part.per_shard, (number + 1) * part.per_shard)
        kinds = {"length": np.int32, "label": np.int32, "weight": np.float32}
        table = {name: values[of_shard].astype(kinds[name]) for name, values in columns.items()}
        arrays = pa.array(list(ids[of_shard]), pa.list_(pa.int32()))
        pq.write_table(pa.table({"ids": arrays, **table}), folder / f"{number:05d}.parquet", row_group_size=100)


def of_tensors(folder: Path, part: str, real: bool) -> list[dict[str, Any]]:
    rows = [row for file in sorted((folder / part).glob("*.parquet")) for row in pq.read_table(file).to_pylist()]
    return [row for row in rows if row["weight"] > 0 or not real]


def by_tensorflow(file: Path) -> list[dict[str, Any]]:
    """The examples of a file, one by one, by TensorFlow's own parser of the message."""
    found = []
    for record in tf.data.TFRecordDataset(str(file)).as_numpy_iterator():
        features = tf.train.Example.FromString(record).features.feature
        assert set(features) == {"ids", "length", "label", "weight"}
        row = {name: features[name].int64_list.value[0] for name in ("length", "label")}
        found.append({"ids": list(features["ids"].int64_list.value), **row,
                      "weight": features["weight"].float_list.value[0]})  # fmt: skip
    return found


@pytest.mark.parametrize(("ranks", "shards"), [(1, 4), (2, 4), (3, 6), (7, 7)])
def test_tensorflow_reads_every_example_in_its_place(
    spark: SparkSession, tensors: Path, tmp_path: Path, ranks: int, shards: int
) -> None:
    assert records.shards_for(SHARDS, ranks) == shards
    checksums = records.write(spark, tensors, tmp_path, shards).checksums
    assert sorted(checksums) == sorted(f"{part}/{n:05d}.tfrecord" for part in ROWS for n in range(shards))
    for part, rows in ROWS.items():
        found = [by_tensorflow(tmp_path / part / f"{number:05d}.tfrecord") for number in range(shards)]
        assert len({len(of_shard) for of_shard in found}) == 1
        every = [row for of_shard in found for row in of_shard]
        assert every[:rows] == of_tensors(tensors, part, real=True)
        assert len(every) == -(-rows // shards) * shards
        assert all(row == {"ids": [0] * LENGTH, "length": 0, "label": 0, "weight": 0.0} for row in every[rows:])
    assert (tmp_path / "labels.json").read_bytes() == (tensors / "labels.json").read_bytes()
    assert opened(tmp_path).problems(ranks) == []


def test_the_reader_gives_the_shards_of_the_tensors(spark: SparkSession, tensors: Path, tmp_path: Path) -> None:
    records.write(spark, tensors, tmp_path, SHARDS)
    of_parquet, of_records = opened(tensors), opened(tmp_path)
    assert type(of_parquet) is Tensors and type(of_records) is not Tensors
    for part in ROWS:
        for one, other in zip(of_parquet.files(part), of_records.files(part), strict=True):
            expected, found = of_parquet.read(one), of_records.read(other)
            for name in ("ids", "label", "weight"):
                assert getattr(expected, name).dtype == getattr(found, name).dtype
                assert np.array_equal(getattr(expected, name), getattr(found, name))


def test_a_shard_packed_with_gzip_is_read_as_it_was(spark: SparkSession, tensors: Path, tmp_path: Path) -> None:
    records.write(spark, tensors, tmp_path, SHARDS)
    shard = tmp_path / "train" / "00001.tfrecord"
    plain, content = opened(tmp_path).read(shard), shard.read_bytes()
    shard.write_bytes(gzip.compress(content[:1000]) + gzip.compress(content[1000:]) + bytes(512))
    assert opened(tmp_path).problems() == []
    assert np.array_equal(opened(tmp_path).read(shard).ids, plain.ids)
    shard.write_bytes(gzip.compress(content)[:-20])
    with pytest.raises(InputError, match=r"00001\.tfrecord is damaged: "):
        opened(tmp_path).read(shard)


def test_damage_is_named(spark: SparkSession, tensors: Path, tmp_path: Path) -> None:
    records.write(spark, tensors, tmp_path, SHARDS)
    file = tmp_path / "train" / "00002.tfrecord"
    content = file.read_bytes()
    file.write_bytes(content[:-1])
    assert opened(tmp_path).problems() == [
        f"{file} has {len(content) - 1:,} bytes instead of {len(content):,}: export it again"
    ]
    file.write_bytes(content[:100] + bytes([content[100] ^ 1]) + content[101:])
    with pytest.raises(InputError, match=r"train/00002\.tfrecord is damaged: corrupted record at 12"):
        opened(tmp_path).read(file)


def test_tensors_that_lack_a_row_are_refused(spark: SparkSession, tensors: Path, tmp_path: Path) -> None:
    import shutil

    bad = Path(shutil.copytree(tensors, tmp_path / "tensors"))
    shard = bad / "train/00001.parquet"
    pq.write_table(pq.read_table(shard).slice(1), shard)
    (tmp_path / "out").mkdir()
    with pytest.raises(TextmillError, match=r"1003 records in 4 shards were written of part train, not 251 in each"):
        records.write(spark, bad, tmp_path / "out", SHARDS)
