"""The `train:` section: a training and its evaluation as steps of the plan, and the training itself."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models import catalogue, engines
from models.engines.base import Progress, TrainJob
from pipelines.model import Definition, Profile, Train
from pipelines.pipeline import EVALUATE, TRAIN, Node, Taken
from pipelines.source import Keys, Tree
from pipelines.validation import did_you_mean, validate
from spark_jobs.base import Written
from textmill.errors import InputError, Problem
from textmill.places import Place, absolute

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

VERSION = 1
_NOT_KEYED = ("resume",)
"""Settings of a training that do not decide its result."""


def nodes(
    definition: Definition, profile: Profile, steps: Mapping[str, Node], tree: Tree, problems: list[Problem]
) -> dict[str, Node]:
    """`train.NAME` and `evaluate.NAME` for every training; what is wrong goes to `problems`."""
    found: dict[str, Node] = {}
    for name, given in definition.train.items():
        keys: Keys = ("train", name)
        params = _params(given, definition, profile, keys, tree, problems)
        tensors = steps.get(given.from_)
        if tensors is None and given.from_ in (tree.data.get("steps") or ()):
            continue  # what is wrong with that step is told already
        if tensors is None or tensors.op != "tensor.encode":
            known = [step.name for step in steps.values() if step.op == "tensor.encode"]
            problems.append(
                tree.problem(
                    (*keys, "from"), f"'{given.from_}' is no tensor.encode step{did_you_mean(given.from_, known)}"
                )
            )
        elif not any(taken.role == "test" for taken in steps[tensors.takes[0].node].takes):
            message = f"step {tensors.takes[0].node} has no test part to evaluate on"
            problems.append(tree.problem((*keys, "from"), message))
        elif params is not None:
            found[f"train.{name}"] = _training(name, params, tensors)
            found[f"evaluate.{name}"] = _evaluation(name, tensors)
    return found


def _params(
    given: Train, definition: Definition, profile: Profile, keys: Keys, tree: Tree, problems: list[Problem]
) -> dict[str, Any] | None:
    engine = profile.engine or given.engine
    if engine not in engines.NAMES:
        problems.append(
            tree.problem((*keys, "engine"), f"unknown engine '{engine}'{did_you_mean(engine, engines.NAMES)}")
        )
    if given.model not in catalogue.NAMES:
        known = did_you_mean(given.model, catalogue.NAMES)
        problems.append(tree.problem((*keys, "model"), f"unknown model '{given.model}'{known}"))
        return None
    model = validate(catalogue.params(given.model), given.params, tree, (*keys, "params"), problems)
    if model is None:
        return None
    seed = given.seed if "seed" in given.model_fields_set else definition.seed
    described = given.model_dump(exclude={"from_", "params", "stop", "seed", "engine"})
    return {**described, "engine": engine, "params": model.canonical(), "patience": given.stop.patience, "seed": seed}


def _training(name: str, params: dict[str, Any], tensors: Node) -> Node:
    takes = (Taken(tensors.name, (), "tensors"),)
    keyed = {key: value for key, value in params.items() if key not in _NOT_KEYED}
    return Node(f"train.{name}", TRAIN, VERSION, params, keyed, takes, ("model",), in_jvm=False)


def _evaluation(name: str, tensors: Node) -> Node:
    from spark_jobs.evaluate import Evaluate

    tokens = tensors.takes[0].node
    takes = (
        Taken(f"train.{name}", (), "model"),
        Taken(tensors.name, (), "tensors"),
        Taken(tokens, ("test",), "test"),
    )
    params = Evaluate.Params()
    return Node(f"evaluate.{name}", EVALUATE, Evaluate.version, params, params.canonical(), takes, ("predictions",))


def train(
    node: Node,
    tensors: Place,
    out: Place,
    checkpoints: Place,
    run: Path,
    advanced: Callable[[float, str], None],
    spark: Callable[[], SparkSession],
) -> Written:
    """Carry a training out into `out`. Raises InputError for tensors that don't fit, WorkerLost for a lost rank."""
    given = node.params
    job = TrainJob(
        name=node.name.partition(".")[2],
        model=given["model"],
        model_params=given["params"],
        tensors=absolute(tensors),  # workers start in another folder
        out=absolute(out),
        checkpoints=absolute(checkpoints),
        logs=run.resolve(),
        epochs=given["epochs"],
        batch=given["batch"],
        learning_rate=given["learning_rate"],
        metric=given["metric"],
        patience=given["patience"],
        seed=given["seed"],
        resume=given["resume"],
    )
    engine = engines.engine(given["engine"], spark)
    if unfit := engine.check(job):
        raise InputError("; ".join(unfit))

    def report(progress: Progress) -> None:
        share = (progress.epoch - 1 + progress.step / max(1, progress.steps)) / progress.epochs
        advanced(share, f"epoch {progress.epoch}/{progress.epochs}, {progress.records_per_s:,.0f} records/s")

    stats = engine.train(job, report)
    return Written({}, stats.as_dict())


def note(node: Node, folder: Place) -> str:
    """What a step's line says of a training or an evaluation in place of rows."""
    try:
        if node.op == EVALUATE:
            scores = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
            return f"accuracy {scores['accuracy']:.4f}, macro-F1 {scores['macro_f1']:.4f}"
        if node.op == TRAIN:
            history = json.loads((folder / "history.json").read_text(encoding="utf-8"))
            return f"best of {len(history['epochs'])} epochs: {history['best_epoch']}"
    except (OSError, ValueError):
        return ""
    return ""
