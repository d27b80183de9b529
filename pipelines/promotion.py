"""`promote: {if: …}`: when a newly trained model takes the place of the last one."""

from __future__ import annotations

import operator
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

METRICS = ("macro_f1", "accuracy", "rows")
_CLAUSE = re.compile(
    r"\s*(?:(?P<set>[A-Za-z][A-Za-z0-9_-]*)\.)?(?P<metric>[a-z_0-9]+)\s*(?P<comparison><=|>=|<|>)\s*"
    r"(?:(?P<last>last)\s*(?:(?P<sign>[+-])\s*(?P<by>\d*\.?\d+)\s*(?P<by_percent>%?))?"
    r"|(?P<limit>\d*\.?\d+)\s*(?P<limit_percent>%?))\s*"
)
_OPERATORS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
_DIGITS = 12
"""Figures are compared after rounding: 0.9 + 0.002 is 0.902."""


@dataclass(frozen=True)
class Clause:
    """One comparison: `metric` with `limit`, or with the last model's plus `limit`."""

    text: str
    metric: str
    """With the set it is measured on, if any: `macro_f1`, `gold.macro_f1`."""
    comparison: str
    limit: float
    to_last: bool

    @property
    def set(self) -> str:
        """The name of the rows it is measured on; empty for all of the test part."""
        return self.metric.rpartition(".")[0]

    def failure(self, new: Mapping[str, float], last: Mapping[str, float] | None) -> str | None:
        """What does not hold, or None. Where there is no last model, what compares with it holds."""
        if self.to_last and last is None:
            return None
        if self.metric not in new:
            return f"'{self.text}' does not hold: {self.metric} was not measured, there is no such row"
        if self.to_last and last is not None and self.metric not in last:
            return f"'{self.text}' does not hold: the last version was not measured so; publish one with --force"
        base = last[self.metric] if self.to_last and last is not None else 0.0
        limit = round(base + self.limit, _DIGITS)
        if _OPERATORS[self.comparison](round(new[self.metric], _DIGITS), limit):
            return None
        return f"'{self.text}' does not hold: {self.metric} is {new[self.metric]:.4f}, the limit {limit:.4f}"


@dataclass(frozen=True)
class Decision:
    """Whether a model is promoted, and why or why not."""

    promoted: bool
    why: str


def figures(measured: Mapping[str, Any]) -> dict[str, float]:
    """The figures of a metrics.json that conditions speak of: `macro_f1` and, of a set, `gold.macro_f1`."""
    found = {metric: measured[metric] for metric in METRICS}
    sets = measured.get("sets", {})
    return {**found, **{f"{name}.{metric}": value for name, said in sets.items() for metric, value in said.items()}}


def parse(text: str) -> tuple[Clause, ...]:
    """The clauses of a condition, joined by `and`; raises ValueError where it is none."""
    return tuple(_clause(part) for part in re.split(r"\band\b", text))


def checked(text: str) -> str:
    """The text itself; raises ValueError where it is no condition."""
    parse(text)
    return text


def _clause(text: str) -> Clause:
    match = _CLAUSE.fullmatch(text)
    if match is None or match["metric"] not in METRICS:
        known = ", ".join(METRICS)
        raise ValueError(
            f"'{text.strip()}' is not a condition such as `macro_f1 > last + 0.002` or `accuracy > 90%` (of {known})"
        )
    by, percent = (match["by"], match["by_percent"]) if match["last"] else (match["limit"], match["limit_percent"])
    size = float(by or 0) / (100 if percent else 1)
    limit = -size if match["sign"] == "-" else size
    metric = f"{match['set']}.{match['metric']}" if match["set"] else match["metric"]
    return Clause(text.strip(), metric, match["comparison"], limit, match["last"] is not None)


def decide(condition: str, new: Mapping[str, float], last: Mapping[str, float] | None) -> Decision:
    """Whether the new model's metrics fulfil the condition against the last one's (None: there is no last one).

    Whatever the condition says, a model is never promoted that is below the last one or equal to it in the metric
    that the condition compares first.
    """
    clauses = parse(condition)
    if failures := [failure for clause in clauses if (failure := clause.failure(new, last))]:
        return Decision(False, "; ".join(failures))
    if last is None:
        return Decision(True, "the first version")
    metric = next((clause.metric for clause in clauses if not clause.metric.endswith("rows")), METRICS[0])
    if metric not in last:
        return Decision(False, f"the last version has no {metric} to be compared with; publish one with --force")
    compared = f"{metric} {new[metric]:.4f} against {last[metric]:.4f} of the last version"
    if not new[metric] > last[metric]:
        return Decision(False, f"{compared}: a tie or less keeps the last one")
    return Decision(True, compared)
