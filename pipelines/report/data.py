"""What a report shows, gathered from the run record, the manifests and files of steps; no row is read but mistakes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipelines.joined import joined
from pipelines.report.corpus import Corpus, Tensors, corpora, tensors
from pipelines.report.embeddings import Embedding, embeddings
from pipelines.report.reading import Reading, number, whole, words
from pipelines.report.results import Model, models
from spark_jobs.base import WARNINGS
from textmill.places import Place
from textmill.texts import visible

_PARTS = ("rows", "train", "valid", "test")
_RESULTS = ("model.train", "model.evaluate")


@dataclass(frozen=True)
class RunFacts:
    """The run record without its steps; what it doesn't say is empty or None."""

    name: str
    run: str
    date: str
    status: str
    error: str
    profile: str
    definition: str
    command: str
    log: str
    board: str
    """The page that compares all its trainings and trials, beside the report; empty where there is nothing to compare."""
    host: str
    started: str
    finished: str
    seconds: float | None


@dataclass(frozen=True)
class Step:
    """A step of the plan and the rows of its output."""

    name: str
    op: str
    action: str
    why: str
    status: str
    note: str
    key: str
    output: str
    seconds: float | None
    made_seconds: float | None
    """How long it took when it was made: in an earlier run for a step reused."""
    made: str
    kept: Mapping[str, int]
    dropped: int
    reasons: tuple[tuple[str, int], ...]
    warnings: tuple[str, ...]
    joined: tuple[tuple[str, tuple[tuple[str, int], ...]], ...]
    """Labels that were written in several ways, and rows by spelling."""
    padded: int
    rate: float | None
    """Records per second while it was made; None where rows and time don't tell."""

    @property
    def rows(self) -> int:
        """Rows of the output, padding included and those set aside not."""
        return sum(self.kept.values())

    @property
    def seen(self) -> int:
        """Rows kept and set aside, without padding: what a share of rows set aside refers to."""
        return self.rows + self.dropped - self.padded

    @property
    def stacked(self) -> list[tuple[str, int, str]]:
        """(part, rows, class of its colour) of a bar of all rows."""
        colours = {"valid": "s1", "test": "s2"}
        kept = [(part, rows, colours.get(part, "s0")) for part, rows in self.kept.items()]
        return [*kept, ("set aside", self.dropped, "gone")] if self.dropped else kept

    @property
    def spent(self) -> float:
        """Seconds of this run."""
        return self.seconds or 0.0

    @property
    def state(self) -> str:
        """run, reuse, skip, failed or waiting."""
        return self.status if self.status in ("failed", "waiting") else self.action or self.status


@dataclass(frozen=True)
class ReportData:
    """All that a report shows, in its order."""

    run: RunFacts
    steps: tuple[Step, ...]
    corpora: tuple[Corpus, ...]
    tensors: tuple[Tensors, ...]
    embeddings: tuple[Embedding, ...]
    models: tuple[Model, ...]
    notes: tuple[str, ...]

    @property
    def funnel(self) -> tuple[Step, ...]:
        """The steps that made rows."""
        return tuple(step for step in self.steps if step.op not in _RESULTS and (step.kept or step.dropped))

    @property
    def failed(self) -> tuple[Step, ...]:
        """The steps that failed: one, or none."""
        return tuple(step for step in self.steps if step.status == "failed")

    def part_rows(self, part: str) -> int | None:
        """Rows of train, valid or test, padding not counted; the largest where several steps make such a part."""
        found = [rows for corpus in self.corpora if (rows := corpus.rows(part)) is not None]
        return max(found, default=None)


def gather(run: Mapping[str, Any], folder_of: Mapping[str, Place]) -> ReportData:
    """Everything a report of this run can show; never raises for what is missing or damaged."""
    reading = Reading()
    manifests = reading.manifests(folder_of)
    steps = run.get("steps")
    entries = (
        [entry for entry in steps if isinstance(entry, Mapping) and "step" in entry] if isinstance(steps, list) else []
    )
    ops = {str(entry["step"]): words(entry.get("op")) for entry in entries}
    made = {step: (op, folder_of[step], manifests[step]) for step, op in ops.items() if step in manifests}
    encoded = tensors(reading, made)
    return ReportData(
        _facts(run),
        tuple(_step(reading, entry, manifests.get(str(entry["step"]), {}), encoded) for entry in entries),
        corpora(reading, made, encoded),
        encoded,
        embeddings(reading, made),
        models(reading, made, run.get("metrics")),
        tuple(reading.notes),
    )


def _facts(run: Mapping[str, Any]) -> RunFacts:
    texts = {name: words(run.get(name)) for name in RunFacts.__dataclass_fields__ if name != "seconds"}
    return RunFacts(**texts, seconds=number(run.get("seconds")))


def _step(
    reading: Reading, entry: Mapping[str, Any], manifest: Mapping[str, Any], encoded: tuple[Tensors, ...]
) -> Step:
    told = {name: words(entry.get(name)) for name in ("op", "action", "why", "status", "note", "key", "output")}
    name, made_seconds = str(entry["step"]), number(manifest.get("seconds"))
    parts = reading.attempt(f"the rows of {name}", lambda: _rows(manifest), dict[str, int]())
    return Step(
        name=name,
        **told,
        seconds=number(entry.get("seconds")),
        made_seconds=made_seconds,
        made=words(manifest.get("finished")),
        kept={part: rows for part, rows in parts.items() if part != "dropped"},
        dropped=parts.get("dropped", 0),
        reasons=reading.attempt(f"the reasons of {name}", lambda: _reasons(manifest), ()),
        warnings=reading.attempt(f"the warnings of {name}", lambda: _warnings(manifest), ()),
        joined=reading.attempt(f"the labels of {name}", lambda: _joined(manifest), ()),
        padded=sum(one.padded for one in encoded if one.step == name),
        rate=_rate(manifest, sum(parts.values()), made_seconds),
    )


def _rows(manifest: Mapping[str, Any]) -> dict[str, int]:
    """Rows by part, in the order train, valid, test."""
    found = {str(part): whole(described["rows"]) for part, described in (manifest.get("parts") or {}).items()}
    return dict(sorted(found.items(), key=lambda item: _order(item[0])))


def _order(part: str) -> tuple[int, str]:
    return (_PARTS.index(part) if part in _PARTS else len(_PARTS), part)


def _warnings(manifest: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(map(words, (manifest.get("stats") or {}).get(WARNINGS) or ()))


def _reasons(manifest: Mapping[str, Any]) -> tuple[tuple[str, int], ...]:
    found = (manifest.get("stats") or {}).get("reasons") or {}
    pairs = [(str(reason), whole(rows)) for reason, rows in found.items()]
    return tuple(sorted(pairs, key=lambda pair: (-pair[1], pair[0])))


def _joined(manifest: Mapping[str, Any]) -> tuple[tuple[str, tuple[tuple[str, int], ...]], ...]:
    found = joined(manifest.get("stats") or {})
    return tuple((label, tuple((visible(spelling), whole(rows)) for spelling, rows in spellings.items()))
                 for label, spellings in found.items())  # fmt: skip


def _rate(manifest: Mapping[str, Any], rows: int, seconds: float | None) -> float | None:
    """A training counts its records itself: it sees each once per epoch."""
    stats = manifest.get("stats")
    told = number(stats.get("records_per_s")) if isinstance(stats, Mapping) else None
    return told or (rows / seconds if rows and seconds else None)
