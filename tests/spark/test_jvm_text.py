"""The jar's text functions at their boundary: what goes in and what comes out."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyspark.sql import SparkSession

Clean = Callable[..., tuple[str, str | None]]
Tokenize = Callable[..., list[str]]


@pytest.fixture(scope="module")
def clean(spark: SparkSession) -> Clean:
    made: dict[str, Any] = {}

    def call(text: str, **params: Any) -> tuple[str, str | None]:
        key = json.dumps(params)
        if key not in made:
            node = spark._jvm.com.fasterxml.jackson.databind.ObjectMapper().readTree(key)
            made[key] = spark._jvm.io.textmill.text.Cleaner(node)
        result = made[key].clean(text)
        return result.text(), result.reason()

    return call


@pytest.fixture(scope="module")
def tokenize(spark: SparkSession) -> Tokenize:
    made: dict[str, Any] = {}

    def call(text: str, analyzer: str, **params: Any) -> list[str]:
        key = json.dumps({"analyzer": analyzer, **params})
        if key not in made:
            node = spark._jvm.com.fasterxml.jackson.databind.ObjectMapper().readTree(key)
            made[key] = spark._jvm.io.textmill.text.TextTokenizer(node)
        return list(made[key].tokenize(text))

    return call


MASKS = ["card", "phone", "order_no", "email", "url"]


@pytest.mark.parametrize(
    ("raw", "cleaned"),
    [
        ("  두  칸\t띄움 \n", "두 칸 띄움"),
        ("한글", "한글"),
        ("ｆｕｌｌ　ｗｉｄｔｈ！", "full width!"),
        ("보이지\u200b않는\ufeff글자\x07", "보이지않는글자"),
        ("ㅋㅋ ㅠㅠ", "ㅋㅋ ㅠㅠ"),
        ("👨\u200d👩\u200d👧 가족", "👨\u200d👩\u200d👧 가족"),
        ("제 번호는 010-1234-5678 이에요", "제 번호는 <phone> 이에요"),
        ("０１０１２３４５６７８", "<phone>"),
        ("+82 10 1234 5678로 연락", "<phone>로 연락"),
        ("02-123-4567", "<phone>"),
        ("1588-1234", "<phone>"),
        ("주문번호 20240101-1234567 확인", "주문번호 <order_no> 확인"),
        ("ORD-12345678", "<order_no>"),
        ("카드 1234-5678-9012-3456 결제", "카드 <card> 결제"),
        ("1234567890123456", "<card>"),
        ("mail me: kim.a@shop.co.kr.", "mail me: <email>."),
        ("https://shop.example/a?b=c 여기", "<url> 여기"),
        ("2만 5천원 3개 245 사이즈", "2만 5천원 3개 245 사이즈"),
        ("2024-01-15 주문", "2024-01-15 주문"),
    ],
)
def test_cleaning(clean: Clean, raw: str, cleaned: str) -> None:
    assert clean(raw, mask=MASKS) == (cleaned, None)


def test_nothing_is_masked_unless_asked(clean: Clean) -> None:
    assert clean("010-1234-5678")[0] == "010-1234-5678"


@pytest.mark.parametrize(
    ("text", "reason"), [("", "too_short"), ("가", "too_short"), ("가나", None), ("가" * 6, "too_long"), ("👍👍", None)]
)
def test_lengths_are_counted_in_code_points(clean: Clean, text: str, reason: str | None) -> None:
    assert clean(text, min_chars=2, max_chars=5)[1] == reason


@settings(max_examples=60)
@given(st.text(alphabet=st.characters(blacklist_categories=["Cs"]), max_size=60))
def test_cleaning_twice_changes_nothing_more(clean: Clean, text: str) -> None:
    once = clean(text, mask=MASKS)[0]
    assert clean(once, mask=MASKS)[0] == once
    assert once == once.strip() and "  " not in once


@pytest.mark.parametrize(
    ("text", "analyzer", "tokens"),
    [
        ("배송이 언제 되나요", "nori", ["배송", "언제", "되"]),
        ("안 왔어요", "nori", ["안", "오"]),
        ("안녕하세요", "nori", ["안녕"]),
        ("The cards were LOST", "english", ["the", "card", "were", "lost"]),
        ("The cards were LOST", "standard", ["the", "cards", "were", "lost"]),
        ("The cards were LOST", "whitespace", ["The", "cards", "were", "LOST"]),
        ("call <phone> now", "english", ["call", "<phone>", "now"]),
        ("연락은 <phone> 입니다", "nori", ["연락", "<phone>"]),
        ("!!! ???", "nori", ["!!!", "???"]),
        ("東京都に住む", "kuromoji", ["東京", "都", "住む"]),
    ],
)
def test_tokens(tokenize: Tokenize, text: str, analyzer: str, tokens: list[str]) -> None:
    assert tokenize(text, analyzer)[: len(tokens)] == tokens


def test_verbs_come_out_as_their_stems(tokenize: Tokenize) -> None:
    stems = {tuple(tokenize(text, "nori")) for text in ("먹어요", "먹었어요", "먹나요", "먹습니다", "먹을까요")}
    assert stems == {("먹",)}


def test_a_user_dictionary_keeps_a_value_whole(tokenize: Tokenize) -> None:
    assert "새롬초코라떼" not in tokenize("새롬초코라떼는 있나요", "nori")
    assert "새롬초코라떼" in tokenize(
        "새롬초코라떼는 있나요", "nori", user_dict=["새롬초코라떼", "두 단어", "새롬초코라떼"]
    )


def test_stop_words_are_kept_unless_asked(tokenize: Tokenize) -> None:
    assert tokenize("where is it", "english") == ["where", "is", "it"]
    assert tokenize("where is it", "english", stop_words=True) == ["where"]


def test_the_names_of_the_schema_are_those_of_the_jar(spark: SparkSession) -> None:
    from typing import get_args

    from spark_jobs.tokenize import Analyzer

    in_python = {"sentencepiece"}
    assert sorted(set(get_args(Analyzer)) - in_python) == sorted(spark._jvm.io.textmill.text.Analyzers.names())


@settings(max_examples=100, deadline=None)
@given(st.text(st.sampled_from("가각힣값ㅋㅏabZ1.<😀\u3000 \n"), max_size=20))
def test_jamo_are_the_canonical_decomposition_and_spaces_one_token(tokenize: Tokenize, text: str) -> None:
    spaced = re.sub(r"\s+", "\u2581", text)
    assert tokenize(text, "char") == list(spaced)
    assert tokenize(text, "jamo") == list(unicodedata.normalize("NFD", spaced))
