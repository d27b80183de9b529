"""Accuracy and macro-F1 of one part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipelines.report.reading import share, whole


@dataclass(frozen=True)
class Scores:
    """What was measured on a part; `rows` is None where it was not told."""

    rows: int | None
    accuracy: float | None
    macro_f1: float | None

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> Scores:
        """From the keys rows, accuracy and macro_f1. Raises ValueError for what is no share or count."""
        rows = None if found.get("rows") is None else whole(found["rows"])
        return cls(rows, share(found.get("accuracy")), share(found.get("macro_f1")))
