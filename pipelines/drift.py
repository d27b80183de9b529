"""How a date's data and model differ from those of the date before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pipelines.dated import AT
from pipelines.runs import Record

Stats = Mapping[str, Any]


def between(date: str, stats: Stats, record: Record, earlier: Stats | None, before: Record | None) -> dict[str, Any]:
    """Figures of a run's date and, as `…_change`, their difference to the run of the date before.

    `class_balance_change` is the total variation distance between the shares of labels: 0 the same, 1 nothing in
    common. Lengths are in characters, unknown tokens in shares of all.
    """
    labels, mean = _cleaned(date, stats)
    now: dict[str, Any] = {"mean_length": mean, "unknown_rate": _unknown(stats)}
    now.update(_accuracies(record))
    if earlier is None or before is None:
        return _rounded(now)
    labels_before, mean_before = _cleaned(before["date"], earlier)
    then: dict[str, Any] = {"mean_length": mean_before, "unknown_rate": _unknown(earlier)}
    then.update(_accuracies(before))
    changes = {f"{name}_change": now[name] - then[name] for name in now if None not in (now[name], then.get(name))}
    balance = {"class_balance_change": _distance(labels, labels_before)} if labels and labels_before else {}
    return _rounded({**now, **changes, **balance, "against": before["date"]})


def _accuracies(record: Record) -> dict[str, float]:
    """By training, on all test rows and on each set measured by itself: `bigru.accuracy`, `bigru.gold.accuracy`."""
    measured = record["metrics"].items()
    return {f"{train}.{name}": value for train, scores in measured for name, value in scores.items()
            if name.endswith("accuracy")}  # fmt: skip


def _rounded(figures: Mapping[str, Any]) -> dict[str, Any]:
    return {name: round(value, 6) if isinstance(value, float) else value for name, value in figures.items()}


def _cleaned(date: str, stats: Stats) -> tuple[Mapping[str, int], float | None]:
    """Rows by label, and the mean length of the texts that a date's cleaning kept; of all dates where they are one."""
    of_date = [step for step in stats if step.endswith(f"{AT}{date}")] or [step for step in stats if AT not in step]
    with_rows = (stats[step]["parts"]["rows"] for step in of_date if "rows" in stats[step].get("parts", {}))
    cleaned = next(with_rows, None)  # the first step that has rows is a text.clean: all others come after one
    if not cleaned or not cleaned["rows"]:
        return {}, None
    return cleaned["labels"], cleaned["lengths"]["sum"] / cleaned["rows"]


def _unknown(stats: Stats) -> float | None:
    parts = [part for step in stats.values() for part in _parts(step) if "unknown" in part]
    tokens = sum(part["lengths"]["sum"] for part in parts)
    return sum(part["unknown"] for part in parts) / tokens if tokens else None


def _parts(of_step: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    return [part for name, part in of_step.get("parts", {}).items() if name in ("valid", "test")]


def _distance(a: Mapping[str, int], b: Mapping[str, int]) -> float:
    total_a, total_b = sum(a.values()), sum(b.values())
    return sum(abs(a.get(label, 0) / total_a - b.get(label, 0) / total_b) for label in {*a, *b}) / 2
