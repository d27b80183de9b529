"""Synonym tables: word, tab, and a synonym or several with commas between; further columns are ignored."""

from __future__ import annotations

from pathlib import Path

from textmill.errors import DefinitionError, Problem


def read(path: Path) -> dict[str, list[str]]:
    """Synonyms by word; raises DefinitionError naming file and line."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        raise DefinitionError([Problem("", "synonyms", f"{path}: {error.strerror}")]) from error
    except UnicodeDecodeError as error:
        raise DefinitionError([Problem("", "synonyms", f"{path} is not UTF-8 text (byte {error.start})")]) from error
    found: dict[str, list[str]] = {}
    problems = []
    for number, line in enumerate(lines, 1):
        word, _, rest = (cell.strip() for cell in line.partition("\t"))
        words = [other.strip() for other in rest.partition("\t")[0].split(",") if other.strip()]
        if not line.strip() or line.startswith("#"):
            continue
        if not word or not words or any(other == word for other in words):
            message = "needs a word, a tab and another word" if not words or not word else f"'{word}' is its own synonym"
            problems.append(Problem(f"{path}:{number}", "", message))
        found[word] = [*found.get(word, []), *words]
    if problems:
        raise DefinitionError(problems)
    return found
