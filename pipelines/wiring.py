"""`from:`, the only wiring: from names in the YAML to what each step takes, in order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pipelines.pipeline import Taken
from pipelines.source import Keys, Tree
from pipelines.validation import did_you_mean
from spark_jobs.base import Operation
from textmill.errors import Problem

PARTS = ("train", "valid", "test")


@dataclass(frozen=True)
class Wire:
    """One name of a `from:`, with the role it is to play (None: found out from where the rows come from)."""

    name: str
    role: str | None
    keys: Keys

    @property
    def node(self) -> str:
        """The step or input it names."""
        return self.name.partition(".")[0]

    @property
    def part(self) -> str:
        """The part it names, or an empty string for the whole step."""
        return self.name.partition(".")[2]


def wires(given: Any, keys: Keys, tree: Tree, problems: list[Problem]) -> list[Wire]:
    """The names of a `from:`: one, a list, or a mapping from role to one or a list."""
    if isinstance(given, str):
        return [Wire(given, None, keys)]
    if isinstance(given, list) and given and all(isinstance(name, str) for name in given):
        return [Wire(name, None, (*keys, index)) for index, name in enumerate(given)]
    if isinstance(given, dict) and given:
        found = []
        for role, names in given.items():
            if role not in PARTS:
                problems.append(tree.problem((*keys, role), f"a role is one of {', '.join(PARTS)}"))
            for wire in wires(names, (*keys, role), tree, problems) if not isinstance(names, dict) else ():
                found.append(Wire(wire.name, role, wire.keys))
        return found
    problems.append(tree.problem(keys, "names what the step takes: a step, step.part, a list of them, or part: step"))
    return []


def order(wired: Mapping[str, Iterable[Wire]], tree: Tree, problems: list[Problem]) -> list[str]:
    """Step names so that each comes after what it takes; steps in a circle are a problem."""
    done: list[str] = []
    waiting = list(wired)
    while waiting:
        ready = [step for step in waiting if all(wire.node not in waiting for wire in wired[step])]
        if not ready:
            problems.append(
                tree.problem(
                    ("steps", waiting[0], "from"), f"steps take from each other in a circle: {', '.join(waiting)}"
                )
            )
            return done
        done += ready
        waiting = [step for step in waiting if step not in ready]
    return done


@dataclass
class Wiring:
    """Resolves wires step by step, in order, and keeps which part of the split each step's rows come from."""

    tree: Tree
    inputs: tuple[str, ...]
    outputs: dict[str, tuple[str, ...]] = field(default_factory=dict)
    lineage: dict[str, str | None] = field(default_factory=dict)

    def connect(
        self, step: str, operation: Operation, params: Any, named: list[Wire], problems: list[Problem]
    ) -> tuple[Taken, ...]:
        """What `step` takes; what is wrong with it goes to `problems`."""
        taken = [item for wire in named for item in self._take(wire, operation, problems)]
        self.outputs[step] = operation.outputs(params)
        roles = {self._origin(wire) for wire in named}
        self.lineage[step] = roles.pop() if len(roles) == 1 else None
        return tuple(taken)

    def _origin(self, wire: Wire) -> str | None:
        return wire.part if wire.part in PARTS else self.lineage.get(wire.node)

    def _take(self, wire: Wire, operation: Operation, problems: list[Problem]) -> list[Taken]:
        message = self._unfit(wire, operation)
        if message:
            problems.append(self.tree.problem(wire.keys, message))
            return []
        if operation.takes == "inputs":
            return [Taken(wire.node, (), "rows")]
        parts = (wire.part,) if wire.part else self.outputs[wire.node]
        if operation.takes == "rows":
            return [Taken(wire.node, parts, "rows")]
        if parts == ("rows",):
            return [Taken(wire.node, parts, str(wire.role or self.lineage[wire.node]))]
        return [Taken(wire.node, (part,), wire.role or part) for part in parts]

    def _unfit(self, wire: Wire, operation: Operation) -> str | None:
        known = [*self.inputs, *self.outputs]
        if wire.node not in known:
            return f"there is no step or input '{wire.node}'{did_you_mean(wire.node, known)}"
        if operation.takes == "inputs":
            return None if wire.node in self.inputs else f"{operation.name} takes inputs, and '{wire.node}' is a step"
        if wire.node in self.inputs:
            return f"'{wire.node}' is an input: let a text.clean step read it, and take from that"
        outputs = self.outputs[wire.node]
        if wire.part and wire.part not in outputs:
            return f"step '{wire.node}' has no part '{wire.part}'{did_you_mean(wire.part, outputs)}"
        if operation.train_only and (part := self._origin(wire)) in ("valid", "test"):
            return f"{operation.name} makes rows for training, and '{wire.name}' is of the {part} part: take train"
        if operation.takes == "parts" and outputs == ("rows",) and not (wire.role or self.lineage[wire.node]):
            return f"which part are the rows of '{wire.node}'? write from: {{train: …, test: {wire.node}}}"
        return None
