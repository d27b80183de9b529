"""Loading a definition: the YAML validated as a whole, every problem on a line of its own, before any JVM starts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from pipelines import (
    checks,
    contents,
    dated,
    dictionaries,
    inputs,
    profiles,
    roots,
    searches,
    source,
    starting,
    sweeps,
    trainings,
    variables,
    wiring,
)
from pipelines.model import Definition, Input, Profile
from pipelines.overrides import override
from pipelines.pipeline import Node, Pipeline, Taken
from pipelines.source import Keys, Tree
from pipelines.validation import did_you_mean, validate
from spark_jobs import registry
from spark_jobs.base import Entity, InputFiles, Operation, Resources
from textmill.errors import DefinitionError, InputError, MissingInput, Problem, TextmillError
from textmill.params import Params
from textmill.places import is_uri, named, unreadable


def load(
    path: Path,
    *,
    sets: Sequence[str] = (),
    date: dt.date | None = None,
    profile: str | None = None,
    sample: float | None = None,
    root: str | None = None,
) -> Pipeline:
    """The pipeline that the file `path` defines.

    `sets` are `key.key=value`, `sample` reads that share of every input's records, `root` goes before the
    definition's own. Raises InputError, or
    DefinitionError with all problems: MissingInput where files that are not there are all that is wrong.
    """
    day = date or dt.date.today()
    placed = roots.placed(profiles.applied(override(source.read(path), sets), profile or "local"), root)
    tree = variables.substitute(placed, day)
    problems: list[Problem] = []
    definition = _frame(tree, problems)
    loader = _Loader(tree, definition, sample, problems, placed, day)
    loader.root()
    nodes = loader.nodes()
    where = loader.profile(profile)
    nodes.update(trainings.nodes(definition, profile or "local", nodes, tree, problems))
    nodes.update(sweeps.nodes(definition, nodes, tree, problems))
    nodes.update(searches.nodes(definition, nodes, tree, problems))
    nodes, last = starting.attach(nodes, definition, day, tree, problems)
    found = loader.checks(nodes)
    if problems:
        raise (MissingInput if loader.missing >= set(problems) else DefinitionError)(_in_order(problems))
    nodes = dated.by_date(nodes, loader.dates, day)
    name = profile or "local"
    return Pipeline(str(path), definition, day, name, where, nodes, loader.inputs, found, loader.dates, last, tree)


def _frame(tree: Tree, problems: list[Problem]) -> Definition:
    """The definition; where entries of it are wrong, without them, so that the rest is looked at all the same."""
    definition = validate(Definition, tree.data, tree, (), problems)
    if definition is not None:
        return definition
    data = {key: dict(value) if isinstance(value, dict) else value for key, value in tree.data.items()}
    for problem in problems:
        section, *entry = problem.key.split(".")
        if entry and isinstance(data.get(section), dict):
            data[section].pop(entry[0], None)
        else:
            data.pop(section, None)
    try:
        return Definition.model_validate({"name": "x", "inputs": {}, "steps": {}, **data})
    except ValidationError:
        raise DefinitionError(_in_order(problems)) from None


def _in_order(problems: list[Problem]) -> list[Problem]:
    def place(problem: Problem) -> tuple[str, int]:
        file, _, line = problem.where.rpartition(":")
        return (file, int(line)) if line.isdigit() else (problem.where, 0)

    return sorted(dict.fromkeys(problems), key=place)


class _Loader:
    """One loading: gathers problems, so that all of them are told at once."""

    def __init__(
        self,
        tree: Tree,
        definition: Definition,
        sample: float | None,
        problems: list[Problem],
        written: Tree,
        day: dt.date,
    ) -> None:
        self.tree, self.definition, self.sample, self.problems = tree, definition, sample, problems
        self.written, self.day = written, day
        self.missing: set[Problem] = set()
        self.folder = Path(tree.file).parent
        self.input_names = tree.names("inputs")
        self.dates: dict[str, tuple[str, ...]] = {}
        self.inputs: dict[str, InputFiles] = {}
        for name, given in definition.inputs.items():
            self.inputs.update(self._inputs(name, given))
        self.entities = {name: found for name in definition.entities if (found := self._entity(name))}
        self.unread = set(tree.names("entities")) - self.entities.keys()

    def nodes(self) -> dict[str, Node]:
        """The steps, in order."""
        steps: dict[str, tuple[Operation, dict[str, Any]]] = {}
        for name, step in self.definition.steps.items():
            operation = _operation(step, ("steps", name), self.tree, self.problems)
            if name in self.input_names:
                self.problems.append(self.tree.problem(("steps", name), "an input has the same name"))
            elif operation is not None:
                steps[name] = operation, step
        wired = {name: self._wires(name, step) for name, (_, step) in steps.items()}
        beside = {name: wiring.beside(operation, step, ("steps", name)) for name, (operation, step) in steps.items()}
        ordered = wiring.order({name: wired[name] + beside[name] for name in steps}, self.tree, self.problems)
        broken = set(self.tree.names("steps")) - set(ordered)
        connected = wiring.Wiring(self.tree, self.input_names, broken=broken)
        nodes = {}
        for name in ordered:
            operation, step = steps[name]
            node = self._node(name, operation, step, wired[name], connected)
            taken = connected.connect_beside(name, operation, beside[name], self.problems)
            if node is not None and name not in connected.broken:
                nodes.update(_with_prepared(replace(node, takes=node.takes + taken), operation))
        return nodes

    def root(self) -> None:
        """Look whether the root can be used from here; whether it answers is seen when it is."""
        try:
            problem = unreadable(named(self.definition.root))
        except TextmillError as error:
            problem = str(error)
        if problem:
            self.problems.append(self.tree.problem(("root",), problem))

    def profile(self, name: str | None) -> Profile:
        """The profile to run with: the named one, `local` of the definition, or the defaults."""
        known_profiles = self.definition.profiles
        if name is not None and name != "local" and name not in known_profiles:
            known = did_you_mean(name, [*known_profiles, "local"])
            self.problems.append(self.tree.problem(("profiles",), f"there is no profile '{name}'{known}"))
        chosen = known_profiles.get(name or "local", Profile())
        for given in chosen.inputs.keys() - self.definition.inputs.keys():
            message = f"there is no input '{given}'{did_you_mean(given, self.input_names)}"
            self.problems.append(self.tree.problem(("profiles", name or "local", "inputs", given), message))
        return chosen

    def checks(self, nodes: dict[str, Node]) -> dict[str, tuple[checks.Check, ...]]:
        """The definition's checks by step."""
        found: dict[str, tuple[checks.Check, ...]] = {}
        for step, conditions in self.definition.checks.items():
            if step not in self.definition.steps:
                message = f"there is no step '{step}'{did_you_mean(step, nodes)}"
                self.problems.append(self.tree.problem(("checks", step), message))
            for index, text in enumerate(conditions):
                try:
                    found[step] = (*found.get(step, ()), checks.parse(text))
                except ValueError as error:
                    self.problems.append(self.tree.problem(("checks", step, index), str(error)))
        return found

    def _wires(self, name: str, step: dict[str, Any]) -> list[wiring.Wire]:
        keys: Keys = ("steps", name, "from")
        if "from" not in step:
            self.problems.append(self.tree.problem(keys, "is required: what the step takes"))
            return []
        return wiring.wires(step["from"], keys, self.tree, self.problems)

    def _node(
        self, name: str, operation: Operation, step: dict[str, Any], named: list[wiring.Wire], wired: wiring.Wiring
    ) -> Node | None:
        keys: Keys = ("steps", name)
        params = _params(operation, step, keys, self.tree, self.definition.seed, self.folder, self.problems)
        if not wired.fits(name, operation, params, named, self.problems):
            return None
        takes = wired.connect(name, operation, named)
        resources = self._resources(operation, params, keys)
        keyed = {
            key: value
            for key, value in params.canonical().items()
            if key not in operation.path_params or isinstance(value, dict)
        }
        outputs = wired.outputs[name]
        return Node(name, operation.name, operation.version, params, keyed, takes, outputs, resources)

    def _resources(self, operation: Operation, params: Params, keys: Keys) -> Resources:
        # A dictionary that can't be read is a problem of its own. With one word in its place, mistakes in files are still
        # found; what depends on how many words there are is left out.
        entities = {**self.entities, **{name: Entity(name, ("?",)) for name in self.unread}}
        try:
            return operation.resources(params, entities)
        except DefinitionError as error:
            self.problems.extend(
                problem if problem.where else self.tree.problem((*keys, *problem.key.split(".")), problem.message)
                for problem in error.problems
                if problem.where or not self.unread
            )
        except InputError as error:
            self.problems.append(self.tree.problem(keys, str(error)))
        return Resources()

    def _inputs(self, name: str, given: Input) -> dict[str, InputFiles]:
        """The files of an input; with a window, of each of its dates."""
        keys: Keys = ("inputs", name)
        if given.format == "text" and given.label is not None and "label" in given.model_fields_set:
            self.problems.append(self.tree.problem((*keys, "label"), "lines of text have no label"))
            return {}
        given = given.model_copy(update={"label": None}) if given.format == "text" else given
        try:
            if given.window is None:
                return {name: self._files(name, given, given.path)}
            return self._dated(name, given, given.window)
        except inputs.Unfit as error:
            self.problems.append(self.tree.problem((*keys, "path"), str(error)))
            if isinstance(error, inputs.Missing):
                self.missing.add(self.problems[-1])
        return {}

    def _files(self, name: str, given: Input, path: str, is_latest: bool = True) -> InputFiles:
        files = inputs.find(resolve(path, ("inputs", name, "path"), self.tree, self.folder))
        found = contents.look(files, given)
        may_be_empty = given.empty == "allow" or not is_latest
        if not found.has_records and not may_be_empty:
            allow = "where that is no mistake, write empty: allow in the input"
            raise inputs.Unfit(f"there is no record in {', '.join(map(str, files[:3]))}; {allow}")
        header = found.columns if given.format == "csv" else None
        settings = {**given.reading(), "header": header, "sample": self.sample, "seed": self.definition.seed}
        return InputFiles(name, "rows", files, settings, may_be_empty)

    def _dated(self, name: str, given: Input, window: str) -> dict[str, InputFiles]:
        """Of each date of the window that has files; the run's own date must have some."""
        if not dated.is_dated(self.written, name):
            raise inputs.Unfit(f"a window needs {dated.REFERENCE} in the path")
        pattern = resolve(dated.path_at(self.written, name, "*"), ("inputs", name, "path"), self.tree, self.folder)
        found = {}
        for date in dated.candidates(self.written, name, window, self.day, pattern):
            try:
                path = dated.path_at(self.written, name, date)
                files = self._files(name, given, path, date == self.day)
                found[date.isoformat()] = replace(files, name=f"{name}{dated.AT}{date}")
            except inputs.Missing:
                if date == self.day:
                    raise
        self.dates[name] = tuple(found)
        return {files.name: files for files in found.values()}

    def _entity(self, name: str) -> Entity | None:
        given = self.definition.entities[name]
        if given.path is not None:
            path = resolve(given.path, ("entities", name, "path"), self.tree, self.folder)
            given = given.model_copy(update={"path": path})
        try:
            return dictionaries.load(name, given, self.tree.problem(("entities", name), ""))
        except DefinitionError as error:
            self.problems.extend(error.problems)
            return None


def _with_prepared(node: Node, operation: Operation) -> dict[str, Node]:
    """The step, after the one that prepares something for it if there is such."""
    prepared = operation.prepared(node.params)
    if prepared is None:
        return {node.name: node}
    before, name = registry.operation(prepared.op), f"{node.name}.{prepared.name}"
    outputs, keyed = before.outputs(prepared.params), prepared.params.canonical()
    first = Node(name, before.name, before.version, prepared.params, keyed, node.takes, outputs)
    taken = (*node.takes, Taken(name, outputs, prepared.name))
    return {name: first, node.name: replace(node, takes=taken)}


def resolve(path: str, keys: Keys, tree: Tree, folder: Path) -> str:
    """`path` from the definition's folder; from the working folder where it was given by `--set`."""
    if is_uri(path) or Path(path).is_absolute() or tree.where(keys) == source.FROM_COMMAND_LINE:
        return path
    return str(folder / path)


def _operation(step: Any, keys: Keys, tree: Tree, problems: list[Problem]) -> Operation | None:
    if not isinstance(step, dict) or "do" not in step:
        problems.append(tree.problem((*keys, "do"), f"is required: one of {', '.join(registry.NAMES)}"))
        return None
    if step["do"] not in registry.NAMES:
        known = did_you_mean(str(step["do"]), registry.NAMES)
        problems.append(tree.problem((*keys, "do"), f"unknown operation '{step['do']}'{known}"))
        return None
    return registry.operation(step["do"])


def _params(
    operation: Operation, step: dict[str, Any], keys: Keys, tree: Tree, seed: int, folder: Path, problems: list[Problem]
) -> Params | None:
    given = {key: value for key, value in step.items() if key not in ("do", "from")}
    if "seed" in operation.Params.model_fields:
        given.setdefault("seed", seed)
    for name in operation.path_params:
        if isinstance(given.get(name), str):
            given[name] = resolve(given[name], (*keys, name), tree, folder)
    return validate(operation.Params, given, tree, keys, problems)
