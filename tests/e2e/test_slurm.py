"""Under a real Slurm: the exported script ends COMPLETED with a model, and a profile trains there as anywhere."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from models import engines
from tests.e2e import slurm
from tests.e2e.conftest import Project

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.skipif(bool(slurm.missing()), reason=f"not installed: {', '.join(slurm.missing())}"),
    pytest.mark.skipif(not engines.probe("horovod").available, reason=engines.probe("horovod").reason),
]
PROFILE = """
  gpu:
    spark: {master: "local[2]", memory: 1g}
    engine: horovod
    options:
      target: bundles
      scheduler: {kind: slurm, ranks: 2, per_host: 2, gpus: false, cores: 1, time: "00:10:00", python: PYTHON}
"""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    with slurm.running(tmp_path_factory.mktemp("slurm")) as environ, pytest.MonkeyPatch.context() as patched:
        for name in ("SLURM_CONF", "PATH"):
            patched.setenv(name, environ[name])
        yield environ


@pytest.fixture(scope="module")
def prepared(cluster: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Tensors, and a profile that trains under Slurm."""
    project = Project(tmp_path_factory.mktemp("project"))
    with project.definition.open("a", encoding="utf-8") as definition:
        definition.write(PROFILE.replace("PYTHON", sys.executable))
    told(project, "run", "small.yaml", "--to", "tensors")
    return project


def told(project: Project, *words: str) -> str:
    done = project.textmill(*words)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def ended(job: str) -> str:
    """The job's record once it is over."""
    for _ in range(1200):
        record = subprocess.run(["scontrol", "-o", "show", "job", job], capture_output=True, text=True, check=True).stdout
        if not any(f"JobState={state}" in record for state in ("PENDING", "RUNNING", "COMPLETING", "CONFIGURING")):
            return record
        time.sleep(0.25)
    raise AssertionError(record)


def test_the_script_of_a_bundle_ends_completed_with_a_model(prepared: Project) -> None:
    settings = {"kind": "slurm", "per_host": 2, "gpus": "false", "cores": 1, "time": "00:10:00", "python": sys.executable}
    words = [word for key, value in settings.items() for word in ("--launch", f"{key}={value}")]
    told(prepared, "export", "last", "by-hand", "--ranks", "2", *words)
    bundle = prepared.folder / "by-hand"
    submit = ["sbatch", "--parsable", "launch/slurm.sh"]
    job = subprocess.run(submit, cwd=bundle, capture_output=True, text=True, check=True).stdout.strip()
    record, log = ended(job), (bundle / f"launch/slurm-{job}.log").read_text(encoding="utf-8")
    assert "JobState=COMPLETED" in record and "ExitCode=0:0" in record, log
    assert '[0]<stdout>:{"done"' in log
    history = json.loads((bundle / "out/history.json").read_text(encoding="utf-8"))
    assert history["ranks"] == 2 and len(history["epochs"]) == 3
    assert (bundle / "out/saved_model/saved_model.pb").exists()
    assert not list((bundle / "launch").glob("meeting-*"))
    assert told(prepared, "export", "--verify", "by-hand").startswith("whole: ")


def test_a_profile_exports_launches_and_brings_the_model_back(prepared: Project) -> None:
    output = told(prepared, "run", "small.yaml", "--profile", "gpu")
    assert "evaluate.bigru" in output and "accuracy" in output
    bundle = next((prepared.folder / "bundles").iterdir())
    out = next((prepared.folder / "runs/store/model.train").glob("*/weights.npz")).parent
    history = json.loads((out / "history.json").read_text(encoding="utf-8"))
    assert history["ranks"] == 2
    with np.load(out / "weights.npz") as here, np.load(bundle / "out/weights.npz") as there:
        assert all(np.array_equal(here[name], there[name]) for name in there.files)
    run = json.loads(told(prepared, "show", "--json"))
    assert run["metrics"]["bigru"]["accuracy"] > 0.9
    log = (prepared.folder / "runs/small" / run["run"] / "train-bigru.log").read_text(encoding="utf-8")
    assert "files, " in log and "slurm job " in log and "COMPLETED" in log


def test_a_rank_that_fails_is_named(prepared: Project) -> None:
    """A rank that is killed where it runs: the training fails with its number and signal, soon."""
    import psutil

    words = ("run", "small.yaml", "--profile", "gpu", "--set", "train.bigru.epochs=500", "--set", "train.bigru.stop.patience=500")
    process = prepared.start(*words, root="runs")
    killed = 0.0
    while process.poll() is None and not killed:
        ranks = [one for one in psutil.process_iter(["cmdline"]) if "models.engines.horovod_rank" in (one.info["cmdline"] or ())
                 and str(prepared.folder) in " ".join(one.info["cmdline"])]  # fmt: skip
        log = "".join(path.read_text() for path in (prepared.folder / "bundles").glob("*/launch/slurm-*.log"))
        if len(ranks) == 2 and '"epochs": 500' in log:
            max(ranks, key=lambda one: int(one.environ()["HOROVOD_RANK"])).kill()
            killed = time.monotonic()
        time.sleep(0.2)
    output = process.communicate(timeout=60)[0]
    assert process.returncode == 1 and time.monotonic() - killed < 20
    assert "rank 1 on " in output and "ended with signal SIGKILL" in output, output
    assert Path(prepared.folder / "runs").exists()
