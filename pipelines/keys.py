"""The key of a step's output: a digest of everything that decides what is in it."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipelines.digests import Digests
from pipelines.pipeline import Node, Pipeline
from spark_jobs.base import InputFiles, digest

Because = dict[str, Any]
"""What a key is made of: op, version, params, takes, files, jar."""
INPUT = "input "
"""No step's name begins so."""
_NAMED = 50


def because(pipeline: Pipeline, jar: str, digests: Digests) -> dict[str, Because]:
    """For every step what its key is made of; keys of steps stand for what they take from each other.

    And for every input under `INPUT` and its name, to say later what of it changed.
    """
    read = {name: _of_input(files, digests) for name, files in pipeline.inputs.items()}
    keys = {name: digest(found) for name, found in read.items()}
    reasons: dict[str, Because] = {f"{INPUT}{name}": _described(*found) for name, found in read.items()}
    for node in pipeline.nodes.values():
        reasons[node.name] = _of_node(node, keys, jar)
        keys[node.name] = digest(reasons[node.name])
    return reasons


def _of_node(node: Node, keys: Mapping[str, str], jar: str) -> Because:
    return {
        "op": node.op,
        "version": node.version,
        "params": dict(node.keyed),
        "takes": [[taken.role, list(taken.parts), taken.node, keys[taken.node]] for taken in node.takes],
        "files": dict(node.resources.digests),
        "jar": jar if node.in_jvm else "",
    }


def _of_input(files: InputFiles, digests: Digests) -> Any:
    """Content and names of the files (a name is part of a record's position), not where they are."""
    reading = {key: value for key, value in files.reading.items() if value is not None or key == "label"}
    found = digests.of(files.files)
    return [reading, [[path.name, found[path]] for path in files.files]]


def _described(reading: dict[str, Any], files: list[list[str]]) -> Because:
    """The same in the shape of what a step's key is made of; many files together."""
    named = dict(files) if len(files) <= _NAMED else {"files": digest(files)}
    return {"op": "input", "version": 1, "params": reading, "takes": [], "files": named, "jar": ""}


def of_jar(jar: Path) -> str:
    """A digest of the jar's content, whatever its time stamps; empty where there is no jar yet."""
    if not jar.is_file():
        return ""
    with zipfile.ZipFile(jar) as archive:
        return digest(sorted([item.filename, item.CRC] for item in archive.infolist() if not item.is_dir()))
