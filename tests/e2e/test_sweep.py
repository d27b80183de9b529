"""Sweeps by the command line on local[2]: trials that fail in every way, kill -9 and resume, successive halving."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.scoring import load
from models.tensors import Tensors, batches
from tests.e2e.conftest import TEXTMILL, Project

ODD = '''"""Models that do to their process what they are told."""
import os
import time

from models.layers import Dense, Embedding, MeanPool


def build(vocabulary: int, labels: int, deed: str = "learn", size: int = 8):
    if deed == "raise":
        raise LookupError("no such thing")
    if deed == "die":
        os._exit(9)
    if deed == "sleep":
        time.sleep(600)
    if deed == "eat":
        eaten = []
        while True:
            eaten.append(bytearray(os.urandom(1 << 20) * 8))
    return [Embedding(vocabulary, size), MeanPool(), Dense(labels, "softmax")]
'''
ONE = "{from: tensors, epochs: 4, stop: {patience: 4}, batch: 64, learning_rate: 0.01"
SWEEPS = f"""
sweep:
  odd: {ONE}, time_limit: 60s, memory_limit: 600m, keep: all, trials: [
    {{model: "odd:build", params: {{deed: [learn, raise, die, sleep, eat]}}}}, {{model: linear}},
    {{model: fasttext, params: {{embedding: [4, 8]}}}}]}}
  many: {ONE}, trials: [{{model: "odd:build", params: {{size: [2, 3, 4]}}, settings: {{seed: [1, 2, 3]}}}}]}}
  halved: {ONE}, asha: {{reduction: 2}}, trials: [
    {{model: "odd:build", params: {{size: [2, 3, 4]}}, settings: {{seed: [1]}}}}]}}
"""


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project with tensors in its store, and three sweeps to run on them."""
    made = Project(tmp_path_factory.mktemp("sweep"))
    (made.folder / "odd.py").write_text(ODD, encoding="utf-8")
    made.definition.write_text(made.definition.read_text(encoding="utf-8") + SWEEPS, encoding="utf-8")
    done = made.textmill("run", "small.yaml", "--to", "tensors")
    assert done.returncode == 0, done.stdout + done.stderr
    return made


def run(project: Project, sweep: str) -> subprocess.CompletedProcess[str]:
    return project.textmill("run", "small.yaml", "--only", f"sweep.{sweep}")


def output(project: Project, sweep: str) -> Path:
    """The folder of a sweep that ended."""
    store = project.folder / "runs" / "store" / "model.sweep"
    manifests = {file: json.loads(file.read_text(encoding="utf-8")) for file in store.glob("*/manifest.json")}
    return next(file.parent for file, manifest in manifests.items() if manifest["step"] == f"sweep.{sweep}")


def rows(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "trials.jsonl").read_text(encoding="utf-8").splitlines()]


def predictions(folder: Path) -> dict[str, np.ndarray]:
    with np.load(folder / "predictions.npz", allow_pickle=False) as stored:
        return {name: stored[name] for name in stored.files}


@pytest.fixture(scope="module")
def odd(prepared: Project) -> Path:
    """The output of the sweep in which trials fail."""
    done = run(prepared, "odd")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 done, 4 failed; best 000" in done.stdout
    return output(prepared, "odd")


def test_trials_that_fail_are_rows_with_their_error(odd: Path) -> None:
    found = rows(odd)
    assert [row["trial"] for row in found] == [f"{number:04d}" for number in range(8)]
    assert [row["status"] for row in found] == ["done"] + ["failed"] * 4 + ["done"] * 3
    raised, died, slept, ate = (row["error"] for row in found[1:5])
    assert raised == "LookupError: no such thing"
    assert "its process ended with exit status 9" in died
    assert slept == "took longer than time_limit 60 s"
    assert ate.startswith("used ") and "more than memory_limit 600 MiB" in ate or "MemoryError" in ate
    assert all(row["valid"] is None and row["epochs"] == [] for row in found[1:5])
    assert 60 <= found[3]["seconds"] < 80


def test_a_done_trial_has_its_curve_figures_and_predictions(prepared: Project, odd: Path) -> None:
    tensors = Tensors(next((prepared.folder / "runs/store/tensor.encode").glob("*/tensors.json")).parent)
    true = np.concatenate([batch.label[batch.weight > 0] for batch in batches(tensors, "test", 99)])
    found = predictions(odd)
    assert found.pop("labels").tolist() == true.tolist()
    assert json.loads((odd / "labels.json").read_text(encoding="utf-8")) == tensors.labels
    done = {row["trial"]: row for row in rows(odd) if row["status"] == "done"}
    assert found.keys() == done.keys() and all(values.dtype == np.uint16 for values in found.values())
    for trial, row in done.items():
        assert row["test"]["accuracy"] == pytest.approx((found[trial] == true).mean())
        assert row["test"]["rows"] == len(true)
        best = row["epochs"][row["best_epoch"] - 1]
        assert row["valid"] == {name: best[f"val_{name}"] for name in ("accuracy", "macro_f1")}
        assert row["parameters"] > 0 and row["bytes"] > 0 and row["seconds"] > 0 and row["records_per_s"] > 0
    assert done["0006"]["params"] == {"embedding": 4} and done["0006"]["model"] == "fasttext"


def test_the_best_trial_is_kept_as_any_training_is_and_all_are_if_asked_for(prepared: Project, odd: Path) -> None:
    best = json.loads((odd / "best/trial.json").read_text(encoding="utf-8"))
    scores = [row["valid"]["macro_f1"] for row in rows(odd) if row["valid"]]
    assert best["valid"]["macro_f1"] == max(scores)
    tensors = Tensors(next((prepared.folder / "runs/store/tensor.encode").glob("*/tensors.json")).parent)
    ids = np.concatenate([batch.ids[batch.weight > 0] for batch in batches(tensors, "test", 99)])
    predicted = load(odd / "best/saved_model", 1)(ids).argmax(axis=1)
    assert predicted.tolist() == predictions(odd)[best["trial"]].tolist()
    kept = {"weights.npz", "model.json", "history.json"}
    assert {path.name for path in (odd / "models").iterdir()} == {"0000", "0005", "0006", "0007"}
    assert all(kept <= {file.name for file in path.iterdir()} for path in (odd / "models").iterdir())


def ledger(project: Project) -> Path | None:
    found = list((project.folder / "runs" / "store" / "model.sweep").glob("*.checkpoints"))
    return found[0] if found else None


def ended(project: Project) -> dict[str, dict[str, Any]]:
    """The ends on record of a sweep that has not ended itself."""
    folder = ledger(project)
    files = sorted((folder / "ended").glob("*.json")) if folder else []
    return {file.stem: json.loads(file.read_text(encoding="utf-8")) for file in files}


def test_a_killed_driver_loses_only_the_trials_that_ran(prepared: Project, odd: Path) -> None:
    command = [str(TEXTMILL), "run", "small.yaml", "--only", "sweep.many", "--set", "root=runs"]
    driver = subprocess.Popen(
        command, cwd=prepared.folder, env=prepared.environ("runs"), stdout=subprocess.DEVNULL, start_new_session=True
    )
    try:
        deadline = time.monotonic() + 200
        while len(ended(prepared)) < 3 and time.monotonic() < deadline:
            assert driver.poll() is None, "it was over before it could be killed"
            time.sleep(0.1)
    finally:
        os.kill(driver.pid, signal.SIGKILL)
        driver.wait()
    time.sleep(3)  # whatever still runs for it ends now, or puts its end on record
    before = ended(prepared)
    assert 3 <= len(before) < 9

    resumed = run(prepared, "many")
    assert resumed.returncode == 0, resumed.stdout + resumed.stderr
    folder = output(prepared, "many")
    after = {row["trial"]: row for row in rows(folder)}
    assert len(after) == 9 and {row["status"] for row in after.values()} == {"done"}
    assert {trial: after[trial]["seconds"] for trial in before} == {
        trial: end["seconds"] for trial, end in before.items()
    }
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["stats"]["resumed"] == len(before)
    assert ledger(prepared) is None
    assert not (folder / "models").exists()


@pytest.mark.slow
def test_halving_stops_trials_and_trains_the_best_as_if_it_had_never_paused(prepared: Project, odd: Path) -> None:
    done = run(prepared, "halved")
    assert done.returncode == 0, done.stdout + done.stderr
    found = rows(output(prepared, "halved"))
    by_status = {row["trial"]: row["status"] for row in found}
    assert set(by_status.values()) == {"done", "stopped"}
    stopped = [row for row in found if row["status"] == "stopped"]
    assert all(len(row["epochs"]) in (1, 2) and row["valid"] and row["test"] is None for row in stopped)
    many = run(prepared, "many")  # reused where a test before this one ran it
    assert many.returncode == 0, many.stdout + many.stderr
    whole = {(row["params"]["size"], row["settings"]["seed"]): row for row in rows(output(prepared, "many"))}
    for row in found:
        same = whole[row["params"]["size"], 1]
        assert row["epochs"] == same["epochs"][: len(row["epochs"])]
        if row["status"] == "done":
            assert len(row["epochs"]) == 4 and row["test"] == same["test"]


@pytest.fixture(scope="module", autouse=True)
def _swept(prepared: Project) -> Any:
    yield
    shutil.rmtree(prepared.folder, ignore_errors=True)
