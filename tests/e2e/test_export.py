"""textmill export as a user runs it: the bundle trains as the tensors do, and travels by rsync over a real sshd."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.engines.base import TrainJob
from tests.e2e import sshd
from tests.e2e.conftest import Project


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project whose tensors are there, and no training."""
    project = Project(tmp_path_factory.mktemp("project"))
    done = project.textmill("run", "small.yaml", "--to", "tensors")
    assert done.returncode == 0, done.stdout + done.stderr
    return project


def textmill(project: Project, *words: str) -> str:
    done = project.textmill(*words)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def bundle(prepared: Project) -> Path:
    """Exported for two ranks."""
    textmill(prepared, "export", "last", "bundle", "--ranks", "2")
    return prepared.folder / "bundle"


def tensors_of(project: Project) -> Path:
    return next((project.folder / "runs/store/tensor.encode").glob("*/tensors.json")).parent


def test_it_needs_nothing_outside_of_it(prepared: Project, bundle: Path) -> None:
    names = {path.relative_to(bundle).as_posix() for path in bundle.rglob("*") if path.is_file()}
    shards = {f"tensors/{part}/{n:05d}.tfrecord" for part in ("train", "valid", "test") for n in range(4)}
    assert names >= shards | {"manifest.json", "job.json", "model.json", "program.zip", "hosts/gpu.lock",
                              "hosts/install.sh", "launch/rank.sh", "launch/slurm.sh", "launch/pbs.sh",
                              "launch/mpijob.yaml", "launch/azure-job.yml"}  # fmt: skip
    for name in ("vocabulary.tsv", "labels.json"):
        assert (bundle / "tensors" / name).read_bytes() == (tensors_of(prepared) / name).read_bytes()
    job = json.loads((bundle / "job.json").read_text(encoding="utf-8"))
    assert (job["tensors"], job["out"], job["epochs"]) == ("tensors", "out", 3)
    model = json.loads((bundle / "model.json").read_text(encoding="utf-8"))
    assert model["layers"][0]["kind"] in ("TokenDropout", "Embedding") and model["labels"] == ["delivery", "refund", "stock"]
    assert str(prepared.folder) not in (bundle / "job.json").read_text() + (bundle / "manifest.json").read_text()


@pytest.mark.slow
def test_its_program_runs_without_this_checkout(bundle: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(bundle / "program.zip") as program:
        assert {name.partition("/")[0] for name in program.namelist()} == {"models", "textmill"}
    # -I leaves out the working folder and what the installation of this checkout adds is after the zip.
    program = (
        "import sys; sys.path[:0] = [sys.argv[1]]; import models.trainer, models.tensors; from pathlib import Path;"
        "tensors = models.tensors.opened(Path(sys.argv[2]));"
        "print(models.trainer.__file__, tensors.problems(2), sum(len(tensors.read(f).label) for f in tensors.files('train')))"
    )
    words = [sys.executable, "-I", "-c", program, str(bundle / "program.zip"), str(bundle / "tensors")]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
    described = json.loads((bundle / "tensors/tensors.json").read_text(encoding="utf-8"))
    rows = described["parts"]["train"]["rows"]
    assert done.stdout == f"{bundle}/program.zip/models/trainer.py [] {rows}\n", done.stderr


def test_an_epoch_from_either_gives_the_same_loss(prepared: Project, bundle: Path, tmp_path: Path) -> None:
    job = replace(TrainJob.from_file(bundle / "job.json"), epochs=1)
    found = {name: trained(replace(job, tensors=tensors), tmp_path / name)
             for name, tensors in {"records": bundle / "tensors", "tensors": tensors_of(prepared)}.items()}  # fmt: skip
    (one, weights), (other, same) = found.values()
    assert one["loss"] == pytest.approx(other["loss"], abs=1e-6) and one["loss"] > 0
    assert one["val_loss"] == pytest.approx(other["val_loss"], abs=1e-6)
    assert all(np.array_equal(weights[name], same[name]) for name in weights)


def trained(job: TrainJob, folder: Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """The history of the epoch and the weights after it, in a process of its own as the local engine has it."""
    for name in ("out", "checkpoints", "logs"):
        (folder / name).mkdir(parents=True)
    job = replace(job, **{name: folder / name for name in ("out", "checkpoints", "logs")})
    words = [sys.executable, "-m", "models.engines.local_worker", job.to_json()]
    # The worker ends when its standard input does.
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as worker:
        output = [stream.read() for stream in (worker.stdout, worker.stderr) if stream]
        assert worker.wait() == 0, output[1].decode()
    with np.load(job.out / "weights.npz", allow_pickle=False) as stored:
        weights = {name: stored[name] for name in stored.files}
    return json.loads((job.out / "history.json").read_text(encoding="utf-8"))["epochs"][0], weights


@pytest.fixture
def sent(bundle: Path, tmp_path: Path) -> Path:
    """A copy to spoil; launch/mpijob.yaml names the folder it is in."""
    return Path(shutil.copytree(bundle, tmp_path / "sent" / "bundle"))


def test_what_is_wrong_with_a_bundle_is_named_file_by_file(prepared: Project, sent: Path) -> None:
    assert textmill(prepared, "export", "--verify", str(sent)).startswith("whole: ")
    (sent / "tensors/train/00002.tfrecord").unlink()
    (sent / "program.zip").write_bytes((sent / "program.zip").read_bytes()[:-1] + b"!")
    with (sent / "tensors/labels.json").open("a") as labels:
        labels.write(" ")
    failed = prepared.textmill("export", "--verify", str(sent))
    assert failed.returncode == 1
    size = (sent / "tensors/labels.json").stat().st_size
    assert failed.stderr.splitlines() == [
        f"{sent} is damaged: ",
        "    program.zip has changed (its checksum differs)",
        f"    tensors/labels.json has {size} bytes instead of {size - 1}",
        "    tensors/train/00002.tfrecord is missing",
    ]
    (sent / "manifest.json").unlink()
    missing = prepared.textmill("export", "--verify", str(sent))
    assert missing.returncode == 2 and "has no whole manifest.json" in missing.stderr


def test_only_what_is_missing_is_sent_and_no_jvm_starts(prepared: Project, sent: Path) -> None:
    for name in ("manifest.json", "tensors/train/00002.tfrecord"):
        (sent / name).unlink()
    words = ("export", "last", str(sent), "--ranks", "2", "--json", "--log", "again.log")
    told = json.loads(textmill(prepared, *words))
    assert (told["sent_files"], told["sent_bytes"] > 0, told["ranks"]) == (1, True, 2)
    assert not (prepared.folder / "again.log").exists()
    textmill(prepared, "export", "--verify", str(sent))


@pytest.fixture(scope="module")
def ssh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if absent := sshd.missing():
        pytest.skip(f"not installed: {', '.join(absent)}")
    with sshd.running(tmp_path_factory.mktemp("sshd")) as command:
        yield command


def test_rsync_over_ssh(
    prepared: Project, bundle: Path, ssh: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RSYNC_RSH", ssh)
    there, at = tmp_path / "a host's folder/bundle", f"127.0.0.1:{tmp_path}/a host's folder/bundle"
    first = json.loads(textmill(prepared, "export", "last", at, "--ranks", "2", "--json"))
    assert first["sent_files"] == first["files"] and first["bytes_per_s"] > 0
    for path in bundle.rglob("*"):
        if path.is_file():
            assert (there / path.relative_to(bundle)).read_bytes() == path.read_bytes()
    textmill(prepared, "export", "last", at, "--ranks", "3")
    assert len(list((there / "tensors/train").glob("*.tfrecord"))) == 6
    textmill(prepared, "export", "last", at, "--ranks", "2")
    assert len(list((there / "tensors/train").glob("*.tfrecord"))) == 4
    assert textmill(prepared, "export", "--verify", at).startswith("whole: ")


def test_a_host_that_does_not_answer_is_named(prepared: Project, bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RSYNC_RSH", "ssh -F none -p 1 -o BatchMode=yes")
    failed = prepared.textmill("export", "last", "127.0.0.1:/tmp/never", "--ranks", "2")
    assert failed.returncode == 1 and "127.0.0.1:/tmp/never: ssh: connect to host 127.0.0.1 port 1" in failed.stderr
