"""Dictionaries: quotes, line ends, and values that are equal once they are cleaned."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

from pipelines import dictionaries
from pipelines.model import EntityFile
from textmill.errors import DefinitionError, Problem

WHERE = Problem("demo.yaml:3", "entities.PRODUCT", "")


def load(file: Path, content: str, **given: str) -> tuple[str, ...]:
    file.write_bytes(content.encode())
    return dictionaries.load("PRODUCT", EntityFile(path=str(file), **given), WHERE).values


def problems(file: Path, content: str, **given: str) -> list[str]:
    with pytest.raises(DefinitionError) as caught:
        load(file, content, **given)
    return str(caught.value).splitlines()


def test_a_quote_in_a_tsv_is_a_character(tmp_path: Path) -> None:
    text = 'name\n"한정판 에디션\n무선 이어폰\n27" 모니터\n"따옴표"\n'
    assert load(tmp_path / "p.tsv", text) == ('"한정판 에디션', "무선 이어폰", '27" 모니터', '"따옴표"')


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_end_in_any_way_and_not_at_other_signs(tmp_path: Path, end: str) -> None:
    values = ("무선\u2028이어폰", "a\x85b", "끝")
    for name in ("p.tsv", "p.csv"):
        assert load(tmp_path / name, end.join(["\ufeffname", *values])) == ("무선 이어폰", "a b", "끝")


def test_csv_has_quoting(tmp_path: Path) -> None:
    text = 'name,note\n"이어폰, 무선","두 줄\n설명"\n"27"" 모니터",x\n'
    assert load(tmp_path / "p.csv", text) == ("이어폰, 무선", '27" 모니터')


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('name,n\n"한정판 에디션,1\n무선 이어폰,2\n', 2),
        ('name,n\na,1\n"한정판 에디션,1\n"무선 이어폰",2\n', 3),
        ('name,n\nb,"1\n2"\n"a"b,1\n', 4),
    ],
)
def test_a_quote_that_is_not_closed_is_named_with_its_line(tmp_path: Path, text: str, line: int) -> None:
    found = problems(tmp_path / "p.csv", text)
    assert len(found) == 1 and found[0].startswith(f"{tmp_path}/p.csv:{line}: a quote is not closed")


def test_a_value_of_two_lines_is_no_value(tmp_path: Path) -> None:
    found = problems(tmp_path / "p.csv", 'name\n"한정판 에디션\n무선 이어폰"\n끝\n')
    assert found == [f"{tmp_path}/p.csv:2: a value of PRODUCT goes on in the next line: is its quote not closed?"]


def test_values_are_cleaned_as_texts_are(tmp_path: Path) -> None:
    text = f"name\n {unicodedata.normalize('NFD', '한정판')}\u00a0\n무선\u200b 이어폰\nＬＧ\n"
    assert load(tmp_path / "p.tsv", text) == ("한정판", "무선 이어폰", "LG")
    entity = dictionaries.load("COLOR", EntityFile(values=("빨강 ", "파랑")), WHERE)
    assert entity.values == ("빨강", "파랑")


def test_values_that_are_equal_then_are_named(tmp_path: Path) -> None:
    assert problems(tmp_path / "p.tsv", "name\nLG\n이어폰\nＬＧ\n이어폰\n \u200b\n") == [
        f"{tmp_path}/p.tsv:4: 'ＬＧ' of PRODUCT is 'LG' at {tmp_path}/p.tsv:2 again: cleaned as texts are, they are equal",
        f"{tmp_path}/p.tsv:5: '이어폰' of PRODUCT is given twice",
        f"{tmp_path}/p.tsv:6: empty value of PRODUCT",
    ]
