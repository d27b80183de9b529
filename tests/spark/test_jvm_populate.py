"""Populate's guarantees: exact amounts, no combination twice, weights, particles, spans."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyspark.sql import SparkSession


def populator(spark: SparkSession, plan: dict[str, Any]) -> Any:
    node = spark._jvm.com.fasterxml.jackson.databind.ObjectMapper().readTree(json.dumps(plan))
    return spark._jvm.io.textmill.populate.Populator(node)


def template(pieces: list[dict[str, Any]], amount: int, line: int = 1, label: str = "a") -> dict[str, Any]:
    return {"label": label, "line": line, "amount": amount, "pieces": pieces}


def words(prefix: str, number: int) -> list[str]:
    return [f"{prefix}{n}." for n in range(number)]


@settings(max_examples=40)
@given(
    sizes=st.lists(st.tuples(st.integers(1, 6), st.booleans()), min_size=1, max_size=4),
    seed=st.integers(0, 1000),
    data=st.data(),
)
def test_no_combination_twice_and_exactly_the_amount(
    spark: SparkSession, sizes: list[tuple[int, bool]], seed: int, data: st.DataObject
) -> None:
    lists, pieces, capacity = {}, [], 1
    for number, (size, weighted) in enumerate(sizes):
        weights = data.draw(st.lists(st.integers(1, 100), min_size=size, max_size=size)) if weighted else None
        lists[f"L{number}"] = {"values": words(f"{number}_", size), "weights": weights}
        pieces.append({"entity": f"L{number}", "span": True})
        capacity *= size
    amount = data.draw(st.integers(1, capacity))
    made = populator(spark, {"seed": seed, "lists": lists, "templates": [template(pieces, amount)]})
    texts = [made.at(i).text() for i in range(amount)]
    assert made.size() == amount and len(set(texts)) == amount


def test_weights_are_followed_to_the_nearest_utterance(spark: SparkSession) -> None:
    lists = {"P": {"values": ["a", "b", "c"], "weights": [6, 3, 1]}, "Q": {"values": words("q", 40), "weights": None}}
    pieces = [{"entity": "P", "span": True}, {"text": " "}, {"entity": "Q", "span": True}]
    made = populator(spark, {"seed": 3, "lists": lists, "templates": [template(pieces, 50)]})
    counts = Counter(made.at(i).text().split()[0] for i in range(50))
    assert all(abs(counts[value] - expected) <= 1 for value, expected in (("a", 30), ("b", 15), ("c", 5)))


def test_what_is_above_a_values_capacity_goes_to_the_others(spark: SparkSession) -> None:
    lists = {"P": {"values": ["a", "b"], "weights": [99, 1]}, "Q": {"values": words("q", 10), "weights": None}}
    pieces = [{"entity": "P", "span": True}, {"text": " "}, {"entity": "Q", "span": True}]
    made = populator(spark, {"seed": 3, "lists": lists, "templates": [template(pieces, 15)]})
    assert Counter(made.at(i).text().split()[0] for i in range(15)) == {"a": 10, "b": 5}


def test_without_weights_every_value_is_about_as_frequent(spark: SparkSession) -> None:
    pieces = [{"choice": words("x", 10)}, {"choice": words("y", 100)}, {"choice": words("z", 100)}]
    made = populator(spark, {"seed": 5, "lists": {}, "templates": [template(pieces, 2000)]})
    counts = Counter(made.at(i).text().split(".")[0] for i in range(2000))
    assert len(counts) == 10 and 140 < min(counts.values()) and max(counts.values()) < 260


def test_the_nth_utterance_needs_no_other_and_another_seed_gives_others(spark: SparkSession) -> None:
    def plan(seed: int) -> dict[str, Any]:
        pieces = [{"choice": words("x", 50)}, {"choice": words("y", 50)}]
        return {"seed": seed, "lists": {}, "templates": [template(pieces, 100), template(pieces, 100, 2, "b")]}

    forward, backward = populator(spark, plan(1)), populator(spark, plan(1))
    texts = [forward.at(i).text() for i in range(200)]
    assert texts == [backward.at(i).text() for i in reversed(range(200))][::-1]
    assert texts != [populator(spark, plan(2)).at(i).text() for i in range(200)]
    assert [forward.at(i).label() for i in (0, 99, 100, 199)] == ["a", "a", "b", "b"]


@pytest.mark.parametrize(
    ("word", "pair", "particle"),
    [
        ("연필", "을/를", "을"), ("지우개", "을/를", "를"), ("지우개", "를/을", "를"), ("연필", "이/가", "이"), ("가위", "이/가", "가"),
        ("책상", "은/는", "은"), ("의자", "은/는", "는"), ("책", "와/과", "과"), ("우유", "와/과", "와"), ("서울", "으로/로", "로"),
        ("부산", "으로/로", "으로"), ("제주", "으로/로", "로"), ("책", "이랑/랑", "이랑"), ("커피", "이랑/랑", "랑"), ("물", "이나/나", "이나"),
        ("학생", "이에요/예요", "이에요"), ("의사", "이에요/예요", "예요"), ("230", "으로/로", "으로"), ("265", "으로/로", "로"),
        ("1", "으로/로", "로"), ("1", "을/를", "을"), ("10", "을/를", "을"), ("0", "이/가", "이"), ("2", "이/가", "가"), ("6", "은/는", "은"),
        ("XL", "으로/로", "로"), ("XL", "을/를", "을"), ("M", "으로/로", "으로"), ("S", "을/를", "를"), ("USB", "을/를", "를"), ("TV", "이/가", "가"),
        ("book", "을/를", "을"), ("tea", "을/를", "를"), ("연필)", "을/를", "을"), ("“가방”", "이/가", "이"), ("", "을/를", "를"),
        ("집", "이라고/라고", "이라고"), ("책상", "으로/로", "으로"),
    ],
)  # fmt: skip
def test_particles_agree(spark: SparkSession, word: str, pair: str, particle: str) -> None:
    plan = {"seed": 1, "lists": {}, "templates": [template([{"text": word}, {"particle": pair}], 1)]}
    assert populator(spark, plan).at(0).text() == word + particle


def test_a_particle_may_be_an_alternative(spark: SparkSession) -> None:
    pieces = [{"choice": ["책", "차"]}, {"choice": ["이/가", "도"]}]
    made = populator(spark, {"seed": 1, "lists": {}, "templates": [template(pieces, 4)]})
    assert {made.at(i).text() for i in range(4)} == {"책이", "책도", "차가", "차도"}


def test_spans_are_where_the_entities_are(spark: SparkSession) -> None:
    lists = {"P": {"values": ["👟 신발", "가방"], "weights": None}, "C": {"values": ["빨강"], "weights": None}}
    pieces = [{"text": "👍 "}, {"entity": "P", "span": True}, {"particle": "을/를"}, {"entity": "C", "span": False}]
    made = populator(spark, {"seed": 1, "lists": lists, "templates": [template(pieces, 2)]})
    for i in range(2):
        utterance = made.at(i)
        units = utterance.text().encode("utf-16-le")
        (span,) = utterance.spans()
        found = units[2 * span.start() : 2 * span.end()].decode("utf-16-le")
        assert (found in lists["P"]["values"], span.entity()) == (True, "P")
