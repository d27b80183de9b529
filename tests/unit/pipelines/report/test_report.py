"""The report: whole in one file, safe with any text, shorter where something is missing."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.report import write_report
from pipelines.report.charts import ticks
from pipelines.report.data import wilson

VOID = {"meta", "br", "link", "img", "input", "circle", "rect", "line", "polyline"}
NASTY = "<script>alert('x')</script> & \"quoted\""


class Balanced(HTMLParser):
    """Fails on a tag that is not closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open and self.open.pop() == tag, tag


def step(folder: Path, name: str, op: str, parts: dict[str, int], stats: dict[str, Any]) -> dict[str, Any]:
    folder.mkdir(parents=True)
    manifest = {"parts": {part: {"rows": rows} for part, rows in parts.items()}, "stats": stats}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return {
        "step": name,
        "op": op,
        "action": "run",
        "why": "no earlier output",
        "seconds": 1.5,
        "status": "done",
        "rows": parts,
    }


def part_stats(labels: dict[str, int], **more: int) -> dict[str, Any]:
    rows = sum(labels.values())
    return {"rows": rows, "labels": labels, "lengths": {"sum": rows * 3, "max": 3, "histogram": {"3": rows}}, **more}


@pytest.fixture
def run(tmp_path: Path) -> tuple[dict[str, Any], dict[str, Path]]:
    where = {name: tmp_path / name for name in ("clean", "tokens", "tensors", "train.m", "evaluate.m")}
    labels = {NASTY: 60, "other": 40}
    parts = {"train": part_stats(labels), "test": part_stats({NASTY: 6, "other": 4})}
    encoded = {part: {**stats, "unknown": 3} for part, stats in parts.items()}
    entries = [
        step(
            where["clean"],
            "clean",
            "text.clean",
            {"rows": 90, "dropped": 10},
            {"reasons": {"broken_json": 7, "too_long": 3}},
        ),
        step(where["tokens"], "tokens", "text.tokenize", {"train": 100, "test": 10}, {"parts": parts, "reasons": {}}),
        step(
            where["tensors"], "tensors", "tensor.encode", {"train": 100, "test": 10}, {"parts": encoded, "reasons": {}}
        ),
        step(where["train.m"], "train.m", "model.train", {}, {"records_per_s": 1234.5}),
        step(where["evaluate.m"], "evaluate.m", "model.evaluate", {"predictions": 10}, {"reasons": {}}),
    ]
    (where["tensors"] / "vocabulary.tsv").write_text("<phone>\t9\n배송\t5\n", encoding="utf-8")
    epoch = {"epoch": 1, "loss": 0.5, "accuracy": 0.8, "val_loss": 0.6, "val_accuracy": 0.7, "val_macro_f1": 0.65}
    history = {
        "epochs": [epoch, {**epoch, "epoch": 2}],
        "best_epoch": 2,
        "parameters": 4321,
        "batch": 8,
        "steps_per_epoch": 2,
        "metric": "loss",
    }
    (where["train.m"] / "history.json").write_text(json.dumps(history))
    per_class = [{"label": label, "precision": 0.5, "recall": 0.25, "f1": 0.333, "support": 5} for label in labels]
    metrics = {
        "rows": 10,
        "accuracy": 0.7,
        "macro_f1": 0.654,
        "labels": list(labels),
        "per_class": per_class,
        "confusion": [[4, 2], [1, 3]],
    }
    (where["evaluate.m"] / "metrics.json").write_text(json.dumps(metrics))
    (where["evaluate.m"] / "predictions").mkdir()
    table = pa.table({"id": ["1", "2", "3"], "text": ["fine", NASTY, "unsure"], "label": ["other"] * 3, "predicted": ["other", NASTY, NASTY],
                      "confidence": [0.9, 0.99, 0.4], "correct": [True, False, False]})  # fmt: skip
    pq.write_table(table, where["evaluate.m"] / "predictions" / "00000.parquet")
    record = {"run": "r", "name": "demo", "date": "2026-01-01", "status": "done", "seconds": 61.0, "profile": "local", "error": None,
              "command": "textmill run x.yaml", "definition": "x.yaml", "log": "spark.log", "steps": entries}  # fmt: skip
    return record, where


def page(record: dict[str, Any], where: dict[str, Path], tmp_path: Path) -> str:
    write_report(record, where, tmp_path / "report.html")
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    parser = Balanced()
    parser.feed(text)
    assert parser.open == []
    return text


def test_a_whole_report_shows_the_figures_it_was_given(run: Any, tmp_path: Path) -> None:
    text = page(*run, tmp_path)
    for shown in (
        "70.0 %",
        "0.654",
        "4,321 parameters",
        "1,234 records/s",
        "not valid JSON 7, text too long 3",
        "10 (10.0 %)",
        "배송",
        "99.0 %",
    ):
        assert shown in text, shown
    assert text.index("99.0 %") < text.index("40.0 %")  # the surest mistake first
    assert "fine</td>" not in text  # what is right is no mistake


def test_nothing_is_fetched_and_no_text_becomes_markup(run: Any, tmp_path: Path) -> None:
    text = page(*run, tmp_path)
    assert not re.search(r"(src|href)=\"?(https?:)?//|url\(|@import", text)
    assert "<script>alert" not in text and text.count("<script>") == 1
    assert "default-src 'none'" in text


@pytest.mark.parametrize("missing", ["clean", "tokens", "tensors", "train.m", "evaluate.m"])
def test_a_missing_step_makes_it_shorter(run: Any, tmp_path: Path, missing: str) -> None:
    record, where = run
    whole = page(record, where, tmp_path)
    assert len(page(record, {name: folder for name, folder in where.items() if name != missing}, tmp_path)) < len(whole)


def test_a_failed_run_says_so_first(run: Any, tmp_path: Path) -> None:
    record, where = run
    text = page({**record, "status": "failed", "error": "step clean: broke", "seconds": None}, {}, tmp_path)
    assert text.index("step clean: broke") < text.index('id="data"') and "textmill run x.yaml" in text


@pytest.mark.parametrize(("highest", "last"), [(0, 1), (1, 1), (7, 8), (0.37, 0.4), (201_547, 250_000)])
def test_ticks_are_round_and_reach_the_highest_value(highest: float, last: float) -> None:
    assert ticks(highest)[0] == 0 and ticks(highest)[-1] == pytest.approx(last)


@pytest.mark.parametrize(
    ("share", "rows", "low", "high"), [(0.5, 100, 0.404, 0.596), (1.0, 10, 0.722, 1.0), (0.0, 0, 0.0, 1.0)]
)
def test_wilson_interval(share: float, rows: int, low: float, high: float) -> None:
    assert wilson(share, rows) == pytest.approx((low, high), abs=5e-4)
