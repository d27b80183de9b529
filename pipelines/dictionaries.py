"""Entity dictionaries: from a definition's `entities` to values and weights."""

from __future__ import annotations

import csv
from pathlib import Path

from pipelines.model import EntityFile
from pipelines.validation import did_you_mean
from spark_jobs.base import Entity
from textmill import places
from textmill.errors import DefinitionError, Problem


def load(name: str, given: EntityFile, where: Problem) -> Entity:
    """The entity `name`; `where` is the place in the definition to blame.

    Raises DefinitionError naming file and line of an empty or repeated value, of a weight that is no positive number.
    """
    if (given.path is None) == (given.values is None):
        raise DefinitionError([_blame(where, "give one of path and values")])
    if given.path is None:
        rows = [(f"{where.where}", value, None) for value in given.values or ()]
    else:
        rows = _read(Path(given.path), given, where)
    return _entity(name, given, rows, where)


def _blame(where: Problem, message: str) -> Problem:
    return Problem(where.where, where.key, message)


def _read(path: Path, given: EntityFile, where: Problem) -> list[tuple[str, str, str | None]]:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except FileNotFoundError:
        raise DefinitionError([_blame(where, f"there is no file {path}")]) from None
    except UnicodeDecodeError as error:
        raise DefinitionError([_blame(where, f"{path} is not UTF-8 text (byte {error.start})")]) from error
    except (OSError, ValueError) as error:  # a folder, or a name that can be none of a file
        raise DefinitionError([_blame(where, f"{str(path)!r} can't be read: {places.brief(error)}")]) from error
    header, *body = csv.reader(lines, delimiter="\t" if path.suffix == ".tsv" else ",") if lines else [[]]
    value = given.value or (header[0] if header else "")
    for column in filter(None, (value, given.weight)):
        if column not in header:
            raise DefinitionError([_blame(where, f"{path} has no column '{column}'{did_you_mean(column, header)}")])
    rows = []
    for number, cells in enumerate(body, 2):
        if any(cells):
            row = dict(zip(header, cells, strict=False))
            rows.append((f"{path}:{number}", row.get(value, ""), row.get(given.weight) if given.weight else None))
    return rows


def _entity(name: str, given: EntityFile, rows: list[tuple[str, str, str | None]], where: Problem) -> Entity:
    problems: list[Problem] = []
    values: dict[str, float] = {}
    for place, value, weight in rows:
        if not value.strip():
            problems.append(Problem(place, "", f"empty value of {name}"))
        elif value in values:
            problems.append(Problem(place, "", f"'{value}' of {name} is given twice"))
        values[value] = _weight(weight, place, name, problems) if given.weight else 1.0
    if not rows:
        problems.append(_blame(where, f"{given.path or name} has no value"))
    if problems:
        raise DefinitionError(problems)
    return Entity(name, tuple(values), tuple(values.values()) if given.weight else None, given.span)


def _weight(text: str | None, place: str, name: str, problems: list[Problem]) -> float:
    try:
        weight = float(text or "")
    except ValueError:
        weight = -1.0
    if not 0 < weight < float("inf"):
        problems.append(Problem(place, "", f"weight '{text}' of {name} is not a number above 0"))
    return weight
