"""Dated inputs: the files of each date of a window, and steps date by date, so that a day costs its own rows."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from pipelines import inputs, variables
from pipelines.pipeline import Node, Taken
from pipelines.source import Tree
from spark_jobs import registry
from spark_jobs.base import EARLIER, SET

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
    """The steps, those that can work on dated rows date by date as one step for each date.

    `dates` holds for each input with a window its dates. A step's output is reused by its key, and that of a date stands
    for that date's files alone, or for those up to it. What comes after takes all dates, but the rows that an evaluation
    measures by themselves are those of `day`.
    """
    found: dict[str, Node] = {}
    parts: dict[str, tuple[str, ...]] = {name: tuple(given) for name, given in dates.items()}
    whole: set[str] = set()
    """Steps that see all dates together: what takes from them changes with every date."""
    for node in nodes.values():
        sources = {taken.node for taken in node.takes}
        how = _how(node) if sources & parts.keys() and not sources & whole else None
        if how is not None:
            divided = _divided(node, parts, how)
            parts[node.name] = tuple(name.partition(AT)[2] for name in divided)
            found.update(divided)
            continue
        if sources & (parts.keys() | whole):
            whole.add(node.name)
        found[node.name] = replace(node, takes=tuple(_all_dates(node, parts, day)))
    return found


def _how(node: Node) -> str | None:
    return registry.operation(node.op).by_date(node.params) if node.op in registry.NAMES else None


def _at(name: str, part: str, parts: Mapping[str, Sequence[str]]) -> str:
    """The step or input of a date; one that was never dated is what it is."""
    return f"{name}{AT}{part}" if name in parts else name


def _all_dates(node: Node, parts: Mapping[str, Sequence[str]], day: dt.date) -> Iterator[Taken]:
    for taken in node.takes:
        given = parts.get(taken.node, (UNDATED,))
        chosen = [str(day)] if taken.role.startswith(SET) and str(day) in given else given
        yield from (replace(taken, node=_at(taken.node, part, parts)) for part in chosen)


def _divided(node: Node, parts: Mapping[str, Sequence[str]], how: str) -> dict[str, Node]:
    """The step of each date, the undated one first; one that looks at earlier dates takes what it gave for them."""
    by_part: dict[str, list[Taken]] = {}
    for taken in node.takes:
        for part in parts.get(taken.node, (UNDATED,)):
            by_part.setdefault(part, []).append(replace(taken, node=_at(taken.node, part, parts)))
    divided: dict[str, Node] = {}
    for part in sorted(by_part, key=lambda part: (part != UNDATED, part)):
        name = f"{node.name}{AT}{part}"
        before = [Taken(earlier, (of,), f"{EARLIER}{of}") for of in node.outputs for earlier in divided]
        divided[name] = replace(node, name=name, takes=(*by_part[part], *(before if how == EARLIER[:-1] else ())))
    return divided
