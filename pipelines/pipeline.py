"""A definition made ready: every step with its parameters, what it takes, and a key that stands for its output."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pipelines.checks import Check
from pipelines.model import Definition, Profile
from pipelines.source import Tree
from spark_jobs.base import InputFiles, Resources
from textmill import places
from textmill.places import Place

if TYPE_CHECKING:
    from pipelines.versions import Promoted

TRAIN, EVALUATE = "model.train", "model.evaluate"
SWEEP, SEARCH = "model.sweep", "model.search"


@dataclass(frozen=True)
class Taken:
    """What a step takes from one other step or input: these parts, in this role."""

    node: str
    parts: tuple[str, ...]
    role: str


@dataclass(frozen=True)
class Node:
    """One step of a pipeline: an operation, a training or an evaluation."""

    name: str
    op: str
    version: int
    params: Any
    keyed: Mapping[str, Any]
    """The parameters that are part of the key."""
    takes: tuple[Taken, ...]
    outputs: tuple[str, ...] = ()
    resources: Resources = Resources()
    in_jvm: bool = True
    """Whether the jar's code is part of what it computes."""
    starts: str = ""
    """What of the last promoted version it starts from, in words for the plan."""


@dataclass(frozen=True)
class Pipeline:
    """A definition with variables, profile and command-line values applied, validated as a whole."""

    file: str
    definition: Definition
    date: dt.date
    profile_name: str
    profile: Profile
    nodes: Mapping[str, Node]
    """In an order in which every step comes after what it takes."""
    inputs: Mapping[str, InputFiles]
    checks: Mapping[str, tuple[Check, ...]] = field(default_factory=dict)
    dates: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The dates that each input with a window has files of."""
    last: Promoted | None = None
    """The version that steps start from; None where none does, or there is none of an earlier date."""
    tree: Tree = field(default_factory=lambda: Tree("", {}))
    """What the file says, to name a line of it by."""

    @property
    def root(self) -> Place:
        """Where step outputs and runs are kept."""
        return places.place(self.definition.root)

    def after(self, name: str) -> set[str]:
        """The step and all that depend on it."""
        found = {name}
        for node in self.nodes.values():
            if any(taken.node in found for taken in node.takes):
                found.add(node.name)
        return found

    def before(self, name: str) -> set[str]:
        """The step and all it depends on."""
        found, waiting = set(), [name]
        while waiting:
            current = waiting.pop()
            if current in self.nodes and current not in found:
                found.add(current)
                waiting.extend(taken.node for taken in self.nodes[current].takes)
        return found
