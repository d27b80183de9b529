"""What a run starts from: vocabulary, vectors and weights of the version promoted last before its date."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from pipelines.kinds import MODEL
from pipelines.model import Definition
from pipelines.pipeline import TRAIN, Node
from pipelines.plan import Planned
from pipelines.source import Keys, Tree
from pipelines.versions import Promoted, Versions
from spark_jobs.base import Resources
from textmill.errors import InputError, Problem, Unreadable
from textmill.places import absolute, place

REFIT, WARM = "refit", "warm"
_DOES = {"fixed": "keeps", "extend": "extends", WARM: "starts from"}
_NAMES = {"vocabulary.tsv": "vocabulary", "matrix.npy": "vectors", "weights.npz": "weights"}
LAST = "last"
"""The resource that holds the version's folder."""


@dataclass(frozen=True)
class Wish:
    """A step that wants to start from the last version."""

    node: Node
    rule: str
    """fixed, extend or warm."""
    file: str
    """What of the version it takes."""
    keys: Keys
    """Where the definition says so."""

    @property
    def words(self) -> str:
        """What it does, for the plan."""
        return f"{_DOES[self.rule]} the {_NAMES[self.file]} of"


def attach(
    nodes: Mapping[str, Node], definition: Definition, day: dt.date, tree: Tree, problems: list[Problem]
) -> tuple[dict[str, Node], Promoted | None]:
    """The nodes, those that start from the last version with its folder and its digest, and that version.

    Which version is last depends on `day` and on what was promoted before it, so that a date's run that is promoted
    changes nothing for itself. What can't be started from goes to `problems`.
    """
    wishes = [wish for node in nodes.values() if (wish := _wish(node, definition)) is not None]
    if not wishes:
        return dict(nodes), None
    problems += _strangers(wishes, nodes, definition, tree)
    problems += [tree.problem(wish.keys, message) for wish in wishes if (message := _of_no_use(wish, nodes))]
    last = Versions(place(definition.root), definition.name).before(day)
    made = dict(nodes)
    for wish in wishes:
        if last is not None and (message := _unfit(wish, last)):
            problems.append(tree.problem(wish.keys, message))
        made[wish.node.name] = _started(wish, last, day)
    return made, last


def _wish(node: Node, definition: Definition) -> Wish | None:
    if node.op == "tensor.encode" and node.params.vocabulary.rule != REFIT:
        keys: Keys = ("steps", node.name, "vocabulary", "rule")
        return Wish(node, node.params.vocabulary.rule, "vocabulary.tsv", keys)
    if node.op == "text.embed" and node.params.rule != REFIT:
        return Wish(node, node.params.rule, "matrix.npy", ("steps", node.name, "rule"))
    if node.op == TRAIN and definition.train[node.name.partition(".")[2]].start == WARM:
        return Wish(node, WARM, "weights.npz", ("train", node.name.partition(".")[2], "start"))
    return None


def _strangers(
    wishes: Iterable[Wish], nodes: Mapping[str, Node], definition: Definition, tree: Tree
) -> Iterable[Problem]:
    """Steps that have nothing to do with the training that is promoted: no version holds anything for them."""
    name = definition.promoted
    train = nodes.get(f"train.{name}")
    known = {train.name, *(taken.node for taken in train.takes)} if train is not None else set()
    for wish in wishes:
        if wish.node.name not in known:
            message = f"{wish.rule} starts from the model that is promoted, "
            message += (
                f"and that is train.{name}" if name else "and promote.train does not say which training's that is"
            )
            yield tree.problem(wish.keys, message)


def _of_no_use(wish: Wish, nodes: Mapping[str, Node]) -> str | None:
    """Why what the version holds would mean something else today."""
    if wish.file == "vocabulary.tsv" and nodes[wish.node.takes[0].node].params.analyzer == "sentencepiece":
        return f"{wish.rule} needs tokens that stay, and the pieces of sentencepiece are fitted anew: take {REFIT}"
    vectors = [taken.node for taken in wish.node.takes if taken.role == "vectors"] if wish.rule == WARM else []
    if vectors and nodes[vectors[0]].params.rule == REFIT and nodes[vectors[0]].params.method != "pretrained":
        return f"warm needs vectors that stay comparable: give step {vectors[0]} the rule extend or fixed"
    return None


def _unfit(wish: Wish, last: Promoted) -> str | None:
    if wish.file not in last.digests:
        return f"{last} has no {wish.file}: publish one that has with rule {REFIT} first"
    if wish.node.op != TRAIN or not last.is_kept:
        return None
    try:
        told = MODEL.read(last.folder / "model.json")
    except (FileNotFoundError, Unreadable) as error:
        return f"{last} is damaged: {error}"
    given = wish.node.params
    for what, ours, theirs in (("model", given["model"], told["model"]), ("params", given["params"], told["params"])):
        if ours != theirs:
            return f"{last} has {what} {theirs}, not {ours}, so its weights don't fit: publish one with start: scratch"
    return None


def _started(wish: Wish, last: Promoted | None, day: dt.date) -> Node:
    if last is None:
        return replace(wish.node, starts=f"no version of a date before {day}: from scratch")
    had = wish.node.resources
    digests = {**had.digests, f"{wish.file} of the last version": last.digests.get(wish.file, "")}
    data = {**had.data, LAST: str(absolute(last.folder))}
    return replace(wish.node, resources=Resources(data, digests), starts=f"{wish.words} {last}")


def need(nodes: Mapping[str, Node], plan: Iterable[Planned], last: Promoted | None) -> None:
    """Raise InputError where a step is to run and the version it starts from was removed or is damaged."""
    missing = [one.step for one in plan if one.action == "run" and LAST in nodes[one.step].resources.data]
    if missing and last is not None and (harm := last.damage()):
        raise InputError(
            f"{last}, which {' and '.join(missing)} would start from, {harm}: keep more versions (promote.keep), roll "
            "back to a whole one, or take `rule: refit` and `start: scratch` for this date"
        )
