"""A training bundle: all that ranks on other machines need, in one folder that needs nothing outside of it.

    manifest.json      files with sizes and SHA-256; written last
    job.json           the training, paths relative to this folder
    model.json         the model as layers
    tensors/           TFRecords by part, tensors.json, labels.json, vocabulary.tsv
    vectors/           matrix.npy, where the embedding starts from word vectors
    start/             weights of an earlier version, and what its ids and labels mean, where the training goes on from it
    program.zip        the packages that train
    hosts/             what a host needs installed: locked requirements and the script that installs them
    launch/            files of the schedulers
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass, replace
from pathlib import Path
from typing import Any

from models import catalogue
from models.engines.base import TrainJob
from models.results import write_json
from models.tensors import Tensors
from textmill import archives
from textmill.bundles import Content

JOB, PROGRAM, MODEL = "job.json", "program.zip", "model.json"
PACKAGES = ("models", "textmill")
_ROOT = Path(__file__).resolve().parent.parent
_HOSTS = Path(__file__).with_name("hosts")
_START = ("weights.npz", "vocabulary.tsv", "labels.json", "tensors.json")
_FOLDERS = ("tensors", "out", "checkpoints", "logs")


def contents(
    job: TrainJob, records: Mapping[str, Content], launch: Mapping[str, str], scratch: Path
) -> dict[str, Content]:
    """The files of the bundle of a job, by their names in it; those that are made are written to `scratch`.

    `records` are the files of the tensors' TFRecords and `launch` the text of launch files, by their names.
    """
    made = {**_of_job(job, scratch), **_of_program(scratch)}
    for name, text in launch.items():
        made[f"launch/{name}"] = _written(scratch / "launch" / name, text)
    files = {name: Content.of(file) for name, file in made.items()}
    if job.vectors is not None:
        files["vectors/matrix.npy"] = Content.of(job.vectors / "matrix.npy")
    if job.start is not None:
        files |= {f"start/{name}": Content.of(job.start / name) for name in _START}
    return {**{f"tensors/{name}": content for name, content in records.items()}, **files}


def _of_job(job: TrainJob, scratch: Path) -> dict[str, Path]:
    inside = {name: Path(name) for name in _FOLDERS}
    given = {name: Path(name) if getattr(job, name) is not None else None for name in ("vectors", "start")}
    there = replace(job, **inside, **given)
    write_json(scratch / JOB, json.loads(there.to_json()))
    write_json(scratch / MODEL, described(job))
    return {name: scratch / name for name in (JOB, MODEL)}


def described(job: TrainJob) -> dict[str, Any]:
    """The model that the job trains: its layers, each with its kind; of a model of the user's own the code."""
    tensors = Tensors(job.tensors)
    found = {"model": job.model, "params": dict(job.model_params), "length": tensors.length,
             "vocabulary": tensors.vocabulary, "labels": tensors.labels, "code": dict(job.code)}  # fmt: skip
    if catalogue.is_custom(job.model):
        return found
    layers = catalogue.layers(job.model, job.model_params, tensors.vocabulary, len(tensors.labels))
    return {**found, "layers": [_layer(layer) for layer in layers]}


def _layer(layer: Any) -> Any:
    """A layer as JSON types, layers inside of it too."""
    if isinstance(layer, list | tuple):
        return [_layer(inner) for inner in layer]
    if not is_dataclass(layer):
        return layer
    return {"kind": type(layer).__name__, **{name: _layer(getattr(layer, name)) for name in asdict(layer)}}


def _of_program(scratch: Path) -> dict[str, Path]:
    archives.write_zip(scratch / PROGRAM, archives.packages(_ROOT, PACKAGES))
    return {PROGRAM: scratch / PROGRAM, **{f"hosts/{file.name}": file for file in sorted(_HOSTS.iterdir())}}


def _written(file: Path, text: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file
