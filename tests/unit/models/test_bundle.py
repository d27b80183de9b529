"""What a bundle is made of beside its records: the same files for the same job, wherever they are made."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from models import bundle, catalogue
from models.engines.base import TrainJob
from tests.e2e.engines import cases


@pytest.fixture(scope="module")
def tensors(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return cases.write(tmp_path_factory.mktemp("tensors"), train=8, valid=8 + cases.PADDING * cases.SHARDS)


def made(tensors: Path, folder: Path, **more: object) -> tuple[TrainJob, dict[str, str]]:
    job = cases.job(tensors, folder / "job", **more)
    (folder / "scratch").mkdir()
    files = bundle.contents(job, {}, {"slurm.sh": "#!/bin/bash\n"}, folder / "scratch")
    return job, {name: content.sha256 for name, content in files.items()}


def test_the_same_job_makes_the_same_files(tensors: Path, tmp_path: Path) -> None:
    one, other = (made(tensors, folder)[1] for folder in (tmp_path / "a", tmp_path / "b" / "c") if not folder.mkdir(parents=True))
    assert one == other
    assert set(one) >= {"job.json", "model.json", "program.zip", "launch/slurm.sh", "hosts/cpu.lock", "hosts/Dockerfile"}


def test_the_job_is_read_back_from_wherever_the_bundle_is(tensors: Path, tmp_path: Path) -> None:
    job, _ = made(tensors, tmp_path)
    there = TrainJob.from_file(tmp_path / "scratch" / bundle.JOB)
    assert there.tensors == tmp_path / "scratch/tensors" and there.checkpoints == tmp_path / "scratch/checkpoints"
    assert there.identity() == json.loads(json.dumps(job.identity()))


def test_word_vectors_go_along(tensors: Path, tmp_path: Path) -> None:
    (tmp_path / "vectors").mkdir()
    (tmp_path / "vectors/matrix.npy").write_bytes(b"numbers")
    _, files = made(tensors, tmp_path, vectors=tmp_path / "vectors")
    assert "vectors/matrix.npy" in files
    assert TrainJob.from_file(tmp_path / "scratch" / bundle.JOB).vectors == tmp_path / "scratch/vectors"


def test_an_earlier_version_goes_along(tensors: Path, tmp_path: Path) -> None:
    (tmp_path / "last").mkdir()
    for name in ("weights.npz", "vocabulary.tsv", "labels.json", "tensors.json", "metrics.json"):
        (tmp_path / "last" / name).write_bytes(b"last")
    _, files = made(tensors, tmp_path, start=tmp_path / "last")
    assert {name for name in files if name.startswith("start/")} == {
        "start/weights.npz", "start/vocabulary.tsv", "start/labels.json", "start/tensors.json"
    }  # fmt: skip
    assert TrainJob.from_file(tmp_path / "scratch" / bundle.JOB).start == tmp_path / "scratch/start"


@pytest.mark.parametrize("name", [name for name in catalogue.NAMES if catalogue.engines(name) is None])
def test_every_model_is_described_layer_by_layer(name: str, tensors: Path, tmp_path: Path) -> None:
    job = cases.job(tensors, tmp_path, model=name, model_params=catalogue.params(name)().canonical())
    described = json.loads(json.dumps(bundle.described(job)))
    assert described["layers"][-1]["kind"] == "Dense" and described["layers"][-1]["units"] == cases.LABELS
    assert (described["length"], described["vocabulary"]) == (cases.LENGTH, cases.VOCABULARY)
