"""Labels, lengths and vocabularies of the data a model is trained and measured on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

from pipelines.dated import AT
from pipelines.report.reading import Reading, json_object, whole, words
from pipelines.report.scale import quantile
from textmill.places import Place

Made = Mapping[str, tuple[str, Place, Mapping[str, Any]]]
"""Operation, folder and manifest of every step that has an output."""

HEAD = 50
_SPLIT = ("train", "valid", "test")
_ENCODE, _TOKENIZE = "tensor.encode", "text.tokenize"
# The operation furthest down the pipeline tells best what the model saw; encode is second because its rows are padded.
_TELLING = (_TOKENIZE, _ENCODE, "data.split", "text.augment", "text.populate", "text.dedup", "text.clean")


@dataclass(frozen=True)
class Part:
    """Rows of a part by label and by length."""

    name: str
    rows: int
    labels: Mapping[str, int]
    lengths: Mapping[int, int]
    writing: Mapping[str, int]
    """Rows by the script that most of their letters are of, the most frequent first."""
    samples: tuple[tuple[str, str], ...]
    """Text and label of a few rows."""

    @property
    def labelled(self) -> int:
        """Rows that have a label."""
        return sum(self.labels.values())

    def label_share(self, label: str) -> float:
        """The label's share of the labelled rows."""
        return self.labels.get(label, 0) / (self.labelled or 1)

    def quantile(self, share: float) -> int:
        """The length that `share` of the rows don't exceed."""
        return quantile(self.lengths, share)

    def longer(self, length: int) -> float:
        """The share of rows longer than `length`."""
        rows = sum(count for value, count in self.lengths.items() if value > length)
        return rows / (sum(self.lengths.values()) or 1)


@dataclass(frozen=True)
class Corpus:
    """The parts that a step made."""

    step: str
    unit: str
    parts: tuple[Part, ...]
    cut: int | None
    """The tensors' length: tokens after it are cut off."""

    @property
    def labels(self) -> tuple[str, ...]:
        """All labels, the most frequent in the first part first."""
        names = {label for part in self.parts for label in part.labels}
        return tuple(sorted(names, key=lambda name: ([-part.labels.get(name, 0) for part in self.parts], name)))

    @property
    def highest_share(self) -> float:
        """The largest share a label has of a part."""
        return max((part.label_share(label) for part in self.parts for label in part.labels), default=0)

    @property
    def imbalance(self) -> float | None:
        """How many times the rarest label of the first part its most frequent one is; None where one is missing."""
        counts = [self.parts[0].labels.get(label, 0) for label in self.labels]
        rarest = min(counts, default=0)
        return max(counts) / rarest if rarest else None

    @property
    def has_lengths(self) -> bool:
        """Whether there is a length to show."""
        return any(part.lengths for part in self.parts)

    @property
    def samples(self) -> bool:
        """Whether there is a text to show."""
        return any(part.samples for part in self.parts)

    def rows(self, name: str) -> int | None:
        """Rows of a part; None where there is no such part."""
        return next((part.rows for part in self.parts if part.name == name), None)


@dataclass(frozen=True)
class Tensors:
    """What tensor.encode tells: its vocabulary and the tokens that are not in it."""

    step: str
    tokens_of: str
    """The step whose tokens it encodes, where its manifest tells."""
    length: int | None
    padded: int
    unknown: tuple[tuple[str, int, int], ...]
    """Part, unknown tokens, all tokens."""
    size: int
    head: tuple[tuple[str, int], ...]
    counted: int
    """The counts of all tokens of the vocabulary, summed up."""

    @property
    def rates(self) -> tuple[float, ...]:
        """The share of unknown tokens by part."""
        return tuple(unknown / (tokens or 1) for _, unknown, tokens in self.unknown)

    @property
    def head_share(self) -> float:
        """The share of the text that the first tokens make."""
        return sum(rows for _, rows in self.head) / (self.counted or 1)


def corpora(reading: Reading, made: Made, encoded: tuple[Tensors, ...]) -> tuple[Corpus, ...]:
    """The outputs of the operation that tells best what the models saw; of one date only where no step saw all."""
    of_all = {step: told for step, told in made.items() if AT not in step}
    for steps, op in product((of_all, made), _TELLING):
        found = [
            corpus
            for step, (made_by, _, manifest) in steps.items()
            if made_by == op and (corpus := _corpus(reading, step, op, manifest, encoded)) is not None
        ]
        if found:
            return tuple(found)
    return ()


def _corpus(
    reading: Reading, step: str, op: str, manifest: Mapping[str, Any], encoded: tuple[Tensors, ...]
) -> Corpus | None:
    parts = reading.attempt(f"the counts of {step}", lambda: _parts(manifest), ())
    if not any(part.labels or part.lengths for part in parts):
        return None
    tokens = op in (_TOKENIZE, _ENCODE)
    lengths = {one.length for one in encoded if step in (one.step, one.tokens_of) or not one.tokens_of}
    cut = lengths.pop() if tokens and len(lengths) == 1 else None
    return Corpus(step, "tokens" if tokens else "characters", parts, cut)


def _parts(manifest: Mapping[str, Any]) -> tuple[Part, ...]:
    stats = _stats(manifest)
    names = [name for name in _SPLIT if name in stats] or [name for name in ("rows",) if name in stats]
    return tuple(_part(name, stats[name]) for name in names)


def _part(name: str, stats: Mapping[str, Any]) -> Part:
    labels = {str(label): whole(rows) for label, rows in (stats.get("labels") or {}).items()}
    histogram = (stats.get("lengths") or {}).get("histogram") or {}
    lengths = dict(sorted((whole(int(length)), whole(rows)) for length, rows in histogram.items()))
    # Padding rows of tensors are rows without a length.
    rows = sum(lengths.values()) or whole(stats.get("rows"))
    written = ((str(script), whole(count)) for script, count in (stats.get("writing") or {}).items())
    writing = dict(sorted(written, key=lambda pair: (-pair[1], pair[0])))
    samples = tuple((words(row.get("text")), words(row.get("label"))) for row in stats.get("samples") or ())
    return Part(name, rows, labels, lengths, writing, samples)


def _stats(manifest: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = (manifest.get("stats") or {}).get("parts") or {}
    return found


def tensors(reading: Reading, made: Made) -> tuple[Tensors, ...]:
    """Every tensor.encode step."""
    encoded = [(step, folder, manifest) for step, (op, folder, manifest) in made.items() if op == _ENCODE]
    return tuple(_tensors(reading, *one) for one in encoded)


def _tensors(reading: Reading, step: str, folder: Place, manifest: Mapping[str, Any]) -> Tensors:
    described = reading.attempt(f"tensors.json of {step}", lambda: json_object(folder / "tensors.json"), {})
    length, padded = reading.attempt(f"tensors.json of {step}", lambda: _shape(described), (None, 0))
    unknown = reading.attempt(f"the unknown tokens of {step}", lambda: _unknown(manifest), ())
    file = folder / "vocabulary.tsv"
    size, counted, head = reading.attempt(f"vocabulary.tsv of {step}", lambda: _vocabulary(file), (0, 0, ()))
    tokens_of = reading.attempt(f"the inputs of {step}", lambda: _tokens_of(manifest), "")
    return Tensors(step, tokens_of, length, padded, unknown, size, head, counted)


def _shape(described: Mapping[str, Any]) -> tuple[int | None, int]:
    length = described.get("length")
    padded = sum(whole(part.get("padded")) for part in (described.get("parts") or {}).values())
    return (None if length is None else whole(length)), padded


def _unknown(manifest: Mapping[str, Any]) -> tuple[tuple[str, int, int], ...]:
    stats = _stats(manifest)
    parts = [(name, stats[name]) for name in _SPLIT if (stats.get(name) or {}).get("unknown") is not None]
    return tuple((name, whole(found["unknown"]), whole(found["lengths"]["sum"])) for name, found in parts)


def _tokens_of(manifest: Mapping[str, Any]) -> str:
    takes = (manifest.get("because") or {}).get("takes") or ()
    return str(takes[0][2]) if takes else ""


def _vocabulary(file: Place) -> tuple[int, int, tuple[tuple[str, int], ...]]:
    """Its size, the sum of its counts and its first tokens. Raises OSError, ValueError."""
    tokens = file.read_text(encoding="utf-8").split("\n")
    pairs = [(token, whole(int(rows))) for token, tab, rows in (line.rpartition("\t") for line in tokens) if tab]
    return len(pairs), sum(rows for _, rows in pairs), tuple(pairs[:HEAD])
