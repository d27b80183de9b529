"""Whatever arrives, reading it gives lines of JSON or a ValueError."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textmill.lines import DEEPEST, Lines, depth, parsed

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


def nested(value: Any) -> int:
    if not isinstance(value, dict | list):
        return 0
    return 1 + max(map(nested, value.values() if isinstance(value, dict) else value), default=0)


@given(st.binary())
def test_any_bytes_are_an_object_or_a_value_error(line: bytes) -> None:
    with suppress(ValueError):
        assert isinstance(parsed(line), dict)


@settings(max_examples=40)
@given(JSON)
def test_the_depth_is_counted_without_reading(value: Any) -> None:
    for text in (json.dumps(value), json.dumps(value, ensure_ascii=False)):
        assert max(1, depth(text)) == max(1, nested(value))


@settings(max_examples=50)
@given(st.text(st.sampled_from('[{"\\]}a,: '), max_size=60), st.sampled_from(["utf-8", "utf-16", "utf-32"]))
def test_brackets_and_quotes_in_any_order_are_no_recursion(text: str, encoding: str) -> None:
    for content in (text, text + "[" * 2_000, '{"a":' + text + "[" * 2_000):
        with pytest.raises(ValueError):
            parsed((content + "!").encode(encoding))


@pytest.mark.parametrize(
    "line",
    [
        b"[" * 4000, b'{"a":' * 4000, b'{"a":' + b"[" * (DEEPEST + 1), b"[]", b"1", b"", b"\xff",
        b'{"a": ' + b"9" * 5000 + b"}", json.dumps({"a": 1}).encode("utf-16"),
    ],
)  # fmt: skip
def test_what_is_no_shallow_object_of_utf_8_is_a_value_error(line: bytes) -> None:
    with pytest.raises(ValueError):
        parsed(line)


def test_brackets_in_strings_are_text() -> None:
    said = {"log": '[[[" \\' * 999}
    assert parsed(json.dumps(said).encode()) == said


@given(st.lists(st.binary(max_size=9)), st.booleans())
def test_lines_are_the_same_however_the_bytes_are_cut(pieces: list[bytes], cut: bool) -> None:
    lines = Lines(cut=cut)
    found = [line for piece in pieces for line in lines.feed(piece)]
    assert [*found, lines.rest] == b"".join(pieces).split(b"\n")


def test_a_line_without_end_is_an_error_or_comes_in_parts() -> None:
    with pytest.raises(ValueError, match="a line of more than 8 bytes"):
        Lines(8).feed(b"123456789")
    lines = Lines(4, cut=True)
    assert lines.feed(b"123456789") == [b"1234", b"5678"] and lines.rest == b"9"
    assert lines.feed(b"0\n\nab") == [b"90", b""] and lines.rest == b"ab"
