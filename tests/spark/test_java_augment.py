"""Changed copies as the jar makes them: what may change, by how much, and what a finger does on the keyboard."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyspark.sql import SparkSession

from tests.spark.test_java_text import made

OFF = {"synonym": 0, "insert": 0, "swap": 0, "delete": 0, "spacing": 0, "typo": 0}
TABLE = {"배송": {"배달": 1, "택배": 1}, "환불": {"반품": 1}, "빨리": {"얼른": 1, "되도록 일찍": 1}}
WORDS = "배송 환불이 빨리 주문한 왔는데 없어요 괜찮나요? 의자 ㅋㅋㅋ 넹ㅎㅎ XL로 hello 3개 👍🏽 <phone> <order_no>로 값 꽃을".split()
ENTITIES = ("나이키 에어맥스", "빨강", "CJ대한통운", "XL", "👟 신발")
LEADS = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"
VOWELS = "ㅏ ㅐ ㅑ ㅒ ㅓ ㅔ ㅕ ㅖ ㅗ ㅗㅏ ㅗㅐ ㅗㅣ ㅛ ㅜ ㅜㅓ ㅜㅔ ㅜㅣ ㅠ ㅡ ㅡㅣ ㅣ".split()
TAILS = [
    "",
    *"ㄱ ㄲ ㄱㅅ ㄴ ㄴㅈ ㄴㅎ ㄷ ㄹ ㄹㄱ ㄹㅁ ㄹㅂ ㄹㅅ ㄹㅌ ㄹㅍ ㄹㅎ ㅁ ㅂ ㅂㅅ ㅅ ㅆ ㅇ ㅈ ㅊ ㅋ ㅌ ㅍ ㅎ".split(),
]
DOUBLE_VOWELS = dict(zip("ㅘㅙㅚㅝㅞㅟㅢ", "ㅗㅏ ㅗㅐ ㅗㅣ ㅜㅓ ㅜㅔ ㅜㅣ ㅡㅣ".split(), strict=True))


@dataclass(frozen=True)
class Copy:
    text: str
    entities: tuple[str | None, ...]
    operation: str


@lru_cache
def augmenter(spark: SparkSession, params: str) -> Any:
    return made(spark, "augment.Augmenter", json.loads(params))


def copies(
    spark: SparkSession, text: str, seeds: list[int], spans: tuple[tuple[int, int], ...] = (), **params: Any
) -> list[Copy | None]:
    """Copies with the text at each span; spans count UTF-16 units, as populate's do."""
    gateway: Any = spark.sparkContext._gateway
    numbers = gateway.new_array(gateway.jvm.long, len(seeds))
    places = gateway.jvm.java.util.ArrayList()
    for index, seed in enumerate(seeds):
        numbers[index] = seed
    for span in spans:
        place = gateway.new_array(gateway.jvm.int, 2)
        place[0], place[1] = span
        places.add(place)
    found = augmenter(spark, json.dumps(params)).copies(text, places, numbers)
    return [None if copy is None else _copy(copy) for copy in found]


def _copy(copy: Any) -> Copy:
    units = copy.text().encode("utf-16-le")
    places = [None if place is None else slice(2 * place[0], 2 * place[1]) for place in copy.places()]
    entities = [None if place is None else units[place].decode("utf-16-le") for place in places]
    return Copy(copy.text(), tuple(entities), copy.operation())


def keys(text: str) -> str:
    """The keys of the two-set keyboard that are pressed for a text."""
    return "".join(_keys(ord(c) - 0xAC00) if "가" <= c <= "힣" else DOUBLE_VOWELS.get(c, c) for c in text)


def _keys(index: int) -> str:
    return LEADS[index // 588] + VOWELS[index // 28 % 21] + TAILS[index % 28]


def distance(a: str, b: str) -> int:
    """Levenshtein's."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        before, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (x != y))
    return row[-1]


@st.composite
def texts(draw: st.DrawFn) -> tuple[str, tuple[tuple[int, int], ...]]:
    """A text of words and entities with particles, and where the entities are."""
    text, spans = "", []
    for word in draw(st.lists(st.sampled_from([*WORDS, *ENTITIES]), min_size=1, max_size=12)):
        text += " " if text else ""
        start = len(text.encode("utf-16-le")) // 2
        text += word
        if word in ENTITIES:
            spans.append((start, len(text.encode("utf-16-le")) // 2))
            text += draw(st.sampled_from(["", "를", "으로", "?"]))
    return text, tuple(spans)


RATES = st.fixed_dictionaries({name: st.sampled_from([0, 0.1, 0.5, 1]) for name in OFF})


@settings(max_examples=150, deadline=None)
@given(made_text=texts(), rates=RATES, mix=st.sampled_from(["one", "all"]), seed=st.integers(0, 1 << 40))
def test_entities_and_masks_stay_whole(spark: SparkSession, made_text: Any, rates: Any, mix: str, seed: int) -> None:
    text, spans = made_text
    units = text.encode("utf-16-le")
    entities = tuple(units[2 * start : 2 * end].decode("utf-16-le") for start, end in spans)
    change = partial(copies, spark, text, spans=spans, synonyms=TABLE, mix=mix, **rates)
    found = change([seed, seed + 1, seed + 2])
    assert found == change([seed, seed + 1, seed + 2]) and found[:2] == change([seed, seed + 1])
    for copy in found:
        if copy is not None:
            assert copy.entities == entities and copy.text not in (text, "")
            assert all(copy.text.count(mask) <= text.count(mask) for mask in ("<phone>", "<order_no>"))
            assert copy.text.count("<") == text.count("<") and copy.text.count(">") == text.count(">")
            assert {rates[name] > 0 for name in copy.operation.split("+")} == {True}


@settings(max_examples=150, deadline=None)
@given(
    made_text=texts(),
    operation=st.sampled_from(list(OFF)),
    rate=st.sampled_from([0.05, 0.2, 0.5]),
    seed=st.integers(0, 99),
)
def test_no_more_changes_than_the_rate(
    spark: SparkSession, made_text: Any, operation: str, rate: float, seed: int
) -> None:
    text, _ = made_text
    words = text.split()
    most = max(1, int(rate * len(words) + 0.5))
    for copy in copies(spark, text, [seed], synonyms=TABLE, **{**OFF, operation: rate}):
        if copy is None:
            continue
        lost, won = Counter(words) - Counter(copy.text.split()), Counter(copy.text.split()) - Counter(words)
        if operation == "swap":
            assert not lost and not won
            assert sum(a != b for a, b in zip(words, copy.text.split(), strict=True)) <= 2 * most
        elif operation == "delete":
            assert 1 <= lost.total() <= most and not won
        elif operation == "insert":
            assert not lost and 1 <= won.total() <= 2 * most
        elif operation == "synonym":
            assert 1 <= lost.total() <= most and won.total() <= 2 * most
        elif operation == "spacing":
            assert copy.text.replace(" ", "") == text.replace(" ", "") and lost.total() <= 2 * most
        else:
            typed = sum(c.isascii() and c.isalpha() or "ㄱ" <= c <= "힣" for w in words if "<" not in w for c in w)
            assert 1 <= distance(keys(text), keys(copy.text)) <= max(1, int(rate * typed + 0.5))


def slips(spark: SparkSession, text: str) -> set[str]:
    """All that may appear instead of a short text with one slip."""
    return {copy.text for copy in copies(spark, text, list(range(600)), **{**OFF, "typo": 0.01}) if copy}


@pytest.mark.parametrize(
    ("text", "every"),
    [
        ("s", "d a w e x z"),
        ("S", "D A W E X Z"),
        ("ㅋ", "ㅌ ㅁ ㄴ"),
        ("가", "까 다 사 아 라 거 기 갸 개 그"),
        ("과", "꽈 돠 솨 와 롸 ㄱ하 거ㅏ 교ㅏ 겨ㅏ 규ㅏ 구ㅏ 고ㅓ 괴 고ㅑ 괘 고ㅡ"),
        ("의", "늬 릐 듸 긔 틔 츼 위 어ㅣ 아ㅣ 으ㅏ 으ㅐ 으ㅔ"),
    ],
)
def test_a_finger_hits_a_key_beside_or_misses_the_shift_key(spark: SparkSession, text: str, every: str) -> None:
    assert slips(spark, text) == set(every.split())


@pytest.mark.parametrize(
    ("text", "possible"),
    [
        ("있", "이 있ㅆ 잇"),
        ("없", "업 없ㅅ 엊ㅅ 어뵤 업ㅎ"),
        ("안녕", "아녕 안ㄴ녕 안녀 안녕ㅇ 앙녕 안명 안녈"),
        ("가노", "갆 가모"),
    ],
)
def test_final_consonants_are_left_out_or_doubled_and_keys_composed_anew(
    spark: SparkSession, text: str, possible: str
) -> None:
    assert set(possible.split()) <= slips(spark, text)


def test_every_syllable_is_typed_as_it_is_written(spark: SparkSession) -> None:
    syllables = "".join(map(chr, range(0xAC00, 0xD7A4)))
    for start in range(0, len(syllables), 28 * 21):
        text = syllables[start : start + 28 * 21] + "힣"
        (copy,) = copies(spark, text, [start], **{**OFF, "typo": 1e-9})
        assert copy is not None and distance_of_one(keys(text), keys(copy.text))


def distance_of_one(a: str, b: str) -> bool:
    """Whether one letter was replaced, left out or put in."""
    first = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    rest = {0: (a[first + 1 :], b[first + 1 :]), 1: (a[first + 1 :], b[first:]), -1: (a[first:], b[first + 1 :])}
    left, right = rest[len(a) - len(b)]
    return a != b and left == right


@pytest.mark.parametrize(
    ("text", "results"),
    [
        ("배송이", {"배달이", "택배가"}),
        ("배송을?", {"배달을?", "택배를?"}),
        ("배송은", {"배달은", "택배는"}),
        ("배송으로", {"배달로", "택배로"}),
        ("환불해주세요!!", {"반품해주세요!!"}),
        ("환불에서", {"반품에서"}),
        ("빨리", {"얼른", "되도록 일찍"}),
        ("환불금", set()),
    ],
)
def test_a_synonym_takes_over_the_particle(spark: SparkSession, text: str, results: set[str]) -> None:
    found = copies(spark, text, list(range(40)), synonyms=TABLE, **{**OFF, "synonym": 0.1})
    assert {copy.text for copy in found if copy} == results


def test_weights_say_how_often_a_synonym_is_taken(spark: SparkSession) -> None:
    table = {"a": {"x": 3, "y": 1}}
    found = [copies(spark, "a", [seed], synonyms=table, **{**OFF, "synonym": 1})[0] for seed in range(1000)]
    assert 690 < Counter(copy.text for copy in found if copy)["x"] < 810


def test_operations_take_turns_also_where_some_can_do_nothing(spark: SparkSession) -> None:
    rates = {**OFF, "synonym": 0.1, "insert": 0.1, "swap": 0.1, "delete": 0.1, "spacing": 0.1, "typo": 0.1}
    text = "주문한 상품이 아직 안 왔는데 언제 오나요"
    found = [copies(spark, text, [seed], synonyms=TABLE, **rates)[0] for seed in range(2000)]
    counts = Counter(copy.operation for copy in found if copy)
    assert set(counts) == {"swap", "delete", "spacing", "typo"} and min(counts.values()) > 430


def test_entities_that_may_change_are_given_up(spark: SparkSession) -> None:
    text, spans = "빨강 배송 부탁", ((0, 2), (3, 5))
    params = {**OFF, "synonyms": TABLE, "synonym": 0.1, "keep": "none"}
    assert {(c.text[3:5], c.entities) for c in copies(spark, text, list(range(9)), spans, **params) if c} == {
        ("배달", ("빨강", None)),
        ("택배", ("빨강", None)),
    }


def test_copies_of_a_text_differ_as_long_as_it_has_others(spark: SparkSession) -> None:
    found = [copy.text for copy in copies(spark, "a b c", list(range(5)), **{**OFF, "delete": 0.3}) if copy]
    assert len(found) == 5 and set(found) == {"a b", "a c", "b c"} and len(set(found[:2])) == 2


def test_spaces_at_the_ends_are_no_change(spark: SparkSession) -> None:
    assert copies(spark, " a  a ", [1, 2, 3], **{**OFF, "swap": 0.5}) == [None, None, None]
