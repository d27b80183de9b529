"""What a report shows, gathered from manifests and files of the steps' outputs; nothing is computed from rows again."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_REASONS = {
    "broken_json": "not valid JSON",
    "broken_csv": "wrong number of columns",
    "missing_text": "no text",
    "missing_label": "no label",
    "invalid_utf8": "not valid UTF-8",
    "record_too_long": "record too long",
    "too_short": "text too short",
    "too_long": "text too long",
    "duplicate": "duplicate",
    "conflicting_label": "same text, another label",
    "leak": "equals a held-out text",
}
_PARTS = ("train", "valid", "test")
_MISTAKES = 50
_HEAD = 50


@dataclass(frozen=True)
class Step:
    """A row of the funnel and of the plan."""

    entry: Mapping[str, Any]
    rows: int = 0
    parts: Mapping[str, int] = field(default_factory=dict)
    reasons: Mapping[str, int] = field(default_factory=dict)

    @property
    def dropped(self) -> int:
        """Rows set aside."""
        return self.parts.get("dropped", 0)


@dataclass(frozen=True)
class Model:
    """A training and its evaluation; either may be missing."""

    name: str
    history: Mapping[str, Any] | None
    metrics: Mapping[str, Any] | None
    interval: tuple[float, float] | None
    confused: list[tuple[str, str, int]]
    mistakes: list[Mapping[str, Any]]
    rate: float | None


@dataclass(frozen=True)
class Report:
    """All sections."""

    run: Mapping[str, Any]
    steps: list[Step]
    classes: list[tuple[str, dict[str, int]]]
    lengths: dict[str, dict[int, int]]
    unknown: dict[str, tuple[int, int]]
    vocabulary: list[tuple[str, int]]
    vocabulary_size: int
    models: list[Model]


def gather(run: Mapping[str, Any], folder_of: Mapping[str, Path]) -> Report:
    """Everything a report of this run can show."""
    manifests = {step: manifest for step, folder in folder_of.items() if (manifest := _json(folder / "manifest.json"))}
    ops = {entry["step"]: entry["op"] for entry in run["steps"]}
    encoded = next((step for step, op in ops.items() if op == "tensor.encode" and step in manifests), None)
    tokenized = next((step for step, op in ops.items() if op == "text.tokenize" and step in manifests), None)
    of_tokens = _part_stats(manifests.get(tokenized or ""))
    of_tensors = _part_stats(manifests.get(encoded or ""))
    head, size = _vocabulary(folder_of[encoded] / "vocabulary.tsv") if encoded else ([], 0)
    return Report(
        run,
        [_step(entry, manifests.get(entry["step"])) for entry in run["steps"]],
        _classes(of_tokens),
        {part: _histogram(stats) for part, stats in of_tokens.items()},
        {part: (stats["unknown"], _shown_tokens(stats)) for part, stats in of_tensors.items() if "unknown" in stats},
        head,
        size,
        _models(run, folder_of, manifests),
    )


def _json(file: Path) -> Any:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _step(entry: Mapping[str, Any], manifest: Mapping[str, Any] | None) -> Step:
    if manifest is None:
        return Step(entry)
    parts = {part: described["rows"] for part, described in manifest["parts"].items()}
    reasons = manifest["stats"].get("reasons", {})
    ordered = dict(sorted(reasons.items(), key=lambda pair: (-pair[1], pair[0])))
    return Step(entry, sum(parts.values()), parts, ordered)


def _part_stats(manifest: Mapping[str, Any] | None) -> dict[str, Any]:
    found = (manifest or {}).get("stats", {}).get("parts", {})
    return {part: found[part] for part in _PARTS if part in found}


def _classes(parts: Mapping[str, Any]) -> list[tuple[str, dict[str, int]]]:
    labels = {label for stats in parts.values() for label in stats["labels"]}
    counts = [(label, {part: stats["labels"].get(label, 0) for part, stats in parts.items()}) for label in labels]
    return sorted(counts, key=lambda pair: (-sum(pair[1].values()), pair[0]))


def _histogram(stats: Mapping[str, Any]) -> dict[int, int]:
    return dict(sorted((int(length), rows) for length, rows in stats["lengths"]["histogram"].items()))


def _shown_tokens(stats: Mapping[str, Any]) -> int:
    return int(stats["lengths"]["sum"])


def _vocabulary(file: Path) -> tuple[list[tuple[str, int]], int]:
    head, size = [], 0
    try:
        with file.open(encoding="utf-8") as lines:
            for size, line in enumerate(lines, 1):
                if size <= _HEAD:
                    token, _, rows = line.rstrip("\n").rpartition("\t")
                    head.append((token, int(rows)))
    except OSError:
        return [], 0
    return head, size


def _models(run: Mapping[str, Any], folder_of: Mapping[str, Path], manifests: Mapping[str, Any]) -> list[Model]:
    names = [entry["step"].partition(".")[2] for entry in run["steps"] if entry["op"] == "model.train"]
    return [model for name in names if (model := _model(name, folder_of, manifests)) is not None]


def _model(name: str, folder_of: Mapping[str, Path], manifests: Mapping[str, Any]) -> Model | None:
    trained, evaluated = f"train.{name}", f"evaluate.{name}"
    history = _json(folder_of[trained] / "history.json") if trained in manifests else None
    metrics = _json(folder_of[evaluated] / "metrics.json") if evaluated in manifests else None
    if history is None and metrics is None:
        return None
    interval = wilson(metrics["accuracy"], metrics["rows"]) if metrics else None
    mistakes = _mistakes(folder_of[evaluated] / "predictions") if metrics else []
    rate = manifests.get(trained, {}).get("stats", {}).get("records_per_s")
    return Model(name, history, metrics, interval, _confused(metrics) if metrics else [], mistakes, rate)


def wilson(share: float, rows: int, z: float = 1.96) -> tuple[float, float]:
    """The 95 % interval of a share measured on `rows` rows (Wilson, JASA 1927)."""
    if rows == 0:
        return (0.0, 1.0)
    middle = share + z * z / (2 * rows)
    spread = z * math.sqrt(share * (1 - share) / rows + z * z / (4 * rows * rows))
    scale = 1 + z * z / rows
    return (max(0.0, (middle - spread) / scale), min(1.0, (middle + spread) / scale))


def _confused(metrics: Mapping[str, Any]) -> list[tuple[str, str, int]]:
    labels, matrix = metrics["labels"], metrics["confusion"]
    pairs = [
        (labels[true], labels[predicted], rows)
        for true, row in enumerate(matrix)
        for predicted, rows in enumerate(row)
        if rows and true != predicted
    ]
    return sorted(pairs, key=lambda pair: (-pair[2], pair[0], pair[1]))[:10]


def _mistakes(folder: Path) -> list[Mapping[str, Any]]:
    """The wrong predictions the model was surest of."""
    import pyarrow.compute as pc
    import pyarrow.dataset as ds

    files = sorted(str(file) for file in folder.glob("*.parquet"))
    if not files:
        return []
    wrong = ds.dataset(files).to_table(filter=~pc.field("correct"))
    order = wrong.sort_by([("confidence", "descending"), ("id", "ascending")])
    rows: list[Mapping[str, Any]] = order.slice(0, _MISTAKES).to_pylist()
    return rows


def count(number: float) -> str:
    """1,234."""
    return f"{number:,.0f}"


def share(value: float) -> str:
    """12.3 %."""
    return f"{value:.1%}".replace("%", " %")


def seconds(value: float | None) -> str:
    """2.3 s, 4 min 5 s."""
    if value is None:
        return ""
    return f"{value:.1f} s" if value < 100 else f"{int(value) // 60} min {int(value) % 60} s"


def reason(name: str) -> str:
    """A reason in words."""
    return _REASONS.get(name, name.replace("_", " "))
