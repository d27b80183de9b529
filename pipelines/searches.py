"""The `search:` section: scikit-learn's pipelines on the tokens as one step of the plan."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec

from models.search.params import PARAMS
from models.sweep.space import Entry
from pipelines import candidates, trainings
from pipelines.model import Definition, Estimators, Search
from pipelines.pipeline import SEARCH, Node, Taken
from pipelines.source import Keys, Tree
from pipelines.validation import did_you_mean
from textmill.errors import Problem

_PARTS = ("train", "valid", "test")


def nodes(definition: Definition, steps: Mapping[str, Node], tree: Tree, problems: list[Problem]) -> dict[str, Node]:
    """`search.NAME` for every search; what is wrong goes to `problems`."""
    found = {}
    for name, given in definition.search.items():
        keys: Keys = ("search", name)
        before = len(problems)
        if find_spec("sklearn") is None:
            problems.append(tree.problem(keys, "needs scikit-learn: pip install 'textmill[sklearn]'"))
        tokens = _tokens_of(given.from_, keys, steps, tree, problems)
        trials = _trials(given, definition, keys, tree, problems)
        if tokens is not None and len(problems) == before:
            found[f"search.{name}"] = _node(f"search.{name}", given, definition, tokens, trials, steps)
    return found


def _node(
    name: str, given: Search, definition: Definition, tokens: Node, trials: list[tuple[str, dict[str, object]]],
    steps: Mapping[str, Node],
) -> Node:  # fmt: skip
    from spark_jobs.search import Params
    from spark_jobs.search import Search as Operation

    seed = given.seed if "seed" in given.model_fields_set else definition.seed
    # Predictions are in the order of the tensors' rows, so that a fit and a training can be compared row by row.
    encoded = [step for step in steps.values() if step.op == "tensor.encode" and step.takes[0].node == tokens.name]
    order = encoded[0].params.seed if encoded else definition.seed
    params = Params(trials=tuple(trials), metric=given.metric, seed=seed, order=order)
    takes = tuple(Taken(tokens.name, (part,), part) for part in _PARTS)
    return Node(name, SEARCH, Operation.version, params, params.canonical(), takes, ("trials",), in_jvm=False)


def _tokens_of(name: str, keys: Keys, steps: Mapping[str, Node], tree: Tree, problems: list[Problem]) -> Node | None:
    tokens = steps.get(name)
    if trainings.is_broken(name, steps, tree):
        return None
    if tokens is None or tokens.op != "text.tokenize":
        known = [step.name for step in steps.values() if step.op == "text.tokenize"]
        message = f"'{name}' is no text.tokenize step{did_you_mean(name, known)}"
    elif missing := [part for part in _PARTS if not any(taken.role == part for taken in tokens.takes)]:
        message = f"step {name} has no {' and no '.join(missing)} part: a search needs train, valid and test"
    else:
        return tokens
    problems.append(tree.problem((*keys, "from"), message))
    return None


def _trials(
    given: Search, definition: Definition, keys: Keys, tree: Tree, problems: list[Problem]
) -> list[tuple[str, dict[str, object]]]:
    before = len(problems)
    if given.draw is not None and given.draw.by != "random":
        problems.append(tree.problem((*keys, "draw", "by"), "a search draws at random alone"))
    read = [
        entry
        for index, entry in enumerate(given.trials)
        for entry in _entries(entry, (*keys, "trials", index), tree, problems)
    ]
    if len(problems) > before:
        return []
    draw = given.draw
    seed = draw.seed if draw is not None and "seed" in draw.model_fields_set else definition.seed
    points = candidates.points(read, draw, seed, keys, tree, problems)
    return [(point.model, dict(point.params)) for point in points]


def _entries(given: Estimators, keys: Keys, tree: Tree, problems: list[Problem]) -> list[Entry]:
    found = []
    for name in (given.estimator,) if isinstance(given.estimator, str) else given.estimator:
        if name not in PARAMS:
            message = f"unknown estimator '{name}'{did_you_mean(name, PARAMS)}"
            problems.append(tree.problem((*keys, "estimator"), message))
        else:
            axes = candidates.axes(given.params, PARAMS[name], (*keys, "params"), tree, problems)
            found.append(Entry(name, axes))
    return found
