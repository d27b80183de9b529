"""The `train:` section: a training and its evaluation as steps of the plan, and the training itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models import catalogue, custom, engines
from models.engines.base import Progress, TrainJob
from pipelines import promotion
from pipelines.kinds import HISTORY, METRICS
from pipelines.model import Definition, Profile, Train
from pipelines.pipeline import EVALUATE, SWEEP, TRAIN, Node, Pipeline, Taken
from pipelines.source import Keys, Tree
from pipelines.validation import did_you_mean, validate
from spark_jobs.base import SET, Written
from textmill.errors import InputError, Problem
from textmill.params import Params
from textmill.places import Place, absolute, place

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

VERSION = 3
_NOT_KEYED = ("resume",)
"""Settings of a training that do not decide its result."""
_PARTS = {"train": "to train on", "valid": "to choose the best epoch by", "test": "to evaluate on"}
_OPTIMIZATION = ("optimizer", "momentum", "schedule", "warmup", "weight_decay", "clip", "label_smoothing")


def nodes(
    definition: Definition, chosen: str, steps: Mapping[str, Node], tree: Tree, problems: list[Problem]
) -> dict[str, Node]:
    """`train.NAME` and `evaluate.NAME` for every training in the profile `chosen`; what is wrong goes to `problems`."""
    found: dict[str, Node] = {}
    for name, given in definition.train.items():
        keys: Keys = ("train", name)
        params = _params(given, definition, chosen, keys, tree, problems)
        tensors = tensors_of(given.from_, keys, steps, tree, problems)
        if tensors is not None and params is not None:
            vectors = _vectors(given, params, steps, keys, tree, problems)
            found[f"train.{name}"] = _training(name, params, tensors, vectors)
            found[f"evaluate.{name}"] = _evaluation(name, tensors, _sets(given, steps, tensors, keys, tree, problems))
    problems += _unmeasured(definition, tree)
    return found


def is_broken(name: str, steps: Mapping[str, Node], tree: Tree) -> bool:
    """Whether a step of the definition could not be made: what is wrong with it is a problem of its own."""
    return name not in steps and name in tree.names("steps")


def _has(tokens: Node, part: str) -> bool:
    return any(taken.role == part for taken in tokens.takes)


def tensors_of(name: str, keys: Keys, steps: Mapping[str, Node], tree: Tree, problems: list[Problem]) -> Node | None:
    """The tensor.encode step that a training's `from` names; what is wrong goes to `problems`."""
    tensors = steps.get(name)
    if is_broken(name, steps, tree):
        return None
    if tensors is None or tensors.op != "tensor.encode":
        known = [step.name for step in steps.values() if step.op == "tensor.encode"]
        message = f"'{name}' is no tensor.encode step{did_you_mean(name, known)}"
    elif missing := [part for part, what in _PARTS.items() if not _has(steps[tensors.takes[0].node], part)]:
        needs = " and ".join(f"{part} ({_PARTS[part]})" for part in missing)
        message = f"step {tensors.takes[0].node} has no rows of {needs}: let it take them"
    else:
        return tensors
    problems.append(tree.problem((*keys, "from"), message))
    return None


def _unmeasured(definition: Definition, tree: Tree) -> list[Problem]:
    """What `promote` compares and the promoted training does not measure."""
    train = definition.train.get(definition.promoted or "")
    if definition.promote is None or train is None:
        return []
    wanted = dict.fromkeys(clause.set for clause in promotion.parse(definition.promote.if_) if clause.set)
    return [
        tree.problem(
            ("promote", "if"),
            f"train.{definition.promoted} does not evaluate '{name}'{did_you_mean(name, train.evaluate)}",
        )
        for name in wanted
        if name not in train.evaluate
    ]


def _sets(
    given: Train, steps: Mapping[str, Node], tensors: Node, keys: Keys, tree: Tree, problems: list[Problem]
) -> tuple[Taken, ...]:
    """The rows that are measured by themselves too; those that are no test rows go to `problems`."""
    tokens = steps[tensors.takes[0].node]
    tested = _behind([taken.node for taken in tokens.takes if taken.role == "test"], steps)
    found = []
    for name, source in given.evaluate.items():
        step, _, part = source.partition(".")
        if step not in tested or part and part not in steps[step].outputs:
            message = (
                f"no test row comes from '{source}'{did_you_mean(source, tested)}: let {tokens.name} take it as test"
            )
            problems.append(tree.problem((*keys, "evaluate", name), message))
        else:
            found.append(Taken(step, (part,) if part else steps[step].outputs, f"{SET}{name}"))
    return tuple(found)


def _behind(names: list[str], steps: Mapping[str, Node]) -> list[str]:
    """These steps and all that their rows come from."""
    found: list[str] = []
    for name in names:
        if name in steps and name not in found:
            found += [name, *_behind([taken.node for taken in steps[name].takes], steps)]
    return list(dict.fromkeys(found))


def _params(
    given: Train, definition: Definition, chosen: str, keys: Keys, tree: Tree, problems: list[Problem]
) -> dict[str, Any] | None:
    profile = definition.profiles.get(chosen, Profile())
    engine = profile.engine or given.engine
    options = _options(engine, given, chosen, profile, keys, tree, problems)
    found = declared(given.model, keys, tree, problems)
    if found is None:
        return None
    if (fitting := catalogue.engines(given.model)) and engine not in fitting:
        message = f"model {given.model} trains in engine {' or '.join(fitting)} alone, not in {engine}"
        problems.append(tree.problem((*keys, "engine"), message))
    if given.start == "warm" and (message := _never_warm(engine, given.model)):
        problems.append(tree.problem((*keys, "start"), message))
    if engine in engines.NAMES and (why := engines.unbuildable(engine, given.model)):
        problems.append(tree.problem((*keys, "engine"), f"engine {engine} can't train model {given.model}: {why}"))
    model = validate(found.params, given.params, tree, (*keys, "params"), problems)
    if model is None or options is None:
        return None
    seed = given.seed if "seed" in given.model_fields_set else definition.seed
    described = given.model_dump(
        exclude={"from_", "params", "stop", "seed", "engine", "options", "embedding", "evaluate"}
    )
    trainable = given.embedding is None or given.embedding.trainable
    return {**described, "engine": engine, "params": model.canonical(), "patience": given.stop.patience, "seed": seed,
            "train_vectors": trainable, "code": dict(found.code), "options": options.canonical()}  # fmt: skip


def _never_warm(engine: str, model: str) -> str | None:
    """Why a training can't start from weights."""
    if not catalogue.trains_by_steps(model):
        return f"model {model} is solved at once, from scratch: take start: scratch"
    if engine in engines.NAMES and not engines.starts_warm(engine):
        return f"engine {engine} trains from scratch alone: take start: scratch, or another engine"
    return None


def _options(
    engine: str, given: Train, chosen: str, profile: Profile, keys: Keys, tree: Tree, problems: list[Problem]
) -> Params | None:
    """The engine's own settings, from where the engine is named; what is wrong goes to `problems`."""
    if engine not in engines.NAMES:
        message = f"unknown engine '{engine}'{did_you_mean(engine, engines.NAMES)}"
        problems.append(tree.problem((*keys, "engine"), message))
        return None
    said, at = (given.options, keys) if profile.engine is None else (profile.options, ("profiles", chosen))
    found: list[Problem] = []
    options = validate(engines.options(engine), said, tree, (*at, "options"), found)
    problems += [problem for problem in found if problem not in problems]  # of a profile they would come per training
    return options


def declared(name: str, keys: Keys, tree: Tree, problems: list[Problem]) -> custom.Custom | None:
    """The parameters and the code of a model; what is wrong goes to `problems`."""
    if name in catalogue.NAMES:
        return custom.Custom(catalogue.params(name), {})
    try:
        if catalogue.is_custom(name):
            return custom.read(Path(tree.file).parent.resolve(), name)
        message = f"unknown model '{name}'{did_you_mean(name, catalogue.NAMES)}"
    except InputError as error:
        message = str(error)
    problems.append(tree.problem((*keys, "model"), message))
    return None


def _vectors(
    given: Train, params: dict[str, Any], steps: Mapping[str, Node], keys: Keys, tree: Tree, problems: list[Problem]
) -> tuple[Taken, ...]:
    """What the embedding starts from, with its size in `params`; what does not fit goes to `problems`."""
    if given.embedding is None:
        return ()
    step, at = steps.get(given.embedding.from_), (*keys, "embedding", "from")
    known = [found.name for found in steps.values() if found.op == "text.embed"]
    if is_broken(given.embedding.from_, steps, tree):
        return ()
    if step is None or step.name not in known:
        message = f"'{given.embedding.from_}' is no text.embed step{did_you_mean(given.embedding.from_, known)}"
        problems.append(tree.problem(at, message))
    elif step.takes[0].node != given.from_:
        message = f"'{step.name}' has vectors for the ids of '{step.takes[0].node}', not of '{given.from_}'"
        problems.append(tree.problem(at, message))
    elif "embedding" not in params["params"]:
        problems.append(tree.problem(at, f"model {given.model} has no parameter `embedding`, the size of its vectors"))
    elif given.params.get("embedding", step.params.size) != step.params.size:
        message = (
            f"is {given.params['embedding']}, and the vectors of '{step.name}' have {step.params.size}: leave it out"
        )
        problems.append(tree.problem((*keys, "params", "embedding"), message))
    else:
        params["params"]["embedding"] = step.params.size
        return (Taken(step.name, (), "vectors"),)
    return ()


def _training(name: str, params: dict[str, Any], tensors: Node, vectors: tuple[Taken, ...]) -> Node:
    takes = (Taken(tensors.name, (), "tensors"), *vectors)
    keyed = {key: value for key, value in params.items() if key not in _NOT_KEYED}
    keyed["options"] = engines.deciding(params["engine"], params["options"])
    return Node(f"train.{name}", TRAIN, VERSION, params, keyed, takes, ("model",), in_jvm=False)


def _evaluation(name: str, tensors: Node, sets: tuple[Taken, ...]) -> Node:
    from spark_jobs.evaluate import Evaluate

    tokens = tensors.takes[0].node
    takes = (
        Taken(f"train.{name}", (), "model"),
        Taken(tensors.name, (), "tensors"),
        Taken(tokens, ("test",), "test"),
        *sets,
    )
    params = Evaluate.Params()
    return Node(f"evaluate.{name}", EVALUATE, Evaluate.version, params, params.canonical(), takes, ("predictions",))


def unready(pipeline: Pipeline, steps: Iterable[str]) -> list[Problem]:
    """Why trainings and sweeps among these steps can't begin here: engines, programs, hosts that are missing."""
    found = []
    for step in steps:
        node = pipeline.nodes[step]
        engine, options = (node.params["engine"], node.params["options"]) if node.op == TRAIN else ("local", {})
        if node.op in (TRAIN, SWEEP) and (message := engines.unready(engine, options)):
            placed = node.op == TRAIN and pipeline.profile.engine is not None
            keys: Keys = ("profiles", pipeline.profile_name, "engine") if placed else (*step.split("."), "engine")
            found.append(pipeline.tree.problem(keys, message))
    return list(dict.fromkeys(found))


def train(
    node: Node,
    taken: Mapping[str, Place],
    out: Place,
    checkpoints: Place,
    run: Path,
    advanced: Callable[[float, str], None],
    spark: Callable[[], SparkSession],
) -> Written:
    """Carry a training out into `out`; `taken` are the folders of what it takes by their roles. Raises InputError for tensors that don't fit, WorkerLost for a lost rank."""
    folders = {"tensors": taken["tensors"], "out": out, "checkpoints": checkpoints, "logs": run.resolve()}
    start = place(node.resources.data["last"]) if "last" in node.resources.data else None
    given = job(node.name, node.params, {**folders, "vectors": taken.get("vectors"), "start": start})
    engine = engines.engine(node.params["engine"], spark, node.params["options"])
    if unfit := engine.check(given):
        raise InputError("; ".join(unfit))

    def report(progress: Progress) -> None:
        share = (progress.epoch - 1 + progress.step / max(1, progress.steps)) / progress.epochs
        advanced(share, f"epoch {progress.epoch}/{progress.epochs}, {progress.records_per_s:,.0f} records/s")

    stats = engine.train(given, report)
    return Written({}, stats.as_dict())


def job(step: str, given: Mapping[str, Any], folders: Mapping[str, Place | None]) -> TrainJob:
    """The job of the training `step` with these settings; `folders` are those of TrainJob, by their names there."""
    return TrainJob(
        name=step.partition(".")[2],
        model=given["model"],
        model_params=given["params"],
        epochs=given["epochs"],
        batch=given["batch"],
        learning_rate=given["learning_rate"],
        metric=given["metric"],
        patience=given["patience"],
        seed=given["seed"],
        resume=given.get("resume", True),
        train_vectors=given["train_vectors"],
        code=given["code"],
        options=given["options"],
        # Absolute, for workers start in another folder.
        **{name: folder and absolute(folder) for name, folder in folders.items()},  # type: ignore[arg-type]
        **{key: given[key] for key in _OPTIMIZATION},
    )


def note(node: Node, folder: Place) -> str:
    """What a step's line says of a training or an evaluation in place of rows."""
    try:
        if node.op == EVALUATE:
            scores = METRICS.read(folder / "metrics.json")
            sets = [f"; {name} {said['accuracy']:.4f}" for name, said in scores["sets"].items() if said["rows"]]
            return f"accuracy {scores['accuracy']:.4f}, macro-F1 {scores['macro_f1']:.4f}" + "".join(sets)
        if node.op == TRAIN:
            history = HISTORY.read(folder / "history.json")
            return f"best of {len(history['epochs'])} epochs: {history['best_epoch']}"
    except (OSError, ValueError, LookupError):
        return ""
    return ""
