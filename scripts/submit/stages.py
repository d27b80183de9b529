"""The applications a request becomes: what is prepared takes executors as there is work, a training holds a fixed number."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from models import engines
from pipelines.pipeline import TRAIN
from scripts.submit.request import Request
from scripts.submit.settings import Settings
from textmill.errors import InputError

_LEAST_BESIDE_MIB = 1024


@dataclass(frozen=True)
class Application:
    """One application to submit."""

    asked: Request
    settings: Settings
    title: str = ""
    """What to tell of it where it is one of two."""


def split(asked: Request, settings: Settings) -> list[Application]:
    """Two applications for a run that prepares and then trains on executors, else one.

    Raises InputError where a training on executors is not told how many.
    """
    trains = _trains_on_executors(asked)
    if not trains:
        return [Application(asked, settings)]
    fixed = _fixed(asked, settings, trains)
    held = f"holds {fixed.executors} executors"
    if not _prepares(asked):
        return [Application(asked, fixed, f"the application {held}")]
    dynamic = replace(settings, executors=None, at_most=settings.executors)
    most = f", at most {settings.executors}" if settings.executors else ""
    return [
        Application(_staged(asked, "prepare"), dynamic, f"1 of 2, prepare: executors as there is work{most}"),
        Application(_staged(asked, "train"), fixed, f"2 of 2, train: {held}"),
    ]


def _trains_on_executors(asked: Request) -> str | None:
    """A training among the steps asked for whose ranks are Spark's executors."""
    if asked.pipeline is None or asked.verb not in ("run", "daily", "backfill") or asked.selection.stage == "prepare":
        return None
    nodes = asked.pipeline.nodes
    found = (nodes[step] for step in sorted(asked.selection.wanted(asked.pipeline)) if nodes[step].op == TRAIN)
    return next((node.name for node in found if engines.on_executors(node.params["engine"])), None)


def _prepares(asked: Request) -> bool:
    """Whether steps of other kinds may run; dated runs wait for their input and run their dates in one application."""
    pipeline, chosen = asked.pipeline, asked.selection
    if asked.verb != "run" or pipeline is None or chosen.stage is not None:
        return False
    begins = pipeline.nodes[chosen.first].op != TRAIN if chosen.first is not None else True
    return begins and bool(replace(chosen, stage="prepare").wanted(pipeline))


def _staged(asked: Request, stage: str) -> Request:
    return replace(asked, words=(*asked.words, "--stage", stage))


def _fixed(asked: Request, settings: Settings, training: str) -> Settings:
    if settings.executors is None:
        name = asked.pipeline.profile_name if asked.pipeline else "NAME"
        raise InputError(
            f"{training} trains on executors and is not told on how many: --executors N, or "
            f"profiles.{name}.spark.executors: N"
        )
    # A rank takes an executor whole, whatever cores it has, and is a process beside its JVM: YARN ends a container that
    # is larger than what was asked for it.
    beside = max(_LEAST_BESIDE_MIB, _mib(settings.memory) // 2)
    rank = {"spark.task.cpus": str(settings.cores), "spark.executor.memoryOverhead": f"{beside}m"}
    return replace(settings, conf=tuple({**rank, **dict(settings.conf)}.items()))


def _mib(memory: str) -> int:
    """Of what Spark takes for a heap: a number with m or g, or of MiB."""
    found = re.fullmatch(r"(\d+)([mg]?)b?", memory.lower())
    return int(found[1]) * (1024 if found[2] == "g" else 1) if found else 0


