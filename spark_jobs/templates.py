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
from textmill import texts
from textmill.errors import DefinitionError, InputError, Problem

_PIECE = re.compile(r"\{([^{}]*)\}|\(([^()]*)\)|([^{}()]+)")
_PARTICLES = (
    ("을", "를"), ("이", "가"), ("은", "는"), ("과", "와"), ("으로", "로"), ("아", "야"), ("이에요", "예요"), ("이었", "였"),
)  # fmt: skip
"""Forms after a consonant and after a vowel. Others begin with 이 or 으 after a consonant: 이랑/랑, 으로는/로는."""
_HANGUL = re.compile("[가-힣]+")
_SECTION = re.compile(r"\[([^\[\]]+)\]\s*$")


@dataclass(frozen=True)
class Template:
    """One line of a template file, compiled to pieces as the jar takes them."""

    label: str
    line: int
    pieces: tuple[Mapping[str, Any], ...]
    written: str
    """The label as its section writes it."""

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
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such template file") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: is not UTF-8 text (byte {error.start})") from error
    problems: list[Problem] = []
    templates: list[Template] = []
    label, written, seen = "", "", {}
    for number, line in enumerate(lines, 1):
        where, text = f"{path}:{number}", texts.clean(line, width=False)
        if not text or text.startswith("#"):
            continue
        if section := _SECTION.match(text):
            label, written = texts.label(section.group(1)), line.strip()[1:-1]
        elif not label:
            problems.append(Problem(where, "", "a template before the first [label] section"))
        elif text in seen:
            problems.append(Problem(where, "", f"the same template stands at line {seen[text]}"))
        else:
            seen[text] = number
            templates.append(Template(label, number, _pieces(text, where, entities, problems), written))
    if problems:
        raise DefinitionError(problems)
    if not templates:
        raise InputError(f"{path}: has no template")
    return templates


def joined(path: Path, templates: Sequence[Template]) -> tuple[str, ...]:
    """Of each label whose sections write it in several ways, a sentence that names them."""
    ways: dict[str, dict[str, int]] = {}
    for template in templates:
        ways.setdefault(template.label, {}).setdefault(template.written, template.line)
    return tuple(
        f"{path}: one label, {label}: " + ", ".join(f"{texts.visible(way)} above line {line}" for way, line in of_label.items())
        for label, of_label in ways.items() if len(of_label) > 1
    )  # fmt: skip


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
        forms = _particle(name)
        if forms is None:
            problems.append(Problem(where, "", _no_particle(name, entities)))
        return {"particle": forms or name}
    if name not in entities:
        close = difflib.get_close_matches(name, entities, 1)
        hint = f", did you mean {{{close[0]}}}?" if close else f"; there are: {', '.join(sorted(entities)) or 'none'}"
        problems.append(Problem(where, "", f"unknown entity {{{name}}}{hint}"))
        return {"text": ""}
    return {"entity": name, "span": entities[name].span}


def _particle(text: str) -> str | None:
    """A pair of forms as the jar takes it, None where these are none; a template may write either form first."""
    forms = tuple(text.split("/"))
    if forms in _PARTICLES or forms[::-1] in _PARTICLES:
        return text
    if len(forms) != 2 or not all(map(_HANGUL.fullmatch, forms)):
        return None
    closed, open_ = sorted(forms, key=len, reverse=True)
    return f"{closed}/{open_}" if closed in (f"이{open_}", f"으{open_}") else None


def _no_particle(text: str, entities: Mapping[str, Entity]) -> str:
    name, _, after = text.partition("/")
    if name in entities:
        return f"{{{text}}} is no pair of particles: for the entity and then a text write {{{name}}}{after}"
    named = " ".join("/".join(pair) for pair in _PARTICLES)
    choice = text.replace("/", "|")
    return f"{{{text}}} is no pair of particles ({named} …): for a choice of texts write ({choice})"


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
