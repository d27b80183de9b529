"""What a sweep leaves: trials.jsonl, predictions.npz, labels.json, the best trial's model or each one's."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from models.export import export
from models.sweep import trial
from models.sweep.driver import Sweeper, best
from models.sweep.trial import End
from models.tensors import Tensors, batches
from textmill import places
from textmill.places import Place
from textmill.transfer import download, filling

_SCORED = 65_536


def write(sweeper: Sweeper, ends: Mapping[int, End], out: Place, engine: str) -> None:
    """Fill the output folder from the ledger. At least one trial is done."""
    tensors, points, metric = Tensors(sweeper.tensors), sweeper.source.points, sweeper.plan.metric
    rows = {number: trial.row(points[number], end, engine, metric) for number, end in ends.items()}
    done = [number for number, end in ends.items() if end.status == "done"]
    found = {number: sweeper.ledger.predictions(number) for number in done if ends[number].test is not None}
    put(out, rows.values(), found, _true(tensors), tensors.labels)
    winner = best(dict(ends))
    assert winner is not None  # the caller has looked
    with filling(out / "best") as folder:
        folder.mkdir(parents=True, exist_ok=True)
        download(sweeper.ledger.model(winner.trial), folder)
        (folder / "trial.json").write_text(_line(rows[winner.trial]), encoding="utf-8")
        export(folder)
    if sweeper.keep_all:
        for number in done:
            _copy(sweeper.ledger.model(number), out / "models" / trial.name(number))


def put(out: Place, rows: Any, predicted: Mapping[int, np.ndarray], true: np.ndarray, labels: list[str]) -> None:
    """trials.jsonl, predictions.npz and labels.json."""
    (out / "trials.jsonl").write_text("".join(map(_line, rows)), encoding="utf-8")
    small = np.uint16 if len(labels) <= np.iinfo(np.uint16).max else np.int32
    named = {trial.name(number): values.astype(small) for number, values in predicted.items()}
    with places.replacing(out / "predictions.npz") as stream:
        np.savez(stream, labels=true.astype(np.int32), **named)
    (out / "labels.json").write_text(json.dumps(labels, ensure_ascii=False) + "\n", encoding="utf-8")


def _line(row: Mapping[str, Any]) -> str:
    return json.dumps(row, ensure_ascii=False) + "\n"


def _true(tensors: Tensors) -> np.ndarray:
    """The label number of every real test row, in the order of the shards."""
    if not tensors.rows("test"):
        return np.zeros(0, np.int32)
    return np.concatenate([batch.label[batch.weight > 0] for batch in batches(tensors, "test", _SCORED)])


def _copy(folder: Place, to: Place) -> None:
    with filling(to) as made:
        made.mkdir(parents=True, exist_ok=True)
        download(folder, made)
