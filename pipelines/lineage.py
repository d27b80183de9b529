"""What of a run makes up a trained model: the outputs and the analysis chain behind one of its trainings."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pipelines import runs
from pipelines.keys import Because
from pipelines.pipeline import EVALUATE, TRAIN
from pipelines.runs import Record
from pipelines.store import Manifest, Store
from spark_jobs.base import digest
from textmill.errors import InputError
from textmill.places import Place

TAKES_ROLE, TAKES_NODE = 0, 2


@dataclass(frozen=True)
class Output:
    """A step's output: where it is, and its manifest."""

    step: str
    key: str
    folder: Place
    manifest: Manifest


@dataclass(frozen=True)
class Lineage:
    """One training of a run with all that is needed to use it."""

    run: Record
    train: str
    model: Output
    tensors: Output
    tokens: Output
    evaluation: Output
    clean: Mapping[str, Any]
    """Parameters of the text.clean step that the texts it was evaluated on came through."""
    vectors: Output | None = None
    """The text.embed step that its embedding started from."""

    @property
    def outputs(self) -> tuple[Output, ...]:
        """All outputs it is made of."""
        embedded = () if self.vectors is None else (self.vectors,)
        return self.model, self.tensors, self.tokens, self.evaluation, *embedded


def of_run(root: Place, run: Record, train: str | None = None) -> Lineage:
    """The lineage of a run's training, the only one unless named.

    The files that using a model takes are read, whatever was remembered of them. Raises InputError where the run is not
    done, the training is not there, or an output of it is gone or damaged; Unreadable where the run's plan is.
    """
    if run["status"] != "done":
        raise InputError(f"run {run['run']} is {run['status']}, not done; go on with it: {run['command']}")
    reasons: dict[str, Because] = runs.plan(root, run)
    name, store = training_of(run, reasons, train), Store(root)
    tensors, tokens = taken(reasons[f"train.{name}"], "tensors"), taken(reasons[f"evaluate.{name}"], "test")
    steps = f"train.{name}", tensors, tokens, f"evaluate.{name}"
    embed = next(
        (take[TAKES_NODE] for take in reasons[f"train.{name}"]["takes"] if take[TAKES_ROLE] == "vectors"), None
    )
    rows = (tensors, tokens)  # no model is used with the rows it was trained on

    def found(step: str) -> Output:
        return output(store, reasons, step, run, (lambda file: "/" not in file) if step in rows else _every)

    vectors = None if embed is None else found(embed)
    return Lineage(run, name, *map(found, steps), _clean(tokens, reasons), vectors)


def _every(name: str) -> bool:
    return True


def output(
    store: Store, reasons: Mapping[str, Because], step: str, run: Record, reread: Callable[[str], bool] = _every
) -> Output:
    """The whole output of a run's step; files that `reread` holds for are read, whatever was remembered of them.

    Raises InputError where it is gone or damaged. Then nothing of it is remembered: the run's command makes it again.
    """
    op, key = reasons[step]["op"], digest(reasons[step])
    manifest = store.whole(op, key, reread)
    store.digests.save()
    if not isinstance(manifest, dict):
        harm = "is gone" if manifest is None else f"is damaged: {manifest}"
        raise InputError(f"the output of {step} {harm}; this makes it again: {run['command']}")
    return Output(step, key, store.folder(op, key), manifest)


def training_of(run: Record, reasons: Mapping[str, Because], train: str | None) -> str:
    """The name of a run's training, the only one unless named; raises InputError."""
    known = [step.partition(".")[2] for step, because in reasons.items() if because["op"] == TRAIN]
    if train is None and len(known) == 1:
        return known[0]
    if train not in known:
        given = "which one" if train is None else f"there is no '{train}'"
        raise InputError(f"run {run['run']} has the trainings {', '.join(known) or 'none'}: {given} (--train NAME)?")
    return train


def taken(because: Because, role: str) -> str:
    """The first step taken in a role; of a step prepared by dates all have the same parameters."""
    return next(take[TAKES_NODE] for take in because["takes"] if take[TAKES_ROLE] == role)


def _clean(tokens: str, reasons: Mapping[str, Because]) -> Mapping[str, Any]:
    behind = [take[TAKES_NODE] for take in reasons[tokens]["takes"] if take[TAKES_ROLE] == "test"]
    found = {digest(params): params for step in behind for params in _cleanings(step, reasons)}
    if len(found) != 1:
        raise InputError(
            f"texts of the test part came through {len(found)} text.clean steps with different parameters: "
            "which of them a new text is to go through can't be told"
        )
    return next(iter(found.values()))


def _cleanings(step: str, reasons: Mapping[str, Because]) -> Iterator[Mapping[str, Any]]:
    if step not in reasons:
        return
    if reasons[step]["op"] == "text.clean":
        yield reasons[step]["params"]
    for take in reasons[step]["takes"]:
        yield from _cleanings(take[TAKES_NODE], reasons)


def trainings(run: Record) -> list[str]:
    """Names of the trainings that a run evaluated."""
    return [step["step"].partition(".")[2] for step in run["steps"] if step["op"] == EVALUATE]
