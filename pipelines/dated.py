"""Dated inputs: the files of each date of a window, and text.clean date by date, so that a day costs its own rows."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from pipelines import inputs, variables
from pipelines.pipeline import Node, Taken
from pipelines.source import Tree
from spark_jobs.base import SET

REFERENCE, AT, UNDATED = "${run.date}", "@", "undated"
ALL = "all"
_DATE = r"(\d{4}-\d\d-\d\d)"


def base(name: str) -> str:
    """The name in the definition of a step or an input of one date."""
    return name.partition(AT)[0]


def is_dated(tree: Tree, name: str) -> bool:
    """Whether the path of an input, as the definition or its profile writes it, holds the run's date."""
    return REFERENCE in _path(tree, name)


def path_at(tree: Tree, name: str, date: dt.date | str) -> str:
    """The path of an input on another date; `tree` is the definition before variables are put in."""
    return _path(variables.substitute(tree, date), name)


def candidates(tree: Tree, name: str, window: str, day: dt.date, pattern: str) -> list[dt.date]:
    """The dates of a window that ends with `day`, the earliest first, whether or not there are files of them.

    `7d` is seven days. For `all` the dates are those of the files that match `pattern`, the input's path as it can be
    read with * for the date.
    """
    if window != ALL:
        days = int(window.removesuffix("d"))
        return [day - dt.timedelta(days=back) for back in reversed(range(days))]
    try:
        found = inputs.find(pattern)
    except inputs.Unfit:
        return [day]
    before = _path(tree, name).partition(REFERENCE)[0].rpartition("/")[2]
    dated = re.compile(f"(?:^|/){re.escape(before)}{_DATE}")
    dates = {_date(match[1]) for file in found if (match := dated.search(str(file)))}
    return sorted({day} | {date for date in dates if date is not None and date <= day})


def _date(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        return None


def _path(tree: Tree, name: str) -> str:
    given = tree.data.get("inputs")
    described = given.get(name) if isinstance(given, Mapping) else None
    return str(described.get("path", "")) if isinstance(described, Mapping) else ""


def by_date(nodes: Mapping[str, Node], dates: Mapping[str, Sequence[str]], day: dt.date) -> dict[str, Node]:
    """The steps with every text.clean of a dated input as one step for each date.

    `dates` holds for each input with a window its dates. A step's output is reused by its key, and a cleaned day's key
    stands for that day's files alone. What comes after takes all days, but the rows that an evaluation measures by
    themselves are those of `day`.
    """
    found: dict[str, Node] = {}
    made: dict[str, tuple[str, ...]] = {}
    for node in nodes.values():
        if node.op == "text.clean" and any(taken.node in dates for taken in node.takes):
            divided = _divided(node, dates)
            made[node.name] = tuple(divided)
            found.update(divided)
        else:
            takes = tuple(replace(taken, node=name) for taken in node.takes for name in _taken(taken, made, day))
            found[node.name] = replace(node, takes=takes)
    return found


def _taken(taken: Taken, made: Mapping[str, tuple[str, ...]], day: dt.date) -> tuple[str, ...]:
    parts = made.get(taken.node, (taken.node,))
    newest = f"{taken.node}{AT}{day}"
    return (newest,) if taken.role.startswith(SET) and newest in parts else parts


def _divided(node: Node, dates: Mapping[str, Sequence[str]]) -> dict[str, Node]:
    by_part: dict[str, list[Taken]] = {}
    for taken in node.takes:
        for date in dates.get(taken.node, (UNDATED,)):
            source = taken.node if date == UNDATED else f"{taken.node}{AT}{date}"
            by_part.setdefault(date, []).append(replace(taken, node=source))
    names = {part: f"{node.name}{AT}{part}" for part in sorted(by_part)}
    return {name: replace(node, name=name, takes=tuple(by_part[part])) for part, name in names.items()}
