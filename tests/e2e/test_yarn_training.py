"""Training on YARN's executors while they, a NodeManager or the application master are killed."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from models import engines
from tests.e2e.conftest import DevCluster, Project, started
from tests.e2e.engines.cases import SLOWLY
from tests.e2e.test_dev_cluster import wait_for, wait_until_whole
from tests.e2e.test_submit import start
from tests.e2e.test_yarn import KILLS, missing

ENGINE, EPOCHS = "tensorflowonspark", 40
pytestmark = [
    pytest.mark.cluster,
    pytest.mark.skipif(not engines.probe(ENGINE).available, reason=engines.probe(ENGINE).reason),
]
TRAIN = {"engine": ENGINE, "epochs": EPOCHS, "stop.patience": EPOCHS}


@pytest.fixture(scope="module")
def roomy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DevCluster]:
    """A cluster of which one node alone can hold the application master and both executors."""
    running = started(tmp_path_factory.mktemp("roomy"), "--vcores", "4", "--memory", "6144")
    yield running
    running.command("stop")


@pytest.fixture
def damaged(roomy: DevCluster) -> Iterator[DevCluster]:
    """The cluster, made whole again."""
    yield roomy
    for number in (1, 2):
        if f"nodemanager-{number}" in missing(roomy):
            roomy.command("restart", "nodemanager", str(number))
    assert wait_until_whole(roomy)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project's folder with its tensors, made by this machine: their keys are the same everywhere."""
    project = Project(tmp_path_factory.mktemp("made"))
    done = project.textmill("run", "small.yaml", "--to", "tensors", root="yarn")
    assert done.returncode == 0, done.stdout + done.stderr
    return project.folder


@pytest.fixture
def prepared(made: Path, tmp_path: Path) -> Project:
    """A copy of it."""
    return Project(Path(shutil.copytree(made, tmp_path / "p")))


def begun(project: Project, cluster: DevCluster, **more: object) -> subprocess.Popen[str]:
    """The training, submitted and past its first checkpoint."""
    given = {**TRAIN, **more}
    sets = [word for key, value in given.items() for word in ("--set", f"train.bigru.{key}={value}")]
    slowly = [word for pair in SLOWLY.items() for word in ("--conf", "=".join(pair))]
    words = (*slowly, "run", "small.yaml", "--only", "train.bigru", "--set", f"root={project.folder}/yarn", *sets)
    job = start(project, cluster, *words)
    if not wait_for(lambda: any((project.folder / "yarn").rglob("latest.npz")), 300):
        job.kill()
        pytest.fail(f"no checkpoint came: {job.communicate()[0]}")
    return job


def manifest(project: Project) -> dict[str, Any]:
    (found,) = (project.folder / "yarn/store/model.train").glob("*/manifest.json")
    return dict(json.loads(found.read_text(encoding="utf-8")))


def noted(project: Project) -> str:
    """What the training has noted of itself, in all runs."""
    logs = (project.folder / "yarn").rglob("train-bigru.log")
    return "".join(log.read_text(encoding="utf-8") for log in sorted(logs))


@pytest.mark.parametrize("what", KILLS)
def test_training_goes_on_from_its_checkpoint_after_a_kill(what: str, damaged: DevCluster, prepared: Project) -> None:
    job = begun(prepared, damaged)
    try:
        killed = damaged.command("kill", *KILLS[what](damaged))
        assert killed.returncode == 0, killed.stderr
        assert not list((prepared.folder / "yarn/store/model.train").glob("*/manifest.json")), "it was over before"
        output, _ = job.communicate(timeout=400)
    finally:
        job.kill()
    assert job.returncode == 0, output
    stats = manifest(prepared)["stats"]
    again = "submitting again" in output
    assert again == (what in ("application master", "node manager of the application master"))
    assert stats["restarts"] == (1 if what == "executor" else stats["restarts"])
    assert stats["resumed_from_epoch"] >= 1 or (what.startswith("node manager") and not stats["restarts"])
    assert stats["resumed_from_epoch"] + len(stats["seconds_per_epoch"]) == EPOCHS


def test_a_killed_executor_is_named_within_ten_seconds_with_resume_off(roomy: DevCluster, prepared: Project) -> None:
    job = begun(prepared, roomy, resume="false")
    try:
        killed = roomy.command("kill", "executor", "1")
        at = time.monotonic()
        assert killed.returncode == 0, killed.stderr
        assert wait_for(lambda: "ended with" in noted(prepared), 30)
        took = time.monotonic() - at
        output, _ = job.communicate(timeout=400)
    finally:
        job.kill()
    assert job.returncode == 1, output
    assert re.search(r"step train\.bigru: rank \d on \S+ ended with signal SIGKILL", output), output
    assert took < 10
