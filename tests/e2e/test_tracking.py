"""MLflow: trials in a real store (SQLite), and through a real server where its package is installed."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipelines.board import read, tracking
from pipelines.board.tracking import Server
from pipelines.board.trials import Trial
from pipelines.model import Tracking
from tests import boards
from tests.boards import Runs
from tests.e2e.conftest import TEXTMILL, Project
from textmill.errors import EnvironmentProblem, TextmillError

mlflow = pytest.importorskip("mlflow")
pytest.importorskip("alembic")  # of the store in a file


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URI of an empty store; making its tables takes seconds, so the tests share it."""
    folder, before = tmp_path_factory.mktemp("mlflow"), Path.cwd()
    os.chdir(folder)  # where it puts artifacts
    yield f"sqlite:///{folder}/mlflow.db"
    os.chdir(before)


@pytest.fixture
def trials(tmp_path: Path) -> list[Trial]:
    runs = Runs(tmp_path / "runs")
    many = {f"p{n:03d}": n for n in range(120)}  # more than one call takes
    failed = boards.trial(2, status="failed", error="Traceback …\nValueError: filters", epochs=[], valid=None)
    runs.sweep("grid", [boards.trial(1, misses={"t00001"}, params=many), failed])
    runs.training("cnn", {"t00001", "t00002"}, filters=100)
    return read.trials(runs.root, "demo")[0]


def logged(uri: str, experiment: str) -> dict[str, Any]:
    client = mlflow.MlflowClient(tracking_uri=uri)
    found = client.get_experiment_by_name(experiment)
    return {run.info.run_name: run for run in client.search_runs([found.experiment_id])}


def test_each_trial_is_a_run_with_its_parameters_curves_and_scores(store: str, trials: list[Trial]) -> None:
    assert tracking.log(trials, Server(store, "all")) == 3
    runs = logged(store, "all")
    assert set(runs) == {"cnn", "grid/0001", "grid/0002"}
    cnn = runs["cnn"]
    assert (cnn.info.status, cnn.data.params["filters"], cnn.data.params["engine"]) == ("FINISHED", "100", "local")
    assert cnn.data.metrics["test_accuracy"] == pytest.approx(58 / 60)
    assert len(runs["grid/0001"].data.params) == 122
    curve = mlflow.MlflowClient(tracking_uri=store).get_metric_history(cnn.info.run_id, "val_accuracy")
    expected = [epoch["val_accuracy"] for epoch in next(one for one in trials if one.name == "cnn").epochs]
    assert [(point.step, point.value) for point in curve] == list(enumerate(expected, 1))
    failed = runs["grid/0002"]
    assert failed.info.status == "FAILED" and "ValueError: filters" in failed.data.tags["textmill.error"]


def test_what_is_logged_is_not_logged_again_and_what_was_cut_off_is(store: str, trials: list[Trial]) -> None:
    to = Server(store, "twice")
    assert [tracking.log(trials[:2], to), tracking.log(trials, to), tracking.log(trials, to)] == [2, 1, 0]
    client = mlflow.MlflowClient(tracking_uri=store)
    cut = next(run for run in logged(store, "twice").values() if run.info.run_name == "cnn")
    client.update_run(cut.info.run_id, status="RUNNING")  # as one is whose logger was killed
    assert tracking.log(trials, to) == 1
    assert len(logged(store, "twice")) == 3 and logged(store, "twice")["cnn"].info.run_id != cut.info.run_id


def test_the_definition_comes_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert tracking.server(Tracking(), "demo") is None
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://elsewhere")
    assert tracking.server(Tracking(), "demo") == Server("http://elsewhere", "demo")
    assert tracking.server(Tracking(uri="sqlite:///x", experiment="mine"), "demo") == Server("sqlite:///x", "mine")


def test_no_password_is_shown() -> None:
    assert str(Server("https://me:secret@host:5000/path", "x")) == "https://host:5000/path"


def test_a_server_that_does_not_answer_is_named_before_anything_starts(project: Project) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen
        uri = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(EnvironmentProblem, match="no answer from the tracking server"):
            Server(uri, "x").check()
        done = project.textmill("run", "small.yaml", "--set", f"tracking.uri={uri}", "--set", "root=runs")
    assert done.returncode == 1 and uri in done.stderr and "unset MLFLOW_TRACKING_URI" in done.stderr
    assert not (project.folder / "runs" / "small").exists()


def test_what_mlflow_raises_is_an_error_with_the_place(trials: list[Trial], tmp_path: Path) -> None:
    with pytest.raises(TextmillError, match="could not be logged to file:"):
        tracking.log(trials, Server(f"file:{tmp_path}/mlruns", "x"))  # which MLflow no longer takes


def test_board_tracks_what_there_is(tmp_path: Path, store: str) -> None:
    runs = Runs(tmp_path / "runs")
    runs.training("cnn", {"t00001"})
    command = [str(TEXTMILL), "board", "demo", "--root", str(runs.root), "--track"]
    without = {name: value for name, value in os.environ.items() if name != "MLFLOW_TRACKING_URI"}
    done = subprocess.run(command, env=without, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "--track needs MLFLOW_TRACKING_URI" in done.stderr
    env = {**without, "MLFLOW_TRACKING_URI": store, "MLFLOW_EXPERIMENT_NAME": "cli"}
    done = subprocess.run(command, env=env, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert f"1 new trials logged to {store}, experiment cli" in done.stderr
    assert set(logged(store, "cli")) == {"cnn"}


@pytest.mark.cluster
def test_a_real_server_takes_them(trials: list[Trial], tmp_path: Path) -> None:
    """`mlflow server` needs all of mlflow, which is in no extra: MLFLOW_PYTHON names an interpreter that has it."""
    python = os.environ.get("MLFLOW_PYTHON", sys.executable)
    probe = [python, "-c", "import mlflow.server, flask"]
    if subprocess.run(probe, capture_output=True, check=False).returncode:
        pytest.skip("all of mlflow is not installed; MLFLOW_PYTHON may name an interpreter that has it")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [python, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1",
               "--backend-store-uri", f"sqlite:///{tmp_path}/server.db", "--artifacts-destination", str(tmp_path)]  # fmt: skip
    with (tmp_path / "server.log").open("wb") as log:
        server = subprocess.Popen(command, cwd=tmp_path, stdout=log, stderr=log, start_new_session=True)
    try:
        to = Server(f"http://127.0.0.1:{port}", "served")
        _wait(to, server)
        assert [tracking.log(trials, to), tracking.log(trials, to)] == [3, 0]
        assert set(logged(to.uri, "served")) == {"cnn", "grid/0001", "grid/0002"}
    finally:
        os.killpg(server.pid, 15)
        server.wait(30)


def _wait(to: Server, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 300
    while process.poll() is None and time.monotonic() < end:
        try:
            return to.check()
        except EnvironmentProblem:
            time.sleep(0.5)
    raise AssertionError("mlflow server does not listen")
