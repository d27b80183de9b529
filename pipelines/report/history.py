"""The history page of a pipeline: its last thirty dates at a glance, in one HTML file that opens offline."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pipelines.runs import Record
from textmill import places
from textmill.places import Place


@dataclass(frozen=True)
class Day:
    """The newest run of a date."""

    date: str
    run: str
    status: str
    report: str
    """Its report, as seen from the page; empty where there is none."""
    rows: int
    accuracy: float | None
    macro_f1: float | None
    sets: tuple[tuple[str, float], ...]
    """Accuracy on each set that is measured by itself, such as gold and newest."""
    drift: float | None
    """Change of the class balance against the date before, 0 to 1."""
    seconds: float | None
    model: str
    """`version 3`, or that the last one was kept; empty where nothing was to be promoted."""
    why: str


def write_history(name: str, records: Iterable[tuple[str, Record]], path: Place) -> None:
    """Write the page of `records` (date and run record, the latest date first) to `path`, beside and renamed."""
    from pipelines.report import page

    days = [_day(date, record) for date, record in records]
    places.write_bytes(path, page.render_history(name, days).encode())


def _day(date: str, record: Record) -> Day:
    scores: dict[str, Any] = next(iter(record.get("metrics", {}).values()), {})
    promotion = record.get("promotion") or {}
    model = f"version {promotion['version']}" if promotion.get("promoted") else "kept the last" if promotion else ""
    return Day(
        date,
        record["run"],
        record["status"],
        f"{record['run']}/report.html" if record.get("report") else "",
        _rows(record),
        scores.get("accuracy"),
        scores.get("macro_f1"),
        tuple((name.rpartition(".")[0], value) for name, value in scores.items() if name.endswith(".accuracy")),
        (record.get("drift") or {}).get("class_balance_change"),
        record.get("seconds"),
        model,
        promotion.get("why", ""),
    )


def _rows(record: Record) -> int:
    """Rows that the cleaning of the inputs kept."""
    cleaned = [step["rows"] for step in record["steps"] if step["op"] == "text.clean"]
    return sum(rows.get("rows", 0) for rows in cleaned)
