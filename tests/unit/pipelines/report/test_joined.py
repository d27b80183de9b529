"""The report and `show --step` name the spellings that became one label."""

from __future__ import annotations

from pipelines.joined import joined
from pipelines.report.data import _joined

STATS = {"parts": {"rows": {"rows": 9, "labels": {"환불": 6, "배송": 2, "a": 1}, "spellings": {
    "환불": {"환불 ": 2, "환\u200b불": 1}, "배송": {"배송\n": 2}, "a": {" a": 1}}}}}  # fmt: skip


def test_only_labels_of_several_spellings_were_joined() -> None:
    assert joined(STATS) == {"환불": {"환불": 3, "환불 ": 2, "환\u200b불": 1}}
    assert joined({}) == {} == joined({"parts": {"rows": {"rows": 1, "labels": {"a": 1}}}})


def test_the_report_shows_what_can_not_be_seen() -> None:
    assert _joined({"stats": STATS}) == (("환불", (("'환불'", 3), ("'환불 '", 2), (r"'환\u200b불'", 1))),)
