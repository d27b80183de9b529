"""Invisible characters go and those that carry meaning stay, the same in Java and in Python."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyspark.sql import SparkSession

import textmill
from spark_jobs import jvm
from textmill import texts

JOINER, NON_JOINER = "\u200d", "\u200c"
Label = Callable[[str], str]


@pytest.fixture(scope="module")
def label(spark: SparkSession) -> Label:
    return spark._jvm.io.textmill.text.Labels.clean  # type: ignore[union-attr]


@pytest.fixture(scope="module")
def clean(spark: SparkSession) -> Label:
    cleaner = spark._jvm.io.textmill.text.Cleaner(  # type: ignore[union-attr]
        spark._jvm.com.fasterxml.jackson.databind.ObjectMapper().readTree("{}")  # type: ignore[union-attr]
    )
    return lambda text: cleaner.clean(text).text()


@pytest.mark.parametrize("first", [*range(0, 0x20000, 0x4000), 0xE0000])
def test_java_and_python_agree_on_every_code_point(label: Label, clean: Label, first: int) -> None:
    """All planes that have characters but that of Han, whose first ones stand for the others."""
    known = [chr(code) for code in range(first, first + 0x4000)
             if unicodedata.category(chr(code)) != "Cs" and not _is_newer_than_java(chr(code))]  # fmt: skip
    joined = "|".join(f"a{char}b" for char in [*known, chr(0x20000), chr(0x2FFFF)])
    assert label(joined) == texts.label(joined)
    assert clean(joined) == texts.clean(joined)


def _is_newer_than_java(char: str) -> bool:
    """What Unicode 14 added decomposes and composes in Python 3.11 and not yet in Java 17."""
    return (
        unicodedata.normalize("NFC", char) != char
        and unicodedata.ucd_3_2_0.category(char) == "Cn"
        and char > "\U00010fff"
    )


ALPHABET = "가각a1 \u00a0\t\u200b\u0301👨👩👧❤🙂↔\ufe0f\U0001f3fd\u200d\u200c\U0001f3f4\U000e0067\U000e007fمیक्षന്ｶﾞＡ\ufeff\ue000"


@settings(max_examples=300, deadline=None)
@given(st.text(st.sampled_from(ALPHABET), max_size=20))
def test_java_and_python_agree_on_any_order_of_hard_characters(label: Label, clean: Label, text: str) -> None:
    assert label(text) == texts.label(text)
    assert clean(text) == texts.clean(text)


def emoji() -> Iterator[str]:
    """Unicode's sequences, each with and without variation selectors and skin tones after its elements."""
    file = Path(textmill.__file__).with_name("emoji_sequences.txt")
    for line in file.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            elements = [chr(int(code, 16)) for code in line.split()]
            yield from (JOINER.join(element + after for element in elements) for after in ("", "\ufe0f", "\U0001f3fd"))


def test_every_emoji_that_unicode_joins_keeps_its_joiners(clean: Label) -> None:
    every = list(emoji())
    assert len(every) > 750
    text = " ".join(every)
    assert clean(text) == text
    assert texts.clean(text) == text


@pytest.mark.parametrize(
    ("raw", "cleaned"),
    [
        ("🙂\u200d↔️ 🙂\u200d↕️ 🏃\u200d♀️\u200d➡️", "🙂\u200d↔️ 🙂\u200d↕️ 🏃\u200d♀️\u200d➡️"),
        ("👍\u200d", "👍"),
        ("\u200d👍", "👍"),
        ("©\u200d®", "©®"),
        ("a\u200db 가\u200d나", "ab 가나"),
        ("می\u200cخواهم", "می\u200cخواهم"),  # I want: without the non-joiner two words run together
        ("می\u200c\u200cخواهم\u200c", "می\u200cخواهم"),
        ("ه\u200d ک", "ه\u200d ک"),
        ("क्\u200dष क्\u200cष", "क्\u200dष क्\u200cष"),  # half and whole forms of one conjunct
        ("ന്\u200d", "ന്\u200d"),  # a chillu as it was typed before Unicode 5.1
        ("ශ්\u200dරී", "ශ්\u200dරී"),
        ("a\u200cب", "aب"),
        ("٠\u0600", "٠\u0600"),
    ],
)
def test_joiners(clean: Label, raw: str, cleaned: str) -> None:
    assert clean(raw) == cleaned == texts.clean(raw)


def test_halves_of_surrogate_pairs_are_removed(spark: SparkSession, tmp_path: Path) -> None:
    lines = [r'{"id": "a\udc00", "text": "좋아요 \ud83d!", "label": "\ud83dgood"}', r'{"text": "\ud83d\ude00\ude00", "label": "a"}',
             r'{"text": "x", "label": "\udead"}']  # fmt: skip
    (tmp_path / "in.jsonl").write_text("\n".join(lines), encoding="utf-8")
    spec = {"format": "jsonl", "text": "text", "label": "label", "id": "id", "files": [str(tmp_path / "in.jsonl")]}
    found = [(row.id, row.text, row.label, row.reason) for row in jvm.records(spark, spec).collect()]
    assert found[0] == ("a", "좋아요 !", "good", None)
    assert found[1][1:] == ("😀", "a", None)
    assert found[2][3] == "missing_label" and json.loads(found[2][1])["text"] == "x"


def test_every_alike_character_beside_a_label_leaves_one_class(label: Label) -> None:
    for before, after in product(["", " ", "\u00a0", "\ufeff", "\u200b", "\u200d", "\r\n"], repeat=2):
        assert label(f"{before}환불{after}") == label(before + unicodedata.normalize("NFD", "환불") + after) == "환불"
