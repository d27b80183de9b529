"""The command line's words, read by its own parser and rewritten for a container on another host."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from pipelines.pipeline import Pipeline
from pipelines.plan import Selection
from scripts.submit.command import DEFINITION
from spark_jobs import registry
from textmill.errors import InputError


@dataclass(frozen=True)
class Request:
    """A verb with its words, and the definition they are about, if it takes one."""

    words: tuple[str, ...]
    file: Path | None = None
    pipeline: Pipeline | None = None
    sets: tuple[str, ...] = field(default=())
    selection: Selection = Selection()

    @property
    def verb(self) -> str:
        """The first word."""
        return self.words[0]

    def key(self, cluster: str) -> str:
        """Short name of this very request on this cluster: asked again, it attaches to the application of the first."""
        date = self.pipeline.date.isoformat() if self.pipeline else ""
        text = "\0".join([cluster, os.getcwd(), date, *self.words])
        return f"textmill-{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def parse(words: Sequence[str]) -> Request:
    """Read the words as `textmill` would. Raises what it raises: click's errors, DefinitionError with all problems."""
    from pipelines.cli import cli, options

    context = click.Context(cli, info_name="textmill")
    verb = cli.get_command(context, words[0])
    if verb is None:
        raise InputError(f"there is no verb '{words[0]}': {', '.join(cli.list_commands(context))}")
    given: dict[str, Any] = verb.make_context(words[0], list(words[1:]), parent=context).params
    if "file" not in given:
        return Request(tuple(words))
    which: dict[str, Any] = {name: given.get(name) for name in ("file", "date", "profile", "sample", "root")}
    pipeline = options.load(**which, sets=given.get("sets", ()))
    chosen = Selection(**{name: given[name] for name in ("first", "last", "only", "force", "stage") if name in given})
    return Request(tuple(words), given["file"], pipeline, given.get("sets", ()), chosen)


def files(pipeline: Pipeline) -> list[Path]:
    """Templates and dictionaries to ship: those at relative paths. Absolute ones are taken to be on every node."""
    folder = Path(pipeline.file).parent
    paths = [entity.path for entity in pipeline.definition.entities.values() if entity.path]
    found = [folder / path for path in paths if not Path(path).is_absolute()]
    for node in pipeline.nodes.values():
        if node.op in registry.NAMES:
            given = [getattr(node.params, name) for name in registry.operation(node.op).path_params]
            found += [Path(path) for path in given if path and not Path(path).is_absolute()]
    return list(dict.fromkeys(found))


def _master(request: Request) -> list[str]:
    """Whatever the profile says: this runs on YARN."""
    pipeline = request.pipeline
    if pipeline is None or pipeline.profile.spark.master == "yarn":
        return []
    return [f"profiles.{pipeline.profile_name}.spark.master=yarn"]


def on_cluster(request: Request, place: str | None, file_system: str) -> list[str]:
    """The words for YARN. The definition is at `place` of the unpacked archive; None where the driver runs here.

    `hdfs:///…` becomes a path of `file_system`, for a container may have another default. Raises InputError where outputs would be written into a container and lost with it.
    """
    pipeline = request.pipeline
    if pipeline is None or request.file is None:
        return list(request.words)
    root = pipeline.definition.root
    if not is_shared(root):
        raise InputError(
            f"root '{root}' is a folder of the container, which is removed with it: give one that all nodes reach, "
            "for example --root hdfs:///user/me/textmill"
        )
    definition = f"{DEFINITION}/{place}" if place else str(request.file)
    words = [definition if word == str(request.file) else word for word in request.words]
    sets = [*_inputs(request, pipeline, file_system), *_master(request)]
    dated = [] if any(word.startswith("--date") for word in words) else ["--date", pipeline.date.isoformat()]
    placed = ["--root", _whole(root, file_system)]  # of two the last holds
    return [*words, *dated, *placed, *(word for pair in sets for word in ("--set", pair))]


def _inputs(request: Request, pipeline: Pipeline, file_system: str) -> list[str]:
    """Local inputs by absolute path: data is never shipped, so the nodes must share the disk it is on."""
    found = []
    for name, given in pipeline.definition.inputs.items():
        by_hand = any(pair.startswith(f"inputs.{name}.path=") for pair in request.sets)
        folder = Path.cwd() if by_hand else Path(pipeline.file).absolute().parent
        path = _whole(given.path, file_system) if is_shared(given.path) else os.path.normpath(folder / given.path)
        if path != given.path:
            found.append(f"inputs.{name}.path={path}")
    return found


def _whole(uri: str, file_system: str) -> str:
    return file_system + uri.removeprefix("hdfs://") if uri.startswith("hdfs:///") else uri


def is_shared(path: str) -> bool:
    """Whether a path means the same on every node: a URI, or absolute."""
    return "://" in path or Path(path).is_absolute()


def uses_local_disk(pipeline: Pipeline) -> bool:
    """Whether the root or an input is a path without a scheme: then plain paths mean the nodes' disks, to Spark too."""
    paths = [pipeline.definition.root, *(given.path for given in pipeline.definition.inputs.values())]
    return any("://" not in path for path in paths)


def environment(file: Path | None) -> dict[str, str]:
    """The variables that a definition takes from the environment as `${env.NAME}`, where they are set."""
    if file is None:
        return {}
    names = re.findall(r"\$\{env\.(\w+)", file.read_text(encoding="utf-8"))
    return {name: os.environ[name] for name in dict.fromkeys(names) if name in os.environ}
