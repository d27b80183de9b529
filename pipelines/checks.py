"""`checks:` of a definition: conditions on a step's statistics, such as `dropped < 20%` or `rows > 1e6`."""

from __future__ import annotations

import operator
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

TENSORS = "tensor.encode"
_FORM = re.compile(r"\s*([A-Za-z_]+)\s*(<=|>=|==|<|>)\s*([0-9][0-9_.eE+-]*)\s*(%?)\s*")
_OPERATORS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": operator.eq}


@dataclass(frozen=True)
class Check:
    """One condition."""

    text: str
    figure: str
    """rows, dropped, a part, or a reason for which rows were set aside."""
    comparison: str
    limit: float
    share: bool
    """Whether the limit is a share of all rows that came into the step."""

    def failure(self, manifest: Mapping[str, Any]) -> str | None:
        """What is wrong, or None where the condition holds."""
        value, total = figure(manifest, self.figure), sum(counts(manifest).values())
        measured = value / total if self.share and total else float(value)
        if _OPERATORS[self.comparison](measured, self.limit):
            return None
        shown = f"{value:,} of {total:,} ({measured:.1%})" if self.share else f"{value:,}"
        return f"check '{self.text}' does not hold: {self.figure} is {shown}"


def parse(text: str) -> Check:
    """A condition; raises ValueError where it is none."""
    match = _FORM.fullmatch(text)
    if not match:
        raise ValueError(f"'{text}' is not a condition such as `dropped < 20%` or `rows > 1000`")
    figure, comparison, number, percent = match.groups()
    limit = float(number) / (100 if percent else 1)
    return Check(text, figure, comparison, limit, bool(percent))


def counts(manifest: Mapping[str, Any]) -> dict[str, int]:
    """Rows of each part. Of tensors only those that were encoded: shards are filled up with rows of weight 0."""
    stored = {part: described["rows"] for part, described in manifest["parts"].items()}
    if manifest.get("op") != TENSORS:
        return stored
    measured = manifest["stats"].get("parts", {})
    return {part: _measured(measured[part]) if part in measured else rows for part, rows in stored.items()}


def _measured(part: Mapping[str, Any]) -> int:
    return sum(part["lengths"]["histogram"].values())


def figure(manifest: Mapping[str, Any], name: str) -> int:
    """The figure a condition names: `rows` is all that was kept, a part is its rows, a reason its dropped rows."""
    by_part, reasons = counts(manifest), manifest["stats"].get("reasons", {})
    if name == "rows":
        return sum(rows for part, rows in by_part.items() if part != "dropped")
    if name in by_part or name == "dropped":
        return by_part.get(name, 0)
    return int(reasons.get(name, reasons.get(name.removesuffix("s"), 0)))
