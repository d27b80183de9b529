"""The usual way, to compare with: the same preparation in single-core Python, with regular expressions and dicts."""

from __future__ import annotations

import hashlib
import itertools
import json
import re
import time
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from spark_jobs.base import Entity
from spark_jobs.templates import Template

_MASKS = [
    (re.compile(r"\b\d{4}[- ]?\d{4}[- ]?\d{4}[- ]?\d{4}\b"), "<card>"),
    (re.compile(r"\b0\d{1,2}[-. ]?\d{3,4}[-. ]?\d{4}\b"), "<phone>"),
    (re.compile(r"\b\d{8}-\d{5,}\b|\b\d{10,}\b"), "<order_no>"),
]
_SPACE, _CONTROL = re.compile(r"\s+"), re.compile(r"[\x00-\x08\x0b-\x1f\u200b-\u200f\ufeff]")
Tokenizer = Callable[[str], Sequence[str]]


@dataclass(frozen=True)
class Timed:
    """Seconds of each stage and the records that went through all."""

    records: int
    seconds: Mapping[str, float]


def prepare(
    files: Iterable[Path], records: int, made: Sequence[tuple[str, str]], tokenize: Tokenizer, length: int
) -> Timed:
    """clean → dedup → split → (`made` utterances join) → tokenize → encode for the first `records` lines."""
    clock = _Clock()
    lines = itertools.islice(itertools.chain.from_iterable(path.open(encoding="utf-8") for path in files), records)
    cleaned = [(clean(record["text"]), record["intent"]) for record in map(json.loads, lines)]
    clock.lap("clean")
    unique = list(dict(cleaned).items())
    clock.lap("dedup")
    parts: dict[str, list[tuple[str, str]]] = {"train": [], "valid": [], "test": []}
    for text, label in unique:
        place = hashlib.md5(text.encode()).digest()[0] / 256
        parts["train" if place < 0.9 else "valid" if place < 0.95 else "test"].append((text, label))
    clock.lap("split")
    parts["train"] = list(dict(parts["train"] + list(made)).items())
    clock.lap("populate")
    tokens = {part: [tokenize(text) for text, _ in rows] for part, rows in parts.items()}
    clock.lap("tokens")
    counts = Counter(token for row in tokens["train"] for token in row)
    ids = {token: number + 2 for number, (token, count) in enumerate(counts.most_common(50_000)) if count >= 3}
    for rows in tokens.values():
        matrix = np.zeros((len(rows), length), dtype=np.int32)
        for number, row in enumerate(rows):
            found = [ids.get(token, 1) for token in row[:length]]
            matrix[number, : len(found)] = found
    clock.lap("tensors")
    return Timed(len(cleaned) + len(made), clock.seconds)


def clean(text: str) -> str:
    """NFC, control characters, white space, masks."""
    text = _CONTROL.sub("", unicodedata.normalize("NFC", text))
    for pattern, mask in _MASKS:
        text = pattern.sub(mask, text)
    return _SPACE.sub(" ", text).strip()


def populate(templates: Sequence[Template], entities: Mapping[str, Entity], amount: int) -> list[tuple[str, str]]:
    """About `amount` utterances by itertools.product over each template's slots."""
    each = max(1, amount // len(templates))
    made = []
    for template in templates:
        slots = [_values(piece, entities) for piece in template.pieces]
        for values in itertools.islice(itertools.product(*slots), each):
            made.append((_join(values), template.label))
    return made


def _values(piece: Mapping[str, object], entities: Mapping[str, Entity]) -> Sequence[str]:
    if "entity" in piece:
        return entities[str(piece["entity"])].values
    if "choice" in piece:
        return piece["choice"]  # type: ignore[return-value]
    return [str(piece["text"])] if "text" in piece else [f"\0{piece['particle']}"]


def _join(values: Iterable[str]) -> str:
    text = ""
    for value in values:
        if value.startswith("\0"):
            closed, opened = value[1:].split("/")
            last = ord(text[-1]) if text else 0
            value = closed if 0xAC00 <= last <= 0xD7A3 and (last - 0xAC00) % 28 else opened
        text += value
    return text


class _Clock:
    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self.seconds[name] = now - self._last
        self._last = now
