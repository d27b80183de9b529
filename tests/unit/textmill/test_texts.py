"""Texts and labels that look equal are equal."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textmill import texts

REFUND = "환불"
LOOK_EQUAL = [REFUND, unicodedata.normalize("NFD", REFUND), f"{REFUND} ", f"\u00a0{REFUND}", f"\ufeff{REFUND}",
              "환\u200b불", f"\u3000{REFUND}\r", f"{REFUND}\u2060"]  # fmt: skip


@pytest.mark.parametrize("raw", LOOK_EQUAL)
def test_labels_that_look_equal_are_one(raw: str) -> None:
    assert texts.label(raw) == REFUND


def test_blanks_inside_are_one_space_and_widths_stay() -> None:
    assert texts.label("주문\u00a0\t취소") == "주문 취소"
    assert texts.label("Ａ급") == "Ａ급" and texts.clean("Ａ급 ｶﾞ") == "A급 ガ"


def test_what_can_not_be_seen_is_shown() -> None:
    assert texts.visible("환\u200b불 ") == r"'환\u200b불 '"
    assert texts.visible(LOOK_EQUAL[1]).endswith(" (decomposed)")


@given(st.text())
def test_cleaning_a_cleaned_text_changes_nothing(raw: str) -> None:
    for width in (True, False):
        once = texts.clean(raw, width)
        assert texts.clean(once, width) == once == once.strip()
