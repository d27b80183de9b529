"""Cleaning and tokenizing in the jar: hard cases of chat texts, and texts made to do harm."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from functools import lru_cache, reduce
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyspark.errors import IllegalArgumentException
from pyspark.sql import SparkSession

ENGLAND = "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"
MASKS = ["url", "email", "card", "phone", "order_no"]
Clean = Callable[..., str]
Tokenize = Callable[..., list[str]]


def made(spark: SparkSession, name: str, params: dict[str, Any]) -> Any:
    """An object of the jar's class io.textmill.`name`, constructed from parameters."""
    jvm: Any = spark._jvm
    node = jvm.com.fasterxml.jackson.databind.ObjectMapper().readTree(json.dumps(params))
    return reduce(getattr, name.split("."), jvm.io.textmill)(node)


@pytest.fixture(scope="module")
def clean(spark: SparkSession) -> Clean:
    cleaner = lru_cache(lambda params: made(spark, "text.Cleaner", json.loads(params)))
    return lambda text, **params: cleaner(json.dumps(params)).clean(text).text()


@pytest.fixture(scope="module")
def tokenize(spark: SparkSession) -> Tokenize:
    chain = lru_cache(lambda params: made(spark, "text.TextTokenizer", json.loads(params)))
    return lambda text, analyzer="nori", **params: list(
        chain(json.dumps({"analyzer": analyzer, **params})).tokenize(text)
    )


@pytest.mark.parametrize(
    ("raw", "cleaned"),
    [
        ("ㅋㅋㅋ ㅠㅠ ㄱㄱ", "ㅋㅋㅋ ㅠㅠ ㄱㄱ"),
        ("ﾊﾞﾅﾅ ﾌﾟﾘﾝ", "バナナ プリン"),
        ("￦１，０００ ～", "₩1,000 ~"),
        ("e\u200b\u0301", "é"),
        ("보\u200d이\u200c지\u2060 않\u00ad는", "보이지 않는"),
        ("빈ㅤ칸\u3164\u3164하나", "빈 칸 하나"),
        ("줄\u2028과\x85줄\r\n줄", "줄 과 줄 줄"),
        ("👨\u200d👩\u200d👧 ❤️\u200d🔥 👋🏽", "👨\u200d👩\u200d👧 ❤️\u200d🔥 👋🏽"),
        (ENGLAND, ENGLAND),
        ("새 그림 🫠🫨🪿", "새 그림 🫠🫨🪿"),
        ("끝\ufffe\uffff\x00\x1b", "끝"),
        ("👍\u200d", "👍"),
        ("", ""),
    ],
)  # fmt: skip
def test_cleaning(clean: Clean, raw: str, cleaned: str) -> None:
    assert clean(raw) == cleaned


def test_jamo_survive_the_compatibility_form(clean: Clean) -> None:
    assert clean("ㅋㅋ ㅠㅠ ㄱㅏ ﬁ ① ｶﾞ", unicode="NFKC", width=False) == "ㅋㅋ ㅠㅠ ㄱㅏ fi 1 ガ"


def test_widths_and_forms_are_left_alone_where_not_wanted(clean: Clean) -> None:
    assert clean("ＡＢ ｶ e\u0301", unicode="none", width=False) == "ＡＢ ｶ e\u0301"


@pytest.mark.parametrize(
    ("raw", "masked"),
    [
        ("010-1234-5678입니다", "<phone>입니다"),
        ("번호010.1234.5678이고", "번호<phone>이고"),
        ("010–1234–5678", "<phone>"),
        ("(031) 123 4567", "<phone>"),
        ("02)123-4567", "<phone>"),
        ("0505-123-4567", "<phone>"),
        ("821012345678", "<phone>"),
        ("+1 (415) 555-2671", "<phone>"),
        ("+33 6 12 34 56 78로", "<phone>로"),
        ("+44 20 7946 0958", "<phone>"),
        ("415-555-2671 or (415) 555-2671", "<phone> or <phone>"),
        ("15771234에 1588 1234", "<phone>에 <phone>"),
        ("010-1234-5678,010-9876-5432", "<phone>,<phone>"),
        ("4111.1111.1111.1111", "<card>"),
        ("4111-1111-1111-1111-22", "4111-1111-1111-1111-22"),
        ("ORD-2024-00123 취소", "<order_no> 취소"),
        ("ord-a1b2 order_77", "<order_no> <order_no>"),
        ("2024010112345번", "<order_no>번"),
        ("20240101-20240131 행사", "20240101-20240131 행사"),
        ("HTTPS://A.B/C?d=1에서", "<url>에서"),
        ("www.shop.co.kr, 참고", "<url>, 참고"),
        ("메일은kim_1@a-b.co.kr로", "메일은<email>로"),
        ("12:30에 1,000,000원 2024-01-15 0.5 300 500 1000", "12:30에 1,000,000원 2024-01-15 0.5 300 500 1000"),
        ("+10000000원", "+10000000원"),
        ("iPhone15 GS25 A4", "iPhone15 GS25 A4"),
    ],
)
def test_masks(clean: Clean, raw: str, masked: str) -> None:
    assert clean(raw, mask=MASKS) == masked


def test_the_mask_of_numbers_comes_last(clean: Clean) -> None:
    assert clean("1,000원 245mm A4 010-1234-5678", mask=["number", "phone"]) == "<number>원 <number>mm A4 <phone>"


def test_an_unknown_mask_is_refused_with_the_known_ones(clean: Clean) -> None:
    with pytest.raises(IllegalArgumentException, match=r"unknown mask fax; there are: \[url, email, card"):
        clean("x", mask=["fax"])


@pytest.mark.parametrize(
    "text",
    [
        "1" + "a" * 500_000, "a@" + "b." * 250_000, "20240101" + "a" * 500_000, "1-" * 250_000, "+1" * 250_000,
        "http://" + "." * 500_000 + "1", "ord-" + "-a" * 250_000, "1234-" * 100_000, "1,1." * 100_000,
    ],
)  # fmt: skip
@pytest.mark.timeout(60)
def test_a_hostile_text_takes_neither_minutes_nor_the_stack(clean: Clean, text: str) -> None:
    assert clean(text, mask=[*MASKS, "number"])


@settings(max_examples=200, deadline=None)
@given(
    st.text(st.sampled_from("가ㅋa1090 -.+()@/:w\u200b\u200d\u0301👍️＋ｶﾞ İ\u3164"), max_size=40),
    st.sampled_from(["NFC", "NFKC", "none"]),
)
def test_cleaning_a_cleaned_text_changes_nothing(clean: Clean, text: str, form: str) -> None:
    params = {"unicode": form, "lowercase": True, "mask": MASKS}
    once = clean(text, **params)
    assert clean(once, **params) == once == once.strip()


def test_every_analyzer_keeps_masks_whole_and_gives_no_empty_token(spark: SparkSession, tokenize: Tokenize) -> None:
    assert spark._jvm is not None
    names = list(spark._jvm.io.textmill.text.Analyzers.names())
    assert len(names) >= 30 and names == sorted(names)
    for name in names:
        tokens = tokenize("abc <phone>, <order_no>xyz", name)
        assert [token for token in tokens if token.startswith("<")] == ["<phone>", "<order_no>"], name
        assert all(tokens), name
        assert "".join(tokenize("...", name)) == "...", name


@pytest.mark.parametrize("text", ["", "  ", "\u3000\n"])
def test_a_blank_text_has_no_tokens(tokenize: Tokenize, text: str) -> None:
    assert tokenize(text) == tokenize(text, "whitespace") == []


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("환불은 안 되나요?", ["환불", "안", "되"]),
        ("못 받았어요", ["못", "받"]),
        ("네 안녕", ["네", "안녕"]),
        ("이 신발 3개", ["이", "신발", "3", "개"]),
        ("NIKE 신발", ["nike", "신발"]),
    ],
)
def test_what_nori_keeps(tokenize: Tokenize, text: str, tokens: list[str]) -> None:
    assert tokenize(text)[: len(tokens)] == tokens


def test_a_user_dictionary_holds_values_that_lucene_finds_hard(tokenize: Tokenize) -> None:
    words = ["에어포스원ABC", "나이키 에어", "나이키 에어", "C#", "#태그", "", "가" * 300, "T-셔츠", "한글강의"]
    tokens = tokenize("에어포스원ABC와 에어포스원abc, 한글강의", user_dict=words)
    assert tokens == ["에어포스원abc", "에어포스원abc", "한글강의"]
    assert tokenize("C언어", user_dict=words) == tokenize("C언어")


@settings(max_examples=25, deadline=None)
@given(st.lists(st.text(max_size=8), max_size=5))
def test_any_values_make_a_user_dictionary(spark: SparkSession, words: list[str]) -> None:
    chain = made(spark, "text.TextTokenizer", {"analyzer": "nori", "user_dict": words})
    assert list(chain.tokenize("배송 언제"))[:1] == ["배송"]


def test_stop_tags_go_by_lucenes_names_and_by_the_finer_ones(tokenize: Tokenize) -> None:
    assert tokenize("배송이 언제", stop_tags=["JKS"]) == tokenize("배송이 언제", stop_tags=["J"]) == ["배송", "언제"]
    assert tokenize("배송이 언제", stop_tags=[]) == ["배송", "이", "언제"]
    with pytest.raises(IllegalArgumentException, match=r"unknown part-of-speech tag FOO; there are: \[E"):
        tokenize("배송", stop_tags=["FOO"])


def test_tokenizing_from_many_threads_gives_the_same(tokenize: Tokenize) -> None:
    texts = [f"배송이 언제 되나요 {n}" for n in range(40)]
    expected = [tokenize(text) for text in texts]
    found: dict[int, list[list[str]]] = {}
    threads = [
        threading.Thread(target=lambda n=n: found.update({n: [tokenize(text) for text in texts]})) for n in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [found[n] for n in range(4)] == [expected] * 4
