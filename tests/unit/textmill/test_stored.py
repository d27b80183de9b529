"""What was written is read, and what is damaged is refused by name, whatever it looks like."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import TypedDict

from textmill.errors import Unreadable
from textmill.stored import OPEN, Count, Kind, Name, sealed


class _Told(TypedDict):
    __pydantic_config__ = OPEN
    rows: Count
    files: list[Name]


KIND: Kind[dict[str, Any]] = Kind(_Told, "make it again")
WHOLE = {"rows": 3, "files": ["a/b"], "more": {"é": [1.5, None, "\n"]}}


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "it is empty"),
        (b'{"rows": 3, "fi', "Unterminated string"),
        (b"\xff\xfe", "byte 0 is not UTF-8"),
        (b"[]", "valid dictionary"),
        (b"{}", "rows: Field required"),
        (b'{"rows": "3", "files": []}', "rows: Input should be a valid integer"),
        (b'{"rows": true, "files": []}', "rows: Input should be a valid integer"),
        (b'{"rows": NaN, "files": []}', "rows: Input should be a valid integer"),
        (b'{"rows": -1, "files": []}', "rows: Input should be greater than or equal to 0"),
        (b'{"rows": ' + b"9" * 5000 + b', "files": []}', "a number has 5,000 digits"),
        (b'{"rows": 1, "rows": 2, "files": []}', "the key 'rows' is there twice"),
        (b'{"rows": 1, "files": ["../../etc/passwd"]}', "files.0: Value error, is no name of a file in the folder"),
        (b'{"rows": 1, "files": ["/etc/passwd"]}', "files.0"),
        (b"[" * 100_000, "it is nested too deeply"),
        (b'{"rows": 1, "files": [], "x": ' + b"[" * 200 + b"]" * 200 + b"}", "it is nested too deeply"),
    ],
)
def test_what_is_damaged_is_named_with_the_reason_and_what_to_do(tmp_path: Path, content: bytes, why: str) -> None:
    file = tmp_path / "told.json"
    file.write_bytes(content)
    with pytest.raises(Unreadable, match="make it again$") as caught:
        KIND.read(file)
    assert str(caught.value).startswith(f"{file} is damaged: ") and why in caught.value.why
    assert caught.value.exit_code == 1


def test_what_is_not_there_is_not_damaged(tmp_path: Path) -> None:
    assert KIND.found(tmp_path / "none") is None
    assert KIND.found(tmp_path / "none" / "told.json") is None
    with pytest.raises(Unreadable, match="Is a directory"):
        KIND.read(tmp_path)


def test_half_a_character_is_read_as_one_that_can_be_printed() -> None:
    found = KIND.parse(b'{"rows": 1, "files": ["a\\ud800"], "both": "\\ud83d\\ude00"}', "f")
    assert found["files"] == ["a?"] and found["both"] == "😀"


def test_what_was_sealed_comes_back_and_any_change_is_noticed() -> None:
    content = json.dumps(sealed(WHOLE), ensure_ascii=False, indent=1)
    assert KIND.parse(content.encode(), "f") == WHOLE
    assert KIND.parse(json.dumps(WHOLE).encode(), "f") == WHOLE, "an earlier head sealed nothing"
    with pytest.raises(Unreadable, match="changed after it was written"):
        KIND.parse(content.replace("3", "2", 1).encode(), "f")


@given(st.data())
def test_no_damage_to_sealed_content_changes_what_is_read(data: st.DataObject) -> None:
    content = bytearray(json.dumps(sealed(WHOLE)).encode())
    at = data.draw(st.integers(0, len(content) - 1))
    content[at] ^= 1 << data.draw(st.integers(0, 7))
    try:
        found = KIND.parse(bytes(content), "f")
    except Unreadable:
        return
    left = {key: value for key, value in found.items() if key in WHOLE}
    assert left == WHOLE, "but for the name of the checksum, which then says nothing"


@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    for kind in (KIND, Kind[Any](Any), Kind[Any](dict[str, Any])):
        try:
            kind.parse(content, "f")
        except Unreadable:
            continue
