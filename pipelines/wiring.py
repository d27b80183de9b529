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
_UNSPLIT = ""


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


def beside(operation: Operation, step: Mapping[str, Any], keys: Keys) -> list[Wire]:
    """The steps that parameters of a step name by `from:`, each in the role of its parameter."""
    named = {name: step[name].get("from") for name in operation.beside if isinstance(step.get(name), dict)}
    return [Wire(given, name, (*keys, name, "from")) for name, given in named.items() if isinstance(given, str)]


def order(wired: Mapping[str, Iterable[Wire]], tree: Tree, problems: list[Problem]) -> list[str]:
    """Step names so that each comes after what it takes; steps in a circle, and those behind them, are left out."""
    done: list[str] = []
    waiting = list(wired)
    while waiting:
        ready = [step for step in waiting if all(wire.node not in waiting for wire in wired[step])]
        if not ready:
            circle = _circle({step: [wire.node for wire in wired[step] if wire.node in waiting] for step in waiting})
            named = " → ".join([*circle, circle[0]])
            problems.append(tree.problem(("steps", circle[0], "from"), f"steps take from each other in a circle: {named}"))
            return done
        done += ready
        waiting = [step for step in waiting if step not in ready]
    return done


def _circle(takes: Mapping[str, list[str]]) -> list[str]:
    """Steps that take from each other, each from the one after it; every step of `takes` takes from another of them."""
    path = [next(iter(takes))]
    while (before := takes[path[-1]][0]) not in path:
        path.append(before)
    return path[path.index(before) :]


@dataclass
class Wiring:
    """Resolves wires step by step, in order, and keeps which parts of the split each step's rows come from."""

    tree: Tree
    inputs: tuple[str, ...]
    outputs: dict[str, tuple[str, ...]] = field(default_factory=dict)
    lineage: dict[str, frozenset[str]] = field(default_factory=dict)
    made: set[str] = field(default_factory=set)
    """Steps with rows that were made of others: to hold some of them out would be to test on what was trained on."""
    tensors: dict[str, tuple[Taken, ...]] = field(default_factory=dict)
    """What each tensor.encode step takes: an operation on tensors goes back to their train rows."""

    of_tensors: dict[str, tuple[str, str]] = field(default_factory=dict)
    """The operation of each step that takes a tensor.encode step, and that step."""
    broken: set[str] = field(default_factory=set)
    """Steps that a problem keeps from being made, and those that take from them: nothing can be said of their rows."""

    def fits(
        self, step: str, operation: Operation, params: Any, named: list[Wire], problems: list[Problem]
    ) -> bool:
        """Whether `step` can take all that it names; if not it is broken, and why goes to `problems`.

        `params` is None where they are wrong: then the step is broken too, and nobody knows its parts.
        """
        if params is not None:
            self.outputs[step] = operation.outputs(params)
        found = [self.tree.problem(wire.keys, message) for wire in named if (message := self._unfit(wire, operation))]
        if operation.takes == "tensors" and len(named) > 1:
            found.append(self.tree.problem(named[1].keys, f"{operation.name} takes one tensor.encode step"))
        problems += found
        if found or not named or params is None or any(wire.node in self.broken for wire in named):
            self.broken.add(step)
        return step not in self.broken

    def connect(self, step: str, operation: Operation, named: list[Wire]) -> tuple[Taken, ...]:
        """What a step that fits takes."""
        taken = [item for wire in named for item in self._take(wire, operation)]
        if operation.name == "tensor.encode":
            self.tensors[step] = tuple(taken)
        if operation.takes == "tensors" and named:
            self.of_tensors[step] = (operation.name, named[0].node)
        self.lineage[step] = frozenset().union(*[self._parts(wire) for wire in named])
        if self.outputs[step] == ("rows",) and (operation.train_only or any(wire.node in self.made for wire in named)):
            self.made.add(step)
        return tuple(taken)

    def connect_beside(
        self, step: str, operation: Operation, named: list[Wire], problems: list[Problem]
    ) -> tuple[Taken, ...]:
        """What a step takes by its parameters; what is wrong with it goes to `problems`."""
        taken: list[Taken] = []
        for wire in named:
            wanted = operation.beside[str(wire.role)]
            fit = {made: tensors for made, (name, tensors) in self.of_tensors.items() if name == wanted}
            if wire.name in fit:
                taken += Taken(wire.name, (), str(wire.role)), Taken(fit[wire.name], (), f"{wire.role}.tensors")
                continue
            self.broken.add(step)
            if wire.node not in self.broken:
                problems.append(
                    self.tree.problem(wire.keys, f"'{wire.name}' is no {wanted} step{did_you_mean(wire.name, fit)}")
                )
        return tuple(taken)

    def _parts(self, wire: Wire) -> frozenset[str]:
        """Parts of a split that the rows a wire names come from, _UNSPLIT for rows that were never split."""
        if wire.part in PARTS:
            return frozenset({wire.part})
        outputs = self.outputs.get(wire.node, ())
        held = frozenset(outputs).intersection(PARTS) if "rows" not in outputs else None
        return held or self.lineage.get(wire.node) or frozenset({_UNSPLIT})

    def _role(self, wire: Wire) -> str | None:
        """The part that a wire's rows are when taken as a whole; None where that can't be told."""
        parts = self._parts(wire)
        return wire.role or (next(iter(parts)) or None if len(parts) == 1 else None)

    def _take(self, wire: Wire, operation: Operation) -> list[Taken]:
        if operation.takes == "inputs":
            return [Taken(wire.node, (), "rows")]
        if operation.takes == "tensors":
            behind = [taken for taken in self.tensors[wire.node] if taken.role == "train"]
            return [Taken(wire.node, (), "tensors"), *behind]
        parts = (wire.part,) if wire.part else self.outputs[wire.node]
        if operation.takes == "rows":
            return [Taken(wire.node, parts, "rows")]
        if parts == ("rows",):
            return [Taken(wire.node, parts, str(self._role(wire)))]
        return [Taken(wire.node, (part,), wire.role or part) for part in parts]

    def _unfit(self, wire: Wire, operation: Operation) -> str | None:
        if wire.node in self.broken:  # what is wrong with that step is a problem of its own
            return self._no_part(wire) if wire.node in self.outputs else None
        known = [*self.inputs, *self.tree.names("steps")]
        if wire.node not in known:
            return f"there is no step or input '{wire.node}'{did_you_mean(wire.node, known)}"
        if operation.takes == "inputs":
            return None if wire.node in self.inputs else f"{operation.name} takes inputs, and '{wire.node}' is a step"
        if wire.node in self.inputs:
            return f"'{wire.node}' is an input: let a text.clean step read it, and take from that"
        if operation.takes == "tensors" and wire.name not in self.tensors:
            return f"{operation.name} takes a whole tensor.encode step, and '{wire.name}' is none"
        if message := self._no_part(wire) or self._leaks(wire, operation):
            return message
        if operation.takes == "parts" and self.outputs[wire.node] == ("rows",) and not self._role(wire):
            return f"which part are the rows of '{wire.node}'? write from: {{train: …, test: {wire.node}}}"
        return None

    def _no_part(self, wire: Wire) -> str | None:
        outputs = self.outputs[wire.node]
        if wire.part and wire.part not in outputs:
            return f"step '{wire.node}' has no part '{wire.part}'{did_you_mean(wire.part, outputs)}"
        return None

    def _leaks(self, wire: Wire, operation: Operation) -> str | None:
        held_out = " and ".join(sorted(self._parts(wire) - {"train", _UNSPLIT}))
        if operation.train_only and held_out:
            return f"{operation.name} makes rows for training, and '{wire.name}' has rows of {held_out}: take train"
        if wire.node in self.made and (operation.name == "data.split" or wire.role in ("valid", "test")):
            return f"rows of '{wire.node}' are made of one another, so none can be held out: split before they are made"
        return None
