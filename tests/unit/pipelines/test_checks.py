"""Conditions of `checks:`."""

from __future__ import annotations

import pytest

from pipelines import checks
from pipelines.checks import parse

MANIFEST = {
    "parts": {"rows": {"rows": 80}, "dropped": {"rows": 20}},
    "stats": {"reasons": {"duplicate": 15, "leak": 5}},
}


@pytest.mark.parametrize(
    ("condition", "failure"),
    [
        ("dropped < 20%", "check 'dropped < 20%' does not hold: dropped is 20 of 100 (20.0%)"),
        ("dropped <= 20%", None),
        ("rows > 1e2", "check 'rows > 1e2' does not hold: rows is 80"),
        ("rows==80", None),
        ("duplicates < 10%", "check 'duplicates < 10%' does not hold: duplicates is 15 of 100 (15.0%)"),
        ("leak < 6", None),
        ("broken_json < 1", None),
    ],
)
def test_failure(condition: str, failure: str | None) -> None:
    assert parse(condition).failure(MANIFEST) == failure


@pytest.mark.parametrize("condition", ["", "rows", "rows ~ 3", "rows < many", "20% > rows"])
def test_what_is_no_condition(condition: str) -> None:
    with pytest.raises(ValueError, match="is not a condition"):
        parse(condition)


def test_rows_that_only_fill_shards_up_are_not_counted() -> None:
    parts = {"test": {"rows": 10}, "train": {"rows": 40}, "valid": {"rows": 0}}
    measured = {"test": {"lengths": {"histogram": {"3": 4, "7": 5}}}, "train": {"lengths": {"histogram": {"2": 38}}}}
    manifest = {"op": "tensor.encode", "parts": parts, "stats": {"parts": measured}}
    assert checks.counts(manifest) == {"test": 9, "train": 38, "valid": 0}
    assert checks.counts({**manifest, "op": "text.tokenize"}) == {"test": 10, "train": 40, "valid": 0}
