"""What a text.embed step tells: how much of the vocabulary has vectors, and which words they hold to be near."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipelines.report.corpus import Made
from pipelines.report.reading import Reading, json_object, number, whole, words
from textmill.places import Place


@dataclass(frozen=True)
class Embedding:
    """The vectors of a step."""

    step: str
    method: str
    size: int
    tokens: int
    vocabulary_rate: float | None
    """The share of the vocabulary that has a vector of its own."""
    running_rate: float | None
    """The same of the running tokens of train."""
    neighbours: tuple[tuple[str, tuple[tuple[str, float], ...]], ...]
    """Words, each with its nearest and their cosines."""


def embeddings(reading: Reading, made: Made) -> tuple[Embedding, ...]:
    """Every text.embed step."""
    found = [(step, folder) for step, (op, folder, _) in made.items() if op == "text.embed"]
    return tuple(_embedding(reading, *one) for one in found)


def _embedding(reading: Reading, step: str, folder: Place) -> Embedding:
    told = reading.attempt(f"embed.json of {step}", lambda: json_object(folder / "embed.json"), {})
    near = reading.attempt(
        f"neighbours.json of {step}", lambda: _neighbours(json_object(folder / "neighbours.json")), ()
    )
    rates = reading.attempt(f"embed.json of {step}", lambda: dict(told.get("hit_rate") or {}), {})
    size, tokens = reading.attempt(
        f"embed.json of {step}", lambda: (whole(told.get("size")), whole(told.get("tokens"))), (0, 0)
    )
    vocabulary, running = number(rates.get("vocabulary")), number(rates.get("running"))
    return Embedding(step, words(told.get("method")), size, tokens, vocabulary, running, near)


def _neighbours(found: Mapping[str, Any]) -> tuple[tuple[str, tuple[tuple[str, float], ...]], ...]:
    """Raises TypeError, ValueError for another shape."""
    return tuple((word, tuple((str(other), float(cosine)) for other, cosine in near)) for word, near in found.items())
