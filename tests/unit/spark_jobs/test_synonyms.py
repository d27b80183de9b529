"""Synonym tables as text.augment reads them."""

from __future__ import annotations

from pathlib import Path

import pytest

from spark_jobs import synonyms
from textmill.errors import DefinitionError


def table(folder: Path, content: bytes | str) -> Path:
    path = folder / "t.tsv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_lists_single_pairs_and_weights(tmp_path: Path) -> None:
    path = table(tmp_path, "\ufeff# comment\n환불\t반품\t0.9\n\n배송\t배달, 택배\r\n환불\t취소\t0.3\n언제\t어느 때\n")
    assert synonyms.read(path) == {
        "배송": {"배달": 1.0, "택배": 1.0},
        "언제": {"어느 때": 1.0},
        "환불": {"반품": 0.9, "취소": 0.3},
    }


def test_the_order_of_the_lines_does_not_matter(tmp_path: Path) -> None:
    lines = ["b\tx,y\n", "a\tz\n", "b\tw\t2\n"]
    first = synonyms.read(table(tmp_path, "".join(lines)))
    again = synonyms.read(table(tmp_path, "".join(reversed(lines))))
    assert [(word, list(found.items())) for word, found in first.items()] == [
        (word, list(found.items())) for word, found in again.items()
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("배송\n", "t.tsv:1: needs a word, a tab and another word"),
        ("배송\t ,\n", "t.tsv:1: needs a word, a tab and another word"),
        ("a\tb\n배송\t택배,배송\n", "t.tsv:2: '배송' is its own synonym"),
        ("배송 문의\t택배\n", "t.tsv:1: '배송 문의' is more than one word: only the synonym may have spaces"),
        ("a\tb\thigh\n", "t.tsv:1: the weight 'high' is not a number above 0"),
        ("a\tb\t0\n", "t.tsv:1: the weight '0' is not a number above 0"),
        ("a\tb\tinf\n", "t.tsv:1: the weight 'inf' is not a number above 0"),
        ("a\tb\t1\tc\n", "t.tsv:1: the weight '1\tc' is not a number above 0"),
        ("# nothing\n", "t.tsv has no synonyms"),
        (b"a\tb\n\xff", "t.tsv is not UTF-8 text (byte 4)"),
    ],
)
def test_a_bad_table(tmp_path: Path, content: bytes | str, message: str) -> None:
    with pytest.raises(DefinitionError) as raised:
        synonyms.read(table(tmp_path, content))
    assert str(raised.value).endswith(message)


def test_every_bad_line_is_told(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError) as raised:
        synonyms.read(table(tmp_path, "a\nb\tc\nd\td\n"))
    assert [problem.where[-5:] for problem in raised.value.problems] == ["tsv:1", "tsv:3"]


def test_a_table_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError, match="No such file"):
        synonyms.read(tmp_path / "none.tsv")
