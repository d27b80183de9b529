"""The data source `tfrecord`: beside TensorFlow's own reader and writer, and on its own."""

from __future__ import annotations

import gzip
import os
import re
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pyspark.errors import AnalysisException, IllegalArgumentException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

tf = pytest.importorskip("tensorflow")

Row = dict[str, Any]
FEW = settings(
    max_examples=4,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
"""Every example is many rows and two jobs of Spark's, too slow for a search for the smallest that fails."""

WHOLE = {"boolean": st.booleans()} | {
    name: st.integers(-(2**bits), 2**bits - 1) for name, bits in {"byte": 7, "short": 15, "int": 31, "long": 63}.items()
}
FLOATS = {name: st.floats(width=32, allow_nan=False) for name in ("float", "double")}
BYTES = {"string": st.text(max_size=8), "binary": st.binary(max_size=8).map(bytearray)}
SCALARS = WHOLE | FLOATS | BYTES
ARRAYS = {f"array<{name}>": st.lists(values, max_size=5) for name, values in SCALARS.items()}
LISTS = {
    f"array<array<{name}>>": st.lists(st.none() | st.lists(SCALARS[name], max_size=3), max_size=3)
    for name in ("int", "long", "float", "string", "binary")
}


def column(type_name: str) -> str:
    """A name for the column of a type, such that names do not sort as the columns stand."""
    return type_name[::-1].strip(">")


def rows(types: dict[str, st.SearchStrategy[Any]], count: int = 40) -> st.SearchStrategy[list[Row]]:
    """Rows with a column of every type, each of them null at times."""
    columns = {column(name): st.none() | values for name, values in types.items()}
    row = st.tuples(*columns.values()).map(lambda values: dict(zip(columns, values, strict=True)))
    return st.lists(row, min_size=1, max_size=count)


def schema_of(types: dict[str, st.SearchStrategy[Any]]) -> str:
    """The columns of `rows` as Spark's schema."""
    return ", ".join(f"`{column(name)}` {name}" for name in types)


def feature(kind: str, values: Any) -> Any:
    """TensorFlow's message for a column's value; `kind` is the innermost type."""
    listed = values if isinstance(values, list) else [values]
    if kind in WHOLE:
        return tf.train.Feature(int64_list=tf.train.Int64List(value=[int(value) for value in listed]))
    if kind in FLOATS:
        return tf.train.Feature(float_list=tf.train.FloatList(value=listed))
    coded = [value.encode() if isinstance(value, str) else bytes(value) for value in listed]
    return tf.train.Feature(bytes_list=tf.train.BytesList(value=coded))


def features(row: Row, types: dict[str, Any]) -> Any:
    """The columns that are not null as tf.train.Features."""
    kinds = {column(name): re.sub(r"array<|>", "", name) for name in types}
    return tf.train.Features(feature={name: feature(kinds[name], row[name]) for name in kinds if row[name] is not None})


def example(row: Row) -> bytes:
    """What TensorFlow makes of a row."""
    made = tf.train.Example(features=features(row, SCALARS | ARRAYS))
    return bytes(made.SerializeToString(deterministic=True))


def sequence_example(row: Row) -> bytes:
    """What TensorFlow makes of a row, arrays of arrays being its feature lists."""
    lists = {}
    for name in (name for name in LISTS if row[column(name)] is not None):
        kind = name.removeprefix("array<array<").strip(">")
        inner = [tf.train.Feature() if one is None else feature(kind, one) for one in row[column(name)]]
        lists[column(name)] = tf.train.FeatureList(feature=inner)
    made = tf.train.SequenceExample(
        context=features(row, SCALARS), feature_lists=tf.train.FeatureLists(feature_list=lists)
    )
    return bytes(made.SerializeToString(deterministic=True))


def write_by_tensorflow(path: Path, payloads: Sequence[bytes], compression: str = "") -> list[int]:
    """Writes a file; returns the byte at which each record begins."""
    with tf.io.TFRecordWriter(str(path), tf.io.TFRecordOptions(compression_type=compression)) as writer:
        for payload in payloads:
            writer.write(payload)
    return [sum(len(before) + 16 for before in payloads[:i]) for i in range(len(payloads))]


def read_by_tensorflow(folder: Path, compression: str = "") -> list[bytes]:
    """All records of Spark's output, in the order of its files."""
    files = [str(path) for path in sorted(folder.rglob("part-*"))]
    return [bytes(record) for record in tf.data.TFRecordDataset(files, compression).as_numpy_iterator()]


def test_gzip_is_known_by_its_first_bytes(spark: SparkSession, tmp_path: Path) -> None:
    payloads = [os.urandom(2000) for _ in range(400)]
    write_by_tensorflow(tmp_path / "plain", payloads)
    content = (tmp_path / "plain").read_bytes()
    packed = gzip.compress(content[:5000]) + gzip.compress(content[5000:]) + bytes(700)
    (tmp_path / "packed").write_bytes(packed)
    with_small_pieces = {"spark.sql.files.maxPartitionBytes": "100000", "spark.sql.files.openCostInBytes": "1"}
    before = {key: spark.conf.get(key) for key in with_small_pieces}
    try:
        for key, value in with_small_pieces.items():
            spark.conf.set(key, value)
        frame = spark.read.format("tfrecord").option("recordType", "ByteArray").load(str(tmp_path / "packed"))
        assert frame.rdd.getNumPartitions() > 1
        assert [bytes(row[0]) for row in frame.collect()] == payloads
    finally:
        for key, value in before.items():
            spark.conf.set(key, value)


def dicts(frame: DataFrame) -> list[Row]:
    """The rows of a frame."""
    return [row.asDict() for row in frame.collect()]


class Records:
    """Writes and reads below a folder."""

    def __init__(self, spark: SparkSession, folder: Path) -> None:
        self.spark, self.folder = spark, folder

    def new(self) -> Path:
        """A place that is not there yet."""
        return Path(tempfile.mkdtemp(dir=self.folder)) / "records"

    def write(self, rows: Sequence[Row], schema: str, **options: str) -> Path:
        """Writes rows to one file in a folder."""
        path = self.new()
        frame = self.spark.createDataFrame([tuple(row.values()) for row in rows], schema).coalesce(1)
        frame.write.format("tfrecord").options(**options).save(str(path))
        return path

    def read(self, path: Path, schema: str | None = None, **options: str) -> DataFrame:
        """Reads a file or a folder."""
        reader = self.spark.read.format("tfrecord").options(**options)
        return (reader.schema(schema) if schema else reader).load(str(path))


@pytest.fixture
def records(spark: SparkSession, tmp_path: Path) -> Records:
    return Records(spark, tmp_path)


@pytest.fixture
def small_parts(spark: SparkSession) -> Iterator[Callable[[int], None]]:
    """Sets how many bytes a task reads."""
    key = "spark.sql.files.maxPartitionBytes"
    before = spark.conf.get(key)
    yield lambda size: spark.conf.set(key, str(size))
    spark.conf.set(key, before)


@FEW
@given(made=rows(SCALARS | ARRAYS), compression=st.sampled_from(["none", "gzip"]))
def test_examples_are_tensorflows_and_come_back(records: Records, made: list[Row], compression: str) -> None:
    schema = schema_of(SCALARS | ARRAYS)
    path = records.write(made, schema, compression=compression)
    assert read_by_tensorflow(path, "" if compression == "none" else "GZIP") == [example(row) for row in made]
    assert dicts(records.read(path, schema)) == made


@FEW
@given(made=rows(SCALARS | ARRAYS), compression=st.sampled_from(["", "GZIP"]))
def test_examples_of_tensorflow_are_read(records: Records, made: list[Row], compression: str) -> None:
    path = records.new().with_name("made.tfrecord" + (".gz" if compression else ""))
    write_by_tensorflow(path, [example(row) for row in made], compression)
    assert dicts(records.read(path, schema_of(SCALARS | ARRAYS))) == made


@FEW
@given(made=rows(SCALARS | LISTS))
def test_sequence_examples_are_tensorflows_and_come_back(records: Records, made: list[Row]) -> None:
    schema = schema_of(SCALARS | LISTS)
    path = records.write(made, schema, recordType="SequenceExample")
    assert read_by_tensorflow(path) == [sequence_example(row) for row in made]
    assert dicts(records.read(path, schema, recordType="SequenceExample")) == made


def test_raw_bytes_are_the_records(records: Records) -> None:
    payloads = [b"", b"\x00\xff", b"x" * 1_000_000]
    path = records.write([{"anything": payload} for payload in payloads], "anything binary", recordType="ByteArray")
    assert read_by_tensorflow(path) == payloads
    assert [bytes(row.byteArray) for row in records.read(path, recordType="ByteArray").collect()] == payloads
    with pytest.raises(Exception, match="the bytes of a row are null"):
        records.write([{"anything": None}], "anything binary", recordType="ByteArray")
    with pytest.raises(IllegalArgumentException, match="exactly one column, of type binary"):
        records.write([{"a": 1}], "a int", recordType="ByteArray")


def test_numbers_that_are_not_packed_are_read(records: Records) -> None:
    def field(number: int, content: bytes) -> bytes:
        return bytes([number << 3 | 2, len(content)]) + content

    def entry(key: bytes, value: bytes) -> bytes:
        return field(1, field(1, key) + field(2, value))

    whole, floats = field(3, b"\x08\x05\x08\x80\x01"), field(2, b"\x0d\x00\x00\xc0\x3f\x0d\x00\x00\x00\xbf")
    value_first = field(1, field(2, field(3, field(1, b"\x07"))) + field(1, b"last"))
    path = records.new().with_name("unpacked.tfrecord")
    write_by_tensorflow(path, [field(1, entry(b"n", whole) + entry(b"f", floats) + value_first)])
    read = records.read(path, "n array<int>, f array<float>, last int")
    assert dicts(read) == [{"n": [5, 128], "f": [1.5, -0.5], "last": 7}]


def test_partitions_become_folders_and_columns(records: Records) -> None:
    path = records.new()
    frame = records.spark.range(6).select("id", (F.col("id") % 2).cast("int").alias("part"))
    for mode in ("error", "append"):
        frame.write.partitionBy("part").format("tfrecord").mode(mode).option("codec", "gzip").save(str(path))
    assert {file.parent.name for file in path.rglob("*.tfrecord.gz")} == {"part=0", "part=1"}
    assert sorted(map(tuple, records.read(path).select("id", "part").collect())) == sorted(
        (i, i % 2) for i in range(6) for _ in range(2)
    )
    assert len(read_by_tensorflow(path / "part=1", "GZIP")) == 6


def test_no_rows(records: Records) -> None:
    path = records.write([], "a int, b array<string>")
    assert read_by_tensorflow(path) == []
    assert records.read(path, "a int, b array<string>").count() == 0
    with pytest.raises(AnalysisException, match="Unable to infer schema for TFRecord"):
        records.read(path)


def test_columns_are_chosen_by_name_and_missing_ones_are_null(records: Records) -> None:
    path = records.write(
        [{"a": 1, "b": "x", "c": [1.5]}, {"a": None, "b": "y", "c": []}], "a int, b string, c array<float>"
    )
    read = records.read(path, "other array<string>, c array<double>, a long")
    assert dicts(read) == [{"other": None, "c": [1.5], "a": 1}, {"other": None, "c": [], "a": None}]
    assert dicts(read.select("a")) == [{"a": 1}, {"a": None}]
    assert read.count() == 2


def test_the_schema_is_that_of_all_records(records: Records, small_parts: Callable[[int], None]) -> None:
    made = [{"one": 1, "many": [1], "text": "é", "raw": None, "none": []}] * 50
    made += [{"one": 2, "many": [1, 2], "text": "", "raw": bytearray(b"\xff"), "none": None}]
    path = records.write(made, "one int, many array<int>, text string, raw binary, none array<float>")
    small_parts(256)
    whole = "struct<many:array<bigint>,none:array<float>,one:bigint,raw:binary,text:string>"
    assert records.read(path).schema.simpleString() == whole
    sampled = records.read(path, sampleRecords="50")
    assert sampled.schema.simpleString() == "struct<many:bigint,none:array<float>,one:bigint,text:string>"
    with pytest.raises(
        Exception, match=r"record at byte \d+ of .*: column 'many' is bigint, but the record holds 2 values"
    ):
        sampled.collect()


def test_the_schema_of_sequences(records: Records) -> None:
    path = records.write(
        [{"a": [[1], []], "b": ["x"]}], "a array<array<int>>, b array<string>", recordType="SequenceExample"
    )
    read = records.read(path, recordType="SequenceExample")
    assert read.schema.simpleString() == "struct<a:array<array<bigint>>,b:string>"
    with pytest.raises(Exception, match="record at byte 0 of .* has feature_lists: set option recordType to Sequence"):
        records.read(path)


def test_kinds_that_differ_between_records_are_named(records: Records) -> None:
    path = records.new().with_name("mixed.tfrecord")
    made = [tf.train.Features(feature={"x": feature(kind, value)}) for kind, value in (("int", 1), ("string", "one"))]
    starts = write_by_tensorflow(path, [tf.train.Example(features=one).SerializeToString() for one in made])
    said = (
        rf"record at byte {starts[1]} of .*mixed.tfrecord: feature 'x' is strings \(bytes_list\).* record at byte 0 of"
    )
    with pytest.raises(Exception, match=said):
        records.read(path)
    said = rf"record at byte {starts[1]} of .*mixed.tfrecord: column 'x' is int, but the record holds strings"
    with pytest.raises(Exception, match=said):
        records.read(path, "x int").collect()


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ("big int", "column 'big' is int, but its value 2147483648 does not fit int"),
        ("big boolean", "does not fit boolean"),
        ("many long", "the record holds 2 values: make it an array in the schema"),
        ("many array<string>", r"column 'many' is array<string>, but the record holds floats \(float_list\)"),
    ],
)
def test_values_that_do_not_fit_the_schema(records: Records, schema: str, said: str) -> None:
    made = {"big": feature("long", 2**31), "many": feature("float" if "string" in schema else "long", [1, 2])}
    path = records.new().with_name("made.tfrecord")
    write_by_tensorflow(path, [tf.train.Example(features=tf.train.Features(feature=made)).SerializeToString()])
    with pytest.raises(Exception, match="record at byte 0 of .*made.tfrecord: .*" + said):
        records.read(path, schema).collect()


def test_rows_that_no_record_can_hold(records: Records) -> None:
    with pytest.raises(Exception, match="column 'a': element 1 of the array is null"):
        records.write([{"a": [1, None]}], "a array<int>")
    with pytest.raises(
        IllegalArgumentException, match="column 'a' is array<array<int>>.* recordType to SequenceExample"
    ):
        records.write([{"a": [[1]]}], "a array<array<int>>")
    with pytest.raises(AnalysisException, match="DECIMAL"):
        records.write([], "a decimal(3, 1)")
    with pytest.raises(
        IllegalArgumentException, match="recordType Sample is none of Example, SequenceExample, ByteArray"
    ):
        records.write([], "a int", recordType="Sample")


DAMAGED: dict[str, tuple[Callable[[bytearray, int], bytes], str]] = {
    "length": (lambda data, at: flipped(data, at + 3), r"its checksum differs \(length\)"),
    "data": (lambda data, at: flipped(data, at + 20), r"its checksum differs \(data\)"),
    "checksum": (lambda data, at: flipped(data, at + 12 + 100), r"its checksum differs \(data\)"),
    "cut header": (lambda data, at: bytes(data[: at + 5]), "the file ends after 5 bytes of it"),
    "cut data": (lambda data, at: bytes(data[: at + 100]), "the file ends 16 bytes before the record"),
}


def flipped(data: bytearray, at: int) -> bytes:
    """The data with one bit of byte `at` changed."""
    data[at] ^= 4
    return bytes(data)


@pytest.mark.parametrize("damage", DAMAGED)
@pytest.mark.parametrize("part", [1 << 20, 116 * 5])
def test_damage_is_found_wherever_tasks_begin(
    records: Records, small_parts: Callable[[int], None], damage: str, part: int
) -> None:
    """With parts of five records the damaged one is the first of its task, and never just passed over."""
    path = records.new().with_name("made.tfrecord")
    at = write_by_tensorflow(path, [bytes([i]) * 100 for i in range(20)])[10]
    change, said = DAMAGED[damage]
    path.write_bytes(change(bytearray(path.read_bytes()), at))
    small_parts(part)
    with pytest.raises(Exception, match=f"record at byte {at} of file:.*made.tfrecord: {said}"):
        records.read(path, recordType="ByteArray").collect()


def test_damage_in_compressed_files(records: Records) -> None:
    path = records.new().with_name("made.tfrecord.gz")
    at = write_by_tensorflow(path, [bytes(range(i, i + 200)) for i in range(50)], "GZIP")
    whole = path.read_bytes()
    path.write_bytes(whole[:-300])
    with pytest.raises(Exception, match=r"record at byte \d+ of .*made.tfrecord.gz \(uncompressed\)") as raised:
        records.read(path, recordType="ByteArray").collect()
    assert int(re.findall(r"record at byte (\d+)", str(raised.value))[0]) in at


def test_many_tasks_read_what_one_reads(records: Records, small_parts: Callable[[int], None]) -> None:
    """Some records are empty, some longer than a task's part."""
    payloads = [bytes([i % 251]) * (i * i % 997 if i % 50 else 20_000) for i in range(601)]
    path = records.new().with_name("made.tfrecord")
    write_by_tensorflow(path, payloads)
    for size in (4096, 100_000, 1 << 30):
        small_parts(size)
        read = records.read(path, recordType="ByteArray")
        assert read.rdd.getNumPartitions() == -(-path.stat().st_size // size)
        assert [bytes(row.byteArray) for row in read.collect()] == payloads


def test_records_inside_records_are_never_taken_for_records(
    records: Records, small_parts: Callable[[int], None]
) -> None:
    inner, outer = records.new().with_name("inner.tfrecord"), records.new().with_name("outer.tfrecord")
    write_by_tensorflow(inner, [b"inside"] * 1000)
    payloads = [b"before", inner.read_bytes(), b"after"]
    write_by_tensorflow(outer, payloads)
    small_parts(2000)
    with pytest.raises(Exception, match="record at byte .* of .*outer.tfrecord: .* set option split to false"):
        records.read(outer, recordType="ByteArray").collect()
    whole = records.read(outer, recordType="ByteArray", split="false")
    assert [bytes(row.byteArray) for row in whole.collect()] == payloads
