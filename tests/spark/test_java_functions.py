"""The jar's functions as Spark sees them: encoding, counting, parameters refused at once, one session after another."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from spark_jobs import jvm

VOCABULARY = "b\t9\na\t5\n\\t가\t1\n"


def encoded(spark: SparkSession, tmp_path: Path, rows: list[list[str] | None], **params: Any) -> list[Any]:
    (tmp_path / "vocabulary.tsv").write_text(VOCABULARY, encoding="utf-8")
    encode = jvm.function(spark, "encode", {"vocabulary_file": str(tmp_path / "vocabulary.tsv"), "length": 4, **params})
    frame = spark.createDataFrame([(row,) for row in rows], "tokens array<string>").coalesce(1)
    found = frame.select(encode(F.col("tokens")).alias("e")).collect()
    return [row.e and (row.e.ids, row.e.length, row.e.unknown) for row in found]


def test_encode_pads_truncates_and_counts_unknown_tokens(spark: SparkSession, tmp_path: Path) -> None:
    rows = [["a", "b"], [], ["x", "a", "y", "b", "z"], ["\\t가"], None]
    assert encoded(spark, tmp_path, rows) == [
        ([3, 2, 0, 0], 2, 0), ([0, 0, 0, 0], 0, 0), ([1, 3, 1, 2], 4, 2), ([4, 0, 0, 0], 1, 0), None,
    ]  # fmt: skip
    assert encoded(spark, tmp_path, rows[2:3], truncate="start") == [([3, 1, 2, 1], 4, 2)]


def test_unknown_tokens_may_share_buckets(spark: SparkSession, tmp_path: Path) -> None:
    words = [f"w{n}" for n in range(200)]
    ((ids, length, unknown),) = encoded(spark, tmp_path, [["a", *words]], length=201, oov_buckets=10)
    assert (ids[0], length, unknown) == (3, 201, 200)
    assert {ids.count(bucket) > 5 for bucket in range(5, 15)} == {True} and set(ids[1:]) == set(range(5, 15))


@pytest.mark.parametrize(
    ("kind", "params", "message"),
    [
        ("tokenize", {"analyzer": "klingon"}, r"unknown analyzer klingon; there are: \[arabic, "),
        ("clean", {"mask": ["fax"]}, "unknown mask fax"),
        ("clean", {"unicode": "NFX"}, "NFX"),
        ("populate", {"templates": [{"label": "a", "line": 1, "amount": 1, "pieces": [{"entity": "P"}]}]}, "no list P"),
        ("stem", {}, "unknown function stem; there are: clean, label, tokenize, encode, populate"),
        ("encode", {"vocabulary_file": "/nowhere/vocabulary.tsv", "length": 3}, "/nowhere/vocabulary.tsv"),
    ],
)
def test_parameters_that_do_not_fit_are_refused_before_any_task(
    spark: SparkSession, kind: str, params: dict[str, Any], message: str
) -> None:
    with pytest.raises(Exception, match=message):
        jvm.function(spark, kind, params)


@pytest.mark.parametrize(("content", "line"), [("a\t1\nb\n", 2), ("a\t1\nb\t1\na\t1\n", 3)])
def test_a_damaged_vocabulary_is_refused(spark: SparkSession, tmp_path: Path, content: str, line: int) -> None:
    (tmp_path / "v.tsv").write_text(content)
    with pytest.raises(Exception, match=f"line {line} of the vocabulary"):
        jvm.function(spark, "encode", {"vocabulary_file": str(tmp_path / "v.tsv"), "length": 2})


def counted(spark: SparkSession, partitions: int, rows: int, labels: int) -> dict[str, Any]:
    count, stats = jvm.counter(spark)
    number = F.col("id")
    label = F.when(number % 10 != 0, F.format_string("l%07d", number % labels))
    length, reason = (number % 350).cast("int"), F.when(number % 7 == 0, "odd")
    part = F.when(number % 2 == 0, "x").otherwise("y")
    text = F.concat(
        F.element_at(F.array(*map(F.lit, ["취소 b ", "order 취", "注文", "1,2"])), (number % 4 + 1).cast("int")), number
    )
    columns = part, reason, label, F.lit(None).cast("string"), length, (number % 3).cast("int"), text
    frame = spark.range(0, rows, 1, partitions).where(count(*columns))
    frame.write.format("noop").mode("overwrite").save()
    return stats()


def test_counts_do_not_depend_on_partitions(spark: SparkSession) -> None:
    stats = counted(spark, 1, 7000, 5)
    assert stats == counted(spark, 9, 7000, 5)
    numbers = range(0, 7000, 2)
    part = stats["parts"]["x"]
    assert part["rows"] == 3500 and sum(part["labels"].values()) == 2800 and len(part["labels"]) == 4
    assert part["unknown"] == sum(n % 3 for n in numbers) and stats["reasons"] == {"odd": 1000}
    lengths = part["lengths"]
    assert (lengths["sum"], lengths["max"]) == (sum(n % 350 for n in numbers), 348)
    assert lengths["histogram"]["200"] == sum(200 <= n % 350 < 300 for n in numbers)
    assert "202" not in lengths["histogram"]
    assert sum(lengths["histogram"].values()) == 3500
    assert part["writing"] == {"hangul": 1750, "han": 1750}
    assert stats["parts"]["y"]["writing"] == {"latin": 1750, "none": 1750}
    reasons = [sample.get("reason") for sample in part["samples"]]
    assert reasons == [None] * 5 + ["odd"] * 5 and len({sample["text"] for sample in part["samples"]}) == 10


def test_no_more_than_ten_thousand_labels_are_named_and_always_the_same(spark: SparkSession) -> None:
    first, second = counted(spark, 2, 60_000, 30_001), counted(spark, 11, 60_000, 30_001)
    assert first == second
    labels = first["parts"]["x"]["labels"]
    assert len(labels) == 10_001 and sum(labels.values()) == 24_000 and max(labels, key=labels.__getitem__) == "…"


def test_nothing_is_carried_over_from_an_earlier_session(tmp_path: Path) -> None:
    """Broadcasts are numbered from 0 in every session of a JVM: what is kept must go by content."""
    program = """
import sys
from pathlib import Path
from pyspark.sql import functions as F
from spark_jobs import jvm, session
for lowercase in (False, True):
    spark = session.start(session.SparkSettings(master="local[1]", memory="512m"), Path(sys.argv[1]) / "spark.log")
    clean = jvm.function(spark, "clean", {"lowercase": lowercase})
    print(spark.range(1).select(clean(F.lit("ABC"))["text"]).first()[0])
    spark.stop()
"""
    root = Path(__file__).resolve().parents[2]
    command = [sys.executable, "-c", program, str(tmp_path)]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.split() == ["ABC", "abc"]


def test_the_json_of_parameters_may_hold_anything(spark: SparkSession) -> None:
    tokenize = jvm.function(spark, "tokenize", {"analyzer": "nori", "user_dict": ['따"옴표', "역\\사선", "한\n줄"]})
    assert spark.range(1).select(tokenize(F.lit("배송"))).first()[0] == ["배송"]
