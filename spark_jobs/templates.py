"""The template language of text.populate: parsing with line-numbered errors, capacity, and amounts per template.

# a comment
[delivery_status]                                section: the label of the templates below
(|혹시 ){PRODUCT}{은/는} 언제 (와요|오나요)?      entity slot, particle, alternatives
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spark_jobs.base import Entity
from textmill.errors import DefinitionError, InputError, Problem

_PIECE = re.compile(r"\{([^{}]*)\}|\(([^()]*)\)|([^{}()]+)")
_SECTION = re.compile(r"\[([^\[\]]+)\]\s*$")


@dataclass(frozen=True)
class Template:
    """One line of a template file, compiled to pieces as the jar takes them."""

    label: str
    line: int
    pieces: tuple[Mapping[str, Any], ...]

    def entities(self) -> list[str]:
        """Names of its entity slots, in order."""
        return [piece["entity"] for piece in self.pieces if "entity" in piece]

    def capacity(self, entities: Mapping[str, Entity]) -> int:
        """How many different combinations of slot values it has."""
        sizes = [len(piece["choice"]) for piece in self.pieces if "choice" in piece]
        return math.prod(sizes) * math.prod(len(entities[name].values) for name in self.entities())


def parse(path: Path, entities: Mapping[str, Entity]) -> list[Template]:
    """The templates of a file. Raises InputError where it can't be read, DefinitionError with all its problems."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such template file") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: is not UTF-8 text (byte {error.start})") from error
    problems: list[Problem] = []
    templates: list[Template] = []
    label, seen = "", {}
    for number, line in enumerate(lines, 1):
        where, text = f"{path}:{number}", line.strip()
        if not text or text.startswith("#"):
            continue
        if section := _SECTION.match(text):
            label = section.group(1).strip()
        elif not label:
            problems.append(Problem(where, "", "a template before the first [label] section"))
        elif text in seen:
            problems.append(Problem(where, "", f"the same template stands at line {seen[text]}"))
        else:
            seen[text] = number
            templates.append(Template(label, number, _pieces(text, where, entities, problems)))
    if problems:
        raise DefinitionError(problems)
    if not templates:
        raise InputError(f"{path}: has no template")
    return templates


def _pieces(
    text: str, where: str, entities: Mapping[str, Entity], problems: list[Problem]
) -> tuple[Mapping[str, Any], ...]:
    pieces: list[Mapping[str, Any]] = []
    end = 0
    for match in _PIECE.finditer(text):
        if match.start() != end:
            break
        end = match.end()
        braced, choices, literal = match.groups()
        if literal is not None:
            pieces.append({"text": literal})
        elif choices is not None:
            pieces.append(_choice(choices, where, problems))
        else:
            pieces.append(_slot(braced.strip(), where, entities, problems))
    if end != len(text):
        problems.append(Problem(where, "", f"a bracket at column {end + 1} is not closed, not opened or nested"))
    return tuple(pieces)


def _choice(text: str, where: str, problems: list[Problem]) -> Mapping[str, Any]:
    alternatives = text.split("|")
    if repeated := {alternative for alternative in alternatives if alternatives.count(alternative) > 1}:
        problems.append(Problem(where, "", f"alternative '{sorted(repeated)[0]}' is given twice in ({text})"))
    return {"choice": alternatives}


def _slot(name: str, where: str, entities: Mapping[str, Entity], problems: list[Problem]) -> Mapping[str, Any]:
    if "/" in name:
        if len(forms := name.split("/")) != 2 or not all(forms):
            problems.append(Problem(where, "", f"a particle has two forms, {{을/를}}, not {{{name}}}"))
        return {"particle": name}
    if name not in entities:
        close = difflib.get_close_matches(name, entities, 1)
        hint = f", did you mean {{{close[0]}}}?" if close else f"; there are: {', '.join(sorted(entities)) or 'none'}"
        problems.append(Problem(where, "", f"unknown entity {{{name}}}{hint}"))
        return {"text": ""}
    return {"entity": name, "span": entities[name].span}


def allocate(amount: int, capacities: Sequence[int]) -> list[int]:
    """`amount` divided over templates as evenly as their capacities allow (water-filling); the sum is exact.

    Raises ValueError where the capacities together are smaller than the amount.
    """
    if amount > sum(capacities):
        raise ValueError(f"capacity {sum(capacities)} is smaller than {amount}")
    shares = [0] * len(capacities)
    left, order = amount, sorted(range(len(capacities)), key=lambda index: (capacities[index], index))
    for done, index in enumerate(order):
        shares[index] = min(capacities[index], left // (len(order) - done))
        left -= shares[index]
    for index in reversed(order):
        extra = min(left, capacities[index] - shares[index])
        shares[index] += extra
        left -= extra
    return shares
