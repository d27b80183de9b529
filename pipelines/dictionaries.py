"""Entity dictionaries: from a definition's `entities` to values and weights."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from pipelines.model import EntityFile
from pipelines.validation import did_you_mean
from spark_jobs.base import Entity
from textmill import places, texts
from textmill.errors import DefinitionError, Problem

Row = tuple[str, str, str | None]
"""The place of a value, the value as it stands there, and its weight as it stands there."""


def load(name: str, given: EntityFile, where: Problem) -> Entity:
    """The entity `name`, its values cleaned as texts are; `where` is the place in the definition to blame.

    Raises DefinitionError naming file and line of an empty value, of one that equals another, of a quote that is not
    closed, of a weight that is no positive number.
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


def _read(path: Path, given: EntityFile, where: Problem) -> list[Row]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            text = stream.read().replace("\r\n", "\n").replace("\r", "\n")
    except FileNotFoundError:
        raise DefinitionError([_blame(where, f"there is no file {path}")]) from None
    except UnicodeDecodeError as error:
        raise DefinitionError([_blame(where, f"{path} is not UTF-8 text (byte {error.start})")]) from error
    except (OSError, ValueError) as error:  # a folder, or a name that can be none of a file
        raise DefinitionError([_blame(where, f"{str(path)!r} can't be read: {places.brief(error)}")]) from error
    records = _tab_separated(text) if path.suffix == ".tsv" else _comma_separated(text, path)
    header = next((cells for _, cells in records), [])
    value = given.value or (header[0] if header else "")
    for column in filter(None, (value, given.weight)):
        if column not in header:
            raise DefinitionError([_blame(where, f"{path} has no column '{column}'{did_you_mean(column, header)}")])
    rows = []
    for number, cells in records:
        if any(cells):
            row = dict(zip(header, cells, strict=False))
            rows.append((f"{path}:{number}", row.get(value, ""), row.get(given.weight) if given.weight else None))
    return rows


def _tab_separated(text: str) -> Iterator[tuple[int, list[str]]]:
    """The cells of each line by its number. The format has no quoting: a quote is a character as any other."""
    return ((number, line.split("\t")) for number, line in enumerate(text.split("\n"), 1) if line)


def _comma_separated(text: str, path: Path) -> Iterator[tuple[int, list[str]]]:
    """The cells of each record by the number of its first line; raises DefinitionError for a quote that is not closed."""
    reader = csv.reader(io.StringIO(text), strict=True)
    while True:
        first = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise DefinitionError(
                [Problem(f"{path}:{first}", "", f"a quote is not closed, or not doubled ({error})")]
            ) from None
        yield first, cells


def _entity(name: str, given: EntityFile, rows: list[Row], where: Problem) -> Entity:
    problems: list[Problem] = []
    values: dict[str, float] = {}
    written: dict[str, tuple[str, str]] = {}
    for place, raw, weight in rows:
        value = texts.clean(raw)
        if "\n" in raw.strip():
            problems.append(Problem(place, "", f"a value of {name} goes on in the next line: is its quote not closed?"))
        elif not value:
            problems.append(Problem(place, "", f"empty value of {name}"))
        elif value in values:
            problems.append(Problem(place, "", _twice(name, raw, *written[value])))
        written.setdefault(value, (raw, place))
        values[value] = _weight(weight, place, name, problems) if given.weight else 1.0
    if not rows:
        problems.append(_blame(where, f"{given.path or name} has no value"))
    if problems:
        raise DefinitionError(problems)
    return Entity(name, tuple(values), tuple(values.values()) if given.weight else None, given.span)


def _twice(name: str, raw: str, earlier: str, place: str) -> str:
    """What is wrong with a value that another one before it equals, if only once both are cleaned."""
    if raw == earlier:
        return f"'{raw}' of {name} is given twice"
    at = f" at {place}" if place.rpartition(":")[2].isdigit() else ""
    return f"{texts.visible(raw)} of {name} is {texts.visible(earlier)}{at} again: cleaned as texts are, they are equal"


def _weight(text: str | None, place: str, name: str, problems: list[Problem]) -> float:
    try:
        weight = float(text or "")
    except ValueError:
        weight = -1.0
    if not 0 < weight < float("inf"):
        problems.append(Problem(place, "", f"weight '{text}' of {name} is not a number above 0"))
    return weight
