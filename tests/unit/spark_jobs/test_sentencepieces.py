"""Pieces give back the text they were made of, and every text of the sample takes part in fitting them."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spark_jobs.sentencepieces import fit_on
from textmill import texts
from textmill.errors import InputError

sentencepiece = pytest.importorskip("sentencepiece")

CORPUS = [f"{opening} {subject} {ending}" for opening in ("안녕하세요", "ㅋㅋ", "ㅠㅠ 저기", "hello,")
          for subject in ("주문 취소", "환불은 ①번", "ﬁ Ａ급 배송이", "x² order") for ending in ("되나요?", "언제 와요 ㅋㅋㅋ", "!!")]  # fmt: skip


@pytest.fixture(scope="module")
def processor() -> sentencepiece.SentencePieceProcessor:
    return sentencepiece.SentencePieceProcessor(model_proto=fit_on(CORPUS, 200))


@settings(max_examples=500, deadline=None)
@given(st.one_of(st.text(), st.text(st.sampled_from("ㅋㅠ가각 ㅏㅎ①ﬁＡ①²ab<phone>▅👨\u200d👩❤\ufe0f\u1112\u1161"))))
def test_detokenising_gives_the_cleaned_text(processor: sentencepiece.SentencePieceProcessor, raw: str) -> None:
    """But for U+2581, by which sentencepiece itself writes a space."""
    text = texts.clean(raw.replace("\u2581", ""))
    pieces = processor.encode(text, out_type=str)
    assert processor.decode(pieces) == text
    assert "".join(pieces).replace("\u2581", " ").strip(" ") == text


def test_jamo_stay_as_they_were_written(processor: sentencepiece.SentencePieceProcessor) -> None:
    assert "".join(processor.encode("ㅋㅋㅋ ㅠㅠ", out_type=str)) == "▁ㅋㅋㅋ▁ㅠㅠ"


@pytest.mark.parametrize("rare", ["갃" * 4000, "갃 ▅ 갃 " * 40], ids=["a text of 12,000 bytes", "one with a reserved sign"])
def test_every_text_takes_part_in_the_fitting(rare: str) -> None:
    model = sentencepiece.SentencePieceProcessor(model_proto=fit_on([*CORPUS, rare], 200))
    assert any("갃" in model.id_to_piece(number) for number in range(len(model)))


def test_the_same_texts_give_the_same_bytes() -> None:
    assert len({hashlib.sha256(fit_on(CORPUS, 150)).hexdigest() for _ in range(3)}) == 1


def test_too_little_text_is_named() -> None:
    with pytest.raises(InputError, match="no pieces can be fitted on 0 rows of train"):
        fit_on([], 200)
