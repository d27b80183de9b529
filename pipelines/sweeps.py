"""The `sweep:` section: many trainings as one step of the plan, and its output folder."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models.sweep import space
from models.sweep.space import Axis, Entry, Point, Range
from models.sweep.trial import Limits, Plan
from pipelines import candidates, trainings
from pipelines.kinds import OBJECT
from pipelines.model import Candidates, Definition, Sweep, TrialSettings
from pipelines.pipeline import SWEEP, Node, Taken
from pipelines.source import Keys, Tree
from spark_jobs.base import Written
from textmill.errors import InputError, Problem, TextmillError
from textmill.places import Place, absolute

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from models.sweep.driver import Sweeper

VERSION = 1
_NOT_KEYED = ("parallel",)
"""Settings of a sweep that do not decide its result."""


def nodes(definition: Definition, steps: Mapping[str, Node], tree: Tree, problems: list[Problem]) -> dict[str, Node]:
    """`sweep.NAME` for every sweep; what is wrong goes to `problems`."""
    found = {}
    for name, given in definition.sweep.items():
        keys: Keys = ("sweep", name)
        before = len(problems)
        tensors = trainings.tensors_of(given.from_, keys, steps, tree, problems)
        params = _params(given, definition, keys, tree, problems)
        if params is not None and tensors is not None and len(problems) == before:
            keyed = {key: value for key, value in params.items() if key not in _NOT_KEYED}
            takes = (Taken(tensors.name, (), "tensors"),)
            found[f"sweep.{name}"] = Node(
                f"sweep.{name}", SWEEP, VERSION, params, keyed, takes, ("trials",), in_jvm=False
            )
    return found


def _params(
    given: Sweep, definition: Definition, keys: Keys, tree: Tree, problems: list[Problem]
) -> dict[str, Any] | None:
    before = len(problems)
    seed = given.seed if "seed" in given.model_fields_set else definition.seed
    read = [
        _entries(entry, given, (*keys, "trials", index), tree, problems) for index, entry in enumerate(given.trials)
    ]
    if given.draw is not None and given.draw.by == "tpe" and find_spec("optuna") is None:
        message = "tpe is Optuna's, which is not installed: pip install 'textmill[sweep]'"
        problems.append(tree.problem((*keys, "draw", "by"), message))
    if len(problems) > before:
        return None
    entries = [entry for of_one, _ in read for entry in of_one]
    codes = {model: files for _, code in read for model, files in code.items()}
    tried = _tried(given, definition.seed, entries, keys, tree, problems)
    settings = {**{key: getattr(given, key) for key in TrialSettings.model_fields}, "seed": seed}
    rest = given.model_dump(mode="json", include={"metric", "asha", "time_limit", "memory_limit", "parallel", "keep"})
    return {**rest, **tried, "settings": settings, "patience": given.stop.patience, "codes": codes}


def _tried(
    given: Sweep, seed: int, entries: list[Entry], keys: Keys, tree: Tree, problems: list[Problem]
) -> dict[str, Any]:
    """The trials, or what Optuna draws them from."""
    draw = given.draw
    seed = draw.seed if draw is not None and "seed" in draw.model_fields_set else seed
    if draw is not None and draw.by == "tpe":
        drawn = {"n": min(draw.n, sum(entry.combinations for entry in entries)), "seed": seed}
        return {"trials": None, "entries": [_described(entry) for entry in entries], "tpe": drawn}
    points = candidates.points(entries, draw, seed, keys, tree, problems)
    return {"trials": [[point.model, dict(point.params), dict(point.settings)] for point in points]}


def _described(entry: Entry) -> list[Any]:
    def told(axes: Mapping[str, Axis]) -> dict[str, Any]:
        return {
            name: {"low": axis.low, "high": axis.high, "log": axis.log}
            if isinstance(axis, Range)
            else list(axis.values)
            for name, axis in axes.items()
        }

    return [entry.model, told(entry.params), told(entry.settings)]


def _entries(
    given: Candidates, sweep: Sweep, keys: Keys, tree: Tree, problems: list[Problem]
) -> tuple[list[Entry], dict[str, dict[str, str]]]:
    """The models of an entry with what is tried of each, every value validated; and the code of the user's own."""
    entries, codes = [], {}
    settings = candidates.axes(given.settings, TrialSettings, (*keys, "settings"), tree, problems)
    if sweep.asha is not None and "epochs" in given.settings:
        message = "asha decides how many of `epochs` a trial gets: give them for the whole sweep"
        problems.append(tree.problem((*keys, "settings", "epochs"), message))
    for model in (given.model,) if isinstance(given.model, str) else given.model:
        declared = trainings.declared(model, keys, tree, problems)
        if declared is not None:
            params = candidates.axes(given.params, declared.params, (*keys, "params"), tree, problems)
            entries.append(Entry(model, params, settings))
            codes.update({model: dict(declared.code)} if declared.code else {})
    return entries, codes


def run(
    node: Node,
    taken: Mapping[str, Place],
    out: Place,
    ledger: Place,
    logs: Path,
    advanced: Callable[[float, str], None],
    spark: Callable[[], SparkSession],
) -> Written:
    """Carry a sweep out into `out`; `ledger` is a folder that is kept where the run is cut off.

    Raises InputError for tensors that don't fit, TextmillError where no trial ended well.
    """
    from models.engines.base import unfit
    from models.sweep import driver, output

    if problems := unfit(taken["tensors"], 1):
        raise InputError("; ".join(problems))
    with _log(logs / f"{node.name.replace('.', '-')}.log") as log:
        sweeper = _sweeper(node, absolute(taken["tensors"]), absolute(ledger), log, advanced, spark)
        ends = sweeper.run()
        stats = driver.figures(sweeper, ends)
        log.info("%s", json.dumps(stats))
    if stats["best"] is None:
        sweeper.ledger.forget_failed()
        said = next((end.error for end in ends.values() if end.error), "none")
        raise TextmillError(f"none of {len(ends)} trials ended well; the error of the first: {said}")
    output.write(sweeper, ends, out, "sweep")
    return Written({}, stats)


def _sweeper(
    node: Node, tensors: Place, folder: Place, log: logging.Logger, advanced: Callable[[float, str], None],
    spark: Callable[[], SparkSession],
) -> Sweeper:  # fmt: skip
    from models.sweep.asha import Halving, Ladder
    from models.sweep.driver import Progress, Sweeper
    from models.sweep.ledger import Ledger
    from models.sweep.source import Listed, Tpe

    given = node.params
    plan = Plan(node.name, given["settings"], given["metric"], given["patience"],
                Limits(given["time_limit"], given["memory_limit"]), given["codes"])  # fmt: skip
    ledger = Ledger(folder)
    ends = ledger.ends()
    halving = given["asha"] and Halving.of(
        given["settings"]["epochs"], given["asha"]["min_epochs"], given["asha"]["reduction"]
    )
    if given["trials"] is None:
        source: Any = Tpe(_space(given["entries"]), given["tpe"]["n"], given["tpe"]["seed"], ledger, ends)
    else:
        source = Listed([Point(*trial) for trial in given["trials"]], ends)

    def told(progress: Progress) -> None:
        advanced((progress.done + progress.failed) / progress.total, str(progress))

    ladder = Ladder(halving) if halving else None
    return Sweeper(spark().sparkContext, plan, source, ledger, tensors, given["parallel"], given["keep"] == "all",
                   ladder, told, log, ends)  # fmt: skip


def _space(entries: list[list[Any]]) -> list[Entry]:
    def axes(given: Mapping[str, Any]) -> dict[str, Axis]:
        return {name: space.axis(said) for name, said in given.items()}

    return [Entry(model, axes(params), axes(settings)) for model, params, settings in entries]


@contextmanager
def _log(path: Path) -> Iterator[logging.Logger]:
    """A logger that writes to `path` alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    log = logging.getLogger(f"textmill.{path.stem}")
    log.propagate = False
    log.setLevel(logging.INFO)
    handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    log.addHandler(handler)
    try:
        yield log
    finally:
        log.removeHandler(handler)
        handler.close()


def note(node: Node, folder: Place) -> str:
    """What a step's line says of a sweep."""
    try:
        rows, best = OBJECT.lines(folder / "trials.jsonl"), OBJECT.read(folder / "best" / "trial.json")
        counted = {status: sum(row["status"] == status for row in rows) for status in ("done", "stopped", "failed")}
        told = ", ".join(f"{number} {status}" for status, number in counted.items() if number)
        scores = f"valid accuracy {best['valid']['accuracy']:.4f}, macro-F1 {best['valid']['macro_f1']:.4f}"
    except (OSError, ValueError, LookupError, TypeError):
        return ""
    return f"{told}; best {best['trial']} {best['model']}: {scores}"
