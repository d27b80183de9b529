"""Synonym tables: word, tab, a synonym or several with commas between; on request a tab and their weight. Words are
cleaned as the texts are in which they are looked for."""

from __future__ import annotations

import math
from pathlib import Path

from textmill import texts
from textmill.errors import DefinitionError, Problem

Table = dict[str, dict[str, float]]


def read(path: Path) -> Table:
    """Weights by synonym by word, in the order of the words; raises DefinitionError naming file and line."""
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except OSError as error:
        raise DefinitionError([Problem("", "synonyms", f"{path}: {error.strerror}")]) from error
    except UnicodeDecodeError as error:
        raise DefinitionError([Problem("", "synonyms", f"{path} is not UTF-8 text (byte {error.start})")]) from error
    found: Table = {}
    problems = []
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        try:
            _add(line, found)
        except ValueError as error:
            problems.append(Problem(f"{path}:{number}", "", str(error)))
    if not problems and not found:
        problems.append(Problem("", "synonyms", f"{path} has no synonyms"))
    if problems:
        raise DefinitionError(problems)
    return {word: dict(sorted(found[word].items())) for word in sorted(found)}


def _add(line: str, found: Table) -> None:
    first, synonyms, weight = (*line.split("\t", 2), "", "")[:3]
    word = texts.clean(first)
    words = [synonym for given in synonyms.split(",") if (synonym := texts.clean(given))]
    if not word or not words:
        raise ValueError("needs a word, a tab and another word")
    if " " in word:
        raise ValueError(f"'{word}' is more than one word: only the synonym may have spaces")
    if word in words:
        raise ValueError(f"'{word}' is its own synonym")
    found.setdefault(word, {}).update(dict.fromkeys(words, _weight(weight)))


def _weight(text: str) -> float:
    try:
        weight = float(text.strip() or 1)
    except ValueError:
        weight = math.nan
    if not (0 < weight < math.inf):
        raise ValueError(f"the weight '{text.strip()}' is not a number above 0")
    return weight
