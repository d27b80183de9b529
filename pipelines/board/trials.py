"""Trials read from run records and outputs: each training, and each trial of a sweep or search, is one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pipelines.board.scores import Scores
from pipelines.kinds import OBJECT
from pipelines.pipeline import TRAIN
from pipelines.report.reading import Reading, json_object, number, whole
from pipelines.runs import Record
from pipelines.store import MANIFEST, Store
from textmill.places import Place

SWEEPS = ("model.sweep", "model.search")
LEDGER, PREDICTIONS = "trials.jsonl", "predictions.npz"
DONE, FAILED = "done", "failed"
_ENDED = {"interrupted": ("interrupted", "")}
"""Status and error of a trial by those of its run; an interruption is no failure of the model."""
_NO_SETTINGS = ("engine", "model", "params", "code", "options", "metric")
_WEIGHTS = "weights.npz"
_CURVES = ("loss", "accuracy", "val_loss", "val_accuracy", "val_macro_f1")


@dataclass(frozen=True)
class Source:
    """Where a trial's predictions are: an output and, of a sweep's, the name of the trial in it."""

    folder: Place
    key: str
    trial: str | None = None


@dataclass(frozen=True)
class Trial:
    """One model that was trained, or that failed to be, with what was measured of it."""

    run: str
    date: str
    name: str
    """`cnn` of train.cnn; `small/0007` of trial 0007 of sweep.small."""
    key: str
    """Of the output it belongs to: two runs that show the same trial have the same."""
    engine: str
    model: str
    params: Mapping[str, Any]
    settings: Mapping[str, Any]
    status: str
    error: str
    epochs: tuple[Mapping[str, float | None], ...] = ()
    best_epoch: int | None = None
    valid: Scores | None = None
    test: Scores | None = None
    parameters: int | None = None
    records_per_s: float | None = None
    seconds: float | None = None
    """Wall time of the training, what it writes included."""
    bytes: int | None = None
    """Size of its weights."""
    source: Source | None = None
    made: bool = True
    """Whether its run trained it; False where that run reused what an earlier one had trained."""

    @property
    def ref(self) -> str:
        """What names it in all runs: RUN:NAME."""
        return f"{self.run}:{self.name}"


def of_runs(root: Place, records: Iterable[Record], reading: Reading) -> list[Trial]:
    """The trials of run records, the newest first; one that several runs share is that of the run that trained it.

    A failed training is left out where a newer run, or one with the same key, did it. What can't be read is noted.
    """
    found: dict[tuple[str, str], Trial] = {}
    for record in records:
        for trial in _of_run(root, record, reading):
            before = found.get((trial.key, trial.name))
            if before is None or _tells_more(trial, before):
                found[trial.key, trial.name] = trial
    return list(found.values())


def _tells_more(trial: Trial, newer: Trial) -> bool:
    return trial.status == DONE and (newer.status != DONE or trial.made and not newer.made)


def _of_run(root: Place, record: Record, reading: Reading) -> Iterator[Trial]:
    steps = {step["step"]: step for step in record["steps"]}
    for name, step in steps.items():
        what = f"{name} of run {record['run']}"
        if step["op"] == TRAIN:
            evaluation = steps.get(f"evaluate.{name.partition('.')[2]}")
            if trial := reading.attempt(
                what, lambda step=step, after=evaluation: _training(root, record, step, after), None
            ):
                yield trial
        elif step["op"] in SWEEPS:
            yield from reading.attempt(what, lambda step=step: list(_sweep(root, record, step)), [])


def _training(
    root: Place, record: Record, step: Mapping[str, Any], evaluation: Mapping[str, Any] | None
) -> Trial | None:
    """None where the run did not come to it. Raises what reading raises."""
    given = _because(root, record, step)
    told: dict[str, Any] = {
        "run": record["run"],
        "date": record["date"],
        "name": step["step"].partition(".")[2],
        "key": step["key"],
        "engine": given["engine"],
        "model": given["model"],
        "params": given["params"],
        "settings": {name: value for name, value in given.items() if name not in _NO_SETTINGS},
        "made": step["action"] == "run",
    }
    folder = _folder(root, step)
    if step["status"] == "failed":
        status, error = _end(record)
        return Trial(**told, status=status, error=error, seconds=step["seconds"])
    if not (folder / MANIFEST).exists():
        return None
    return Trial(**told, status=DONE, error="", **_trained(folder), **_evaluated(root, evaluation))


def _end(record: Record) -> tuple[str, str]:
    """Status and error of what a run was at when it ended badly."""
    return _ENDED.get(record["status"], (FAILED, str(record["error"] or "")))


def _folder(root: Place, step: Mapping[str, Any]) -> Place:
    """Where a step's output is: what the record says holds for the folder that the run was started in."""
    return Store(root).folder(step["op"], step["key"])


def _because(root: Place, record: Record, step: Mapping[str, Any]) -> Mapping[str, Any]:
    """The parameters of a training, which are part of its key."""
    from pipelines import runs

    plan = json_object(runs.folder(root, record) / runs.PLAN)
    return dict(plan[step["step"]]["params"])


def _trained(folder: Place) -> dict[str, Any]:
    manifest, history = json_object(folder / MANIFEST), json_object(folder / "history.json")
    epochs, best = _epochs(history["epochs"]), history.get("best_epoch")
    return {
        "epochs": epochs,
        "best_epoch": best,
        "valid": _valid(epochs, best),
        "parameters": _maybe(history.get("parameters")),
        "records_per_s": number(manifest["stats"].get("records_per_s")),
        "seconds": number(manifest.get("seconds")),
        "bytes": manifest["files"].get(_WEIGHTS, {}).get("bytes"),
    }


def _evaluated(root: Place, step: Mapping[str, Any] | None) -> dict[str, Any]:
    """Nothing where the run did not come to the evaluation."""
    if step is None or not ((folder := _folder(root, step)) / MANIFEST).exists():
        return {}
    return {"test": Scores.of(json_object(folder / "metrics.json")), "source": Source(folder, step["key"])}


def _sweep(root: Place, record: Record, step: Mapping[str, Any]) -> Iterator[Trial]:
    """Its trials; a sweep that failed as a whole, which has no output, is one row itself."""
    folder, sweep = _folder(root, step), step["step"].partition(".")[2]
    if step["status"] == "failed":
        kind = step["op"].partition(".")[2]
        told = (record["run"], record["date"], sweep, step["key"], kind, "", {}, {}, *_end(record))
        yield Trial(*told, seconds=step["seconds"])
    if not (folder / MANIFEST).exists():
        return
    for told in OBJECT.lines(folder / LEDGER):
        yield _trial(told, record, step, folder, sweep)


def _trial(found: Mapping[str, Any], record: Record, step: Mapping[str, Any], folder: Place, sweep: str) -> Trial:
    epochs, trial = _epochs(found.get("epochs") or ()), str(found["trial"])
    return Trial(
        run=record["run"],
        date=record["date"],
        name=f"{sweep}/{trial}",
        key=step["key"],
        engine=found["engine"],
        model=found["model"],
        params=found["params"],
        settings=found["settings"],
        status=found["status"],
        error=str(found.get("error") or ""),
        epochs=epochs,
        best_epoch=_maybe(found.get("best_epoch")),
        valid=Scores.of(found["valid"]) if found.get("valid") else None,
        test=Scores.of(found["test"]) if found.get("test") else None,
        parameters=_maybe(found.get("parameters")),
        records_per_s=number(found.get("records_per_s")),
        seconds=number(found.get("seconds")),
        bytes=_maybe(found.get("bytes")),
        source=Source(folder, step["key"], trial) if found["status"] == DONE else None,
        made=step["action"] == "run",
    )


def _epochs(found: Iterable[Mapping[str, Any]]) -> tuple[Mapping[str, float | None], ...]:
    return tuple({name: number(epoch.get(name)) for name in _CURVES} for epoch in found)


def _valid(epochs: tuple[Mapping[str, float | None], ...], best: int | None) -> Scores | None:
    if best is None or not 0 < best <= len(epochs):
        return None
    return Scores(None, epochs[best - 1]["val_accuracy"], epochs[best - 1]["val_macro_f1"])


def _maybe(value: Any) -> int | None:
    return None if value is None else whole(value)
