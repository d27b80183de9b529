"""That daily runs lost and doubled no row, from the manifests, and that what they promoted is consistent."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines.store import Manifest, Store
from pipelines.versions import Versions
from textmill.places import Place

NAME = "days"


def prove(folder: Path, rows: Mapping[str, list[str]]) -> dict[str, Any]:
    """Raise AssertionError unless each date has a finished run and the last one holds each row of each date once."""
    done = records(folder)
    assert {record["date"] for record in done} == set(rows), "a date has no finished run"
    store = Store(folder / "runs")
    for record in newest(done).values():
        _whole(store, record, [date for date in rows if date <= record["date"]])
    last = newest(done)[max(rows)]
    manifests = {step["step"]: _manifest(store, step) for step in last["steps"]}
    cleaned = _cleaned(store, last, manifests, rows)
    found = {"dates": len(rows), "rows": sum(map(len, rows.values())), **_counted(manifests, cleaned)}
    for step in last["steps"]:
        if step["op"] == "tensor.encode":
            _encoded(store.folder(step["op"], step["key"]), found["encoded"])
    return {**found, "lost_or_doubled": 0, **(_promoted(folder, done) if last["metrics"] else {})}


def records(folder: Path) -> list[dict[str, Any]]:
    """The records of the runs that are done, the one that ended first first."""
    found = [json.loads(file.read_text()) for file in sorted((folder / "runs" / NAME).glob("*/run.json"))]
    return sorted((record for record in found if record["status"] == "done"), key=lambda record: record["run"])


def newest(done: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """By date the newest run."""
    return {record["date"]: record for record in done}


def _manifest(store: Store, step: Mapping[str, Any]) -> Manifest:
    manifest = store.manifest(step["op"], step["key"])
    assert manifest is not None, f"{step['step']} has no output"
    assert store.damage(step["op"], step["key"], manifest) is None, f"{step['step']} is damaged"
    return manifest


def _whole(store: Store, record: Mapping[str, Any], dates: list[str]) -> None:
    """Every step of the run is done, its output is whole, and it took exactly the dates up to its own."""
    assert record["dates"]["chats"] == dates, (record["date"], record["dates"])
    for step in record["steps"]:
        assert step["status"] == "done", (record["date"], step["step"])
        _manifest(store, step)


def _cleaned(
    store: Store, last: Mapping[str, Any], manifests: Mapping[str, Manifest], rows: Mapping[str, list[str]]
) -> list[str]:
    """The texts that cleaning kept, of all dates; each date's rows are all kept or set aside."""
    texts: list[str] = []
    for step in last["steps"]:
        name, _, date = step["step"].partition("@")
        if name != "clean":
            continue
        parts = manifests[step["step"]]["parts"]
        counted = sum(part["rows"] for part in parts.values())
        assert counted == len(rows[date]), (date, counted, len(rows[date]))
        output = store.folder(step["op"], step["key"])
        texts += [text for file in parts["rows"]["files"] for text in pq.read_table(output / file)["text"].to_pylist()]
    return texts


def _counted(manifests: Mapping[str, Manifest], cleaned: list[str]) -> dict[str, int]:
    """Rows from step to step: each text once, each row in a part or set aside with a reason."""
    rows = {step: {part: said["rows"] for part, said in made["parts"].items()} for step, made in manifests.items()}
    distinct = len(set(cleaned))
    assert rows["dedup"]["rows"] == distinct, (rows["dedup"], distinct)
    assert sum(rows["dedup"].values()) == len(cleaned), (rows["dedup"], len(cleaned))
    if "split" not in rows:
        return {"cleaned": len(cleaned), "distinct": distinct}
    gold = rows["clean_gold"]["rows"]
    assert sum(rows["split"].values()) == distinct, rows["split"]
    assert sum(rows["tokens"].values()) == distinct + gold, (rows["tokens"], distinct, gold)
    kept = sum(number for part, number in rows["tokens"].items() if part != "dropped")
    return {"cleaned": len(cleaned), "distinct": distinct, "gold": gold, "encoded": kept}


def _encoded(tensors: Place, kept: int) -> None:
    """The shards hold each token row once, beside the padding that tensors.json counts."""
    parts = json.loads((tensors / "tensors.json").read_text(encoding="utf-8"))["parts"]
    real = sum(part["real_rows"] + part["dropped"] for part in parts.values())
    stored = 0
    for name in parts:
        for file in sorted((tensors / name).glob("*.parquet")):
            with file.open("rb") as stream:
                stored += int(pc.sum(pc.greater(pq.read_table(stream, columns=["weight"])["weight"], 0)).as_py())
    assert real == stored == kept, (real, stored, kept)


def _promoted(folder: Path, done: list[dict[str, Any]]) -> dict[str, Any]:
    """The history: dates and figures rise, and every run started from what was promoted last before its date."""
    versions = Versions(folder / "runs", NAME)
    history = versions.pointer()["history"]
    by_version = {run["promotion"]["version"]: run for run in done if run.get("promotion", {}).get("promoted")}
    assert history == sorted(set(history)) == sorted(by_version), (history, sorted(by_version))
    runs = [by_version[number] for number in history]
    figures = [run["metrics"]["m"]["gold.accuracy"] for run in runs]
    assert figures == sorted(set(figures)), f"a version is not above the one before it: {figures}"
    assert [run["date"] for run in runs] == sorted(run["date"] for run in runs)
    for run in newest(done).values():
        before = [other for other in runs if other["date"] < run["date"]]
        started = before[-1] if before else None
        wanted = started and {"version": started["promotion"]["version"], "date": started["date"]}
        assert run["started_from"] == wanted, (run["date"], run["started_from"], wanted)
    assert all(version.damage() is None for version in versions.all()) and versions.current() is not None
    return {"promoted": len(history), "gold_accuracy_first": figures[0], "gold_accuracy_last": figures[-1]}
