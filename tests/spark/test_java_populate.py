"""Populate in the jar: particles by sound, and exactness where numbers get large or weights uneven."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from py4j.protocol import Py4JJavaError
from pyspark.errors import IllegalArgumentException
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from spark_jobs import jvm
from tests.spark.test_java_text import made


def plan(
    pieces: list[dict[str, Any]], amount: int, lists: dict[str, Any] | None = None, seed: int = 7
) -> dict[str, Any]:
    templates = [{"label": "a", "line": 3, "amount": amount, "pieces": pieces}]
    return {"seed": seed, "lists": lists or {}, "templates": templates}


def texts(spark: SparkSession, wanted: dict[str, Any]) -> list[str]:
    populator = made(spark, "populate.Populator", wanted)
    return [populator.at(i).text() for i in range(populator.size())]


def slots(count: int, size: int) -> dict[str, Any]:
    return {f"L{n}": {"values": [f"{n}_{v}." for v in range(size)], "weights": None} for n in range(count)}


@pytest.mark.parametrize(
    ("word", "pair", "particle"),
    [
        # hangul: no final consonant, one, ㄹ
        ("사과", "을/를", "를"), ("귤", "을/를", "을"), ("귤", "으로/로", "로"), ("감", "로/으로", "으로"), ("배", "으로/로", "로"),
        ("감", "이었/였", "이었"), ("배", "이었/였", "였"), ("민준", "아/야", "아"), ("지우", "아/야", "야"), ("귤", "이라/라", "이라"),
        ("감", "으로서/로서", "으로서"), ("귤", "으로서/로서", "로서"), ("배", "이든지/든지", "든지"),
        # numbers as they are read
        ("3", "이/가", "이"), ("4", "이/가", "가"), ("7", "으로/로", "로"), ("8", "을/를", "을"), ("9", "을/를", "를"),
        ("20", "은/는", "은"), ("300", "으로/로", "으로"), ("1,000", "을/를", "을"), ("10000", "이/가", "이"),
        ("100000000", "이/가", "이"), ("1000000000000", "이/가", "가"), ("3.5", "를/을", "를"), ("1.0", "이/가", "이"),
        ("50%", "을/를", "를"), ("25℃", "이/가", "가"),
        # letters and units
        ("L", "으로/로", "로"), ("XL", "이/가", "이"), ("N", "을/를", "을"), ("R", "으로/로", "로"), ("R", "을/를", "을"),
        ("KTX", "을/를", "를"),
        ("iPhone", "을/를", "을"), ("iPad", "을/를", "를"), ("5kg", "을/를", "을"), ("100m", "을/를", "를"), ("1L", "으로/로", "로"),
        ("1L", "이/가", "가"), ("2XL", "이/가", "이"),
        # words as they are spelt
        ("link", "를/을", "를"), ("book", "을/를", "을"), ("pack", "을/를", "을"), ("app", "을/를", "을"), ("product", "을/를", "를"),
        ("apple", "으로/로", "로"), ("game", "을/를", "을"), ("cake", "을/를", "를"),
        ("email", "로/으로", "로"), ("card", "을/를", "를"),
        ("blog", "을/를", "를"), ("king", "을/를", "을"), ("car", "을/를", "를"),
        # what comes after the word
        ("감)", "이/가", "이"), ("'배'", "이/가", "가"), ("귤!?", "은/는", "은"), ("감👍", "은/는", "은"),
        ("ㅋㅋ", "을/를", "를"), ("…", "은/는", "는"),
    ],
)  # fmt: skip
def test_particles(spark: SparkSession, word: str, pair: str, particle: str) -> None:
    assert texts(spark, plan([{"text": word}, {"particle": pair}], 1)) == [word + particle]


@settings(max_examples=60, deadline=None)
@given(
    weights=st.lists(st.one_of(st.floats(0, 1e6), st.just(0.0), st.just(1e-9)), min_size=1, max_size=7),
    rest=st.integers(1, 7),
    share=st.floats(0, 1),
    seed=st.integers(0, 1 << 40),
)
def test_uneven_weights_never_repeat_a_combination(
    spark: SparkSession, weights: list[float], rest: int, share: float, seed: int
) -> None:
    lists = {"W": {"values": [f"w{v}." for v in range(len(weights))], "weights": weights}, **slots(1, rest)}
    pieces = [{"entity": "W"}, {"entity": "W"}, {"entity": "L0"}]
    amount = max(1, round(share * len(weights) ** 2 * rest))
    found = texts(spark, plan(pieces, amount, lists, seed))
    assert len(found) == len(set(found)) == amount


def test_every_combination_comes_when_all_are_asked_for(spark: SparkSession) -> None:
    lists = {"W": {"values": ["a", "b", "c"], "weights": [0.1, 0.7, 1e-300]}, **slots(1, 7)}
    pieces = [{"entity": "W"}, {"choice": ["", "x"]}, {"entity": "L0"}]
    assert len(set(texts(spark, plan(pieces, 42, lists)))) == 42


def test_expected_counts_are_kept_to_within_one(spark: SparkSession) -> None:
    weights = [0.1 * n for n in range(1, 11)]
    lists = {"W": {"values": [f"w{v}." for v in range(10)], "weights": weights}, **slots(1, 500)}
    for seed in range(5):
        found = texts(spark, plan([{"entity": "W"}, {"entity": "L0"}], 333, lists, seed))
        counts = Counter(text.split(".")[0] for text in found)
        expected = {f"w{v}": 333 * weight / sum(weights) for v, weight in enumerate(weights)}
        assert all(abs(counts[value] - count) < 1 + 1e-4 for value, count in expected.items())


def test_a_value_of_weight_0_comes_only_when_the_others_are_used_up(spark: SparkSession) -> None:
    lists = {"W": {"values": ["never", "a", "b"], "weights": [0, 1, 2]}, **slots(1, 10)}
    pieces = [{"entity": "W"}, {"entity": "L0"}]
    assert not any("never" in text for text in texts(spark, plan(pieces, 20, lists)))
    assert sum("never" in text for text in texts(spark, plan(pieces, 25, lists))) == 5


@pytest.mark.parametrize("weights", [None, [1.0] * 1000])
def test_a_template_of_more_combinations_than_a_long_holds(spark: SparkSession, weights: list[float] | None) -> None:
    lists = {**slots(9, 1000), "W": {"values": [f"w{n}." for n in range(1000)], "weights": weights}}
    found = texts(spark, plan([{"entity": "W"}, *({"entity": f"L{n}"} for n in range(9))], 2000, lists))
    assert len(set(found)) == 2000
    for slot in range(10):
        assert len({text.split(".")[slot] for text in found}) > 700


def test_without_weights_combinations_are_drawn_evenly(spark: SparkSession) -> None:
    counts: Counter[str] = Counter()
    for seed in range(120):
        counts.update(texts(spark, plan([{"choice": list("abcde")}, {"choice": list("vwxyz")}], 5, seed=seed)))
    # 24 expected each; five standard deviations are 22.
    assert len(counts) == 25 and all(2 < count < 46 for count in counts.values())


def test_numbers_beyond_the_plan_and_unknown_lists_are_refused(spark: SparkSession) -> None:
    populator = made(spark, "populate.Populator", plan([{"choice": ["a", "b"]}], 2))
    for number in (-1, 2):
        with pytest.raises(Py4JJavaError, match=f"utterance {number} of 2"):
            populator.at(number)
    with pytest.raises(IllegalArgumentException, match="the plan has no list NOPE"):
        made(spark, "populate.Populator", plan([{"entity": "NOPE"}], 1))


def test_the_function_gives_the_same_in_any_partition(spark: SparkSession) -> None:
    pieces = [{"text": "👍 "}, {"entity": "L0", "span": True}, {"particle": "을/를"}, {"choice": ["", " 주세요"]}]
    wanted = plan(pieces, 30, slots(1, 20))
    make = jvm.function(spark, "populate", wanted)
    frames = [spark.range(0, 30, 1, parts).select(make(F.col("id")).alias("m")) for parts in (1, 7)]
    rows = [frame.select("m.*").collect() for frame in frames]
    assert rows[0] == rows[1]
    for text, label, line, spans in rows[0]:
        units = text.encode("utf-16-le")
        (span,) = spans
        assert units[2 * span["start"] : 2 * span["end"]].decode("utf-16-le") in json.dumps(wanted["lists"])
        assert (label, line, span["entity"]) == ("a", 3, "L0")
