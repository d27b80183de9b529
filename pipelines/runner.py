"""Carries out a plan: step after step, each published whole before the next one starts."""

from __future__ import annotations

import functools
import re
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines import sweeps, trainings, unreadable
from pipelines.checks import Check, counts
from pipelines.dated import base
from pipelines.keys import Because
from pipelines.pipeline import SEARCH, SWEEP, TRAIN, Node, Pipeline, Taken
from pipelines.plan import Planned
from pipelines.progress import Listener
from pipelines.runs import Run
from pipelines.store import Building, Manifest, Store, write_json
from spark_jobs import registry
from spark_jobs.base import WARNINGS, Folder, Rows, Source, Work, Written
from textmill.errors import CheckFailed, StepFailed, TextmillError
from textmill.places import Place
from textmill.stored import sealed

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_TRAININGS = {TRAIN: trainings.train, SWEEP: sweeps.run}
_TELLING = re.compile(r"(?:Caused by: )?(?!py4j|org\.apache\.spark\.SparkException)[\w.]*(?:Error|Exception): ")


class Runner:
    """One run of a pipeline."""

    def __init__(
        self, pipeline: Pipeline, reasons: Mapping[str, Because], store: Store, run: Run, listener: Listener
    ) -> None:
        self.pipeline, self.reasons, self.store, self.run, self.listener = pipeline, reasons, store, run, listener
        self.manifests: dict[str, Manifest] = {}
        self.folders: dict[str, Place] = {}
        self._spark: SparkSession | None = None

    def execute(self, plan: list[Planned]) -> None:
        """Run or reuse every step; raises TextmillError, the run record then says which step failed and why."""
        self.run.record["steps"] = [_entry(planned, self.store) for planned in plan]
        try:
            for planned in plan:
                self.run.save()
                self._step(planned)
        finally:
            try:
                write_json(self.run.folder / "stats.json", sealed(self.stats()))
                self.store.digests.save()
            finally:
                if self._spark is not None:
                    self._spark.stop()

    def stats(self) -> dict[str, Any]:
        """What each step that has an output counted in the pass that wrote it."""
        return {step: manifest["stats"] for step, manifest in self.manifests.items() if manifest}

    def _step(self, planned: Planned) -> None:
        node, entry = self.pipeline.nodes[planned.step], self.run.step(planned.step)
        self.folders[node.name] = self.store.folder(planned.op, planned.key)
        started = time.monotonic()
        try:
            if planned.action == "run":
                self.listener.started(planned)
                manifest = self._build(node, planned)
            else:
                manifest = self.store.manifest(planned.op, planned.key) or {}
            entry.update(status="skipped" if planned.action == "skip" else "done")
        except BaseException as error:
            entry.update(status="failed", seconds=round(time.monotonic() - started, 2))
            self.listener.ended(entry)
            raise _named(node.name, error, self.run.record["log"]) from error
        self.manifests[node.name] = manifest
        entry.update(seconds=round(time.monotonic() - started, 2), rows=counts(manifest) if manifest else {})
        entry["warnings"] = list(manifest["stats"].get(WARNINGS, [])) if manifest else []
        entry["note"] = (sweeps if node.op in (SWEEP, SEARCH) else trainings).note(node, self.folders[node.name])
        self.listener.ended(entry)
        if planned.action != "skip":
            check(self.pipeline, node, manifest, self.folders[node.name])

    def _build(self, node: Node, planned: Planned) -> Manifest:
        started = time.monotonic()
        with self.store.building(node.name, node.op, planned.key, self.reasons[node.name]) as building:
            carry_out = self._train if node.op in _TRAININGS else self._operate
            written = carry_out(node, building)
            return self.store.publish(building, written, time.monotonic() - started)

    def _train(self, node: Node, building: Building) -> Written:
        taken = {taken.role: self.folders[taken.node] for taken in node.takes}
        checkpoints = self.store.checkpoints(node.op, building.key)
        advanced, spark = self.listener.advanced, self.start_spark
        return _TRAININGS[node.op](node, taken, building.folder, checkpoints, self.run.local, advanced, spark)

    def _operate(self, node: Node, building: Building) -> Written:
        operation = registry.operation(node.op)
        sources = tuple(source for taken in node.takes for source in self._sources(taken, node))
        spark = self.start_spark()
        with _stages(spark, self.listener):
            siblings = functools.partial(self.store.siblings, node.op, self.reasons[node.name])
            return operation.run(Work(spark, building.folder, node.params, sources, node.resources, siblings))

    def _sources(self, taken: Taken, node: Node) -> Iterator[Source]:
        if taken.node in self.pipeline.inputs:
            yield self.pipeline.inputs[taken.node]
        elif not taken.parts:
            yield Folder(taken.role, self.folders[taken.node])
        for part in taken.parts:
            yield rows_of(self.manifests[taken.node], self.folders[taken.node], part, taken.role)

    def start_spark(self) -> SparkSession:
        """The run's session, started on first use: a run that reuses everything needs no JVM."""
        if self._spark is None:
            from spark_jobs import session

            given = self.pipeline.profile.spark
            settings = session.SparkSettings(given.master, given.memory, given.settings())
            self._spark = session.start(
                settings, Path(self.run.record["log"]), f"textmill {self.pipeline.definition.name}"
            )
        return self._spark


def rows_of(manifest: Manifest, folder: Place, part: str, role: str) -> Rows:
    """The rows of a part; a part that no row came into has no files and the schema of the others."""
    described = manifest["parts"].get(part)
    schema = (described or next(iter(manifest["parts"].values())))["schema"]
    files = tuple(described["files"]) if described else ()
    size = sum(manifest["files"][name]["bytes"] for name in files)
    return Rows(role, folder, files, schema, described["rows"] if described else 0, size)


def check(pipeline: Pipeline, node: Node, manifest: Manifest, folder: Place) -> None:
    """Raise CheckFailed where an input has too many unreadable records or a check of the definition doesn't hold."""
    failures = [unreadable.too_many(pipeline, node, manifest, folder)]
    conditions: tuple[Check, ...] = pipeline.checks.get(base(node.name), ())
    failures += [condition.failure(manifest) for condition in conditions]
    if found := [failure for failure in failures if failure]:
        raise CheckFailed(f"step {node.name}: " + "; ".join(found))


def _entry(planned: Planned, store: Store) -> dict[str, object]:
    output = str(store.folder(planned.op, planned.key))
    return {"step": planned.step, "op": planned.op, "action": planned.action, "why": planned.why, "key": planned.key,
            "output": output, "seconds": 0.0, "rows": {}, "status": "waiting"}  # fmt: skip


def _named(step: str, error: BaseException, log: str) -> BaseException:
    if isinstance(error, TextmillError):
        error.args = (f"step {step}: {error}",)
        return error
    if isinstance(error, Exception):
        return StepFailed(f"step {step}: {_headline(error)} (details in {log})")
    return error


def _headline(error: Exception) -> str:
    """The line that tells most: of an exception inside a Spark task its own, not that the job was aborted."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    told = [line for line in lines if _TELLING.match(line)]
    return told[0] if told else f"{type(error).__name__}: {lines[0] if lines else 'no message'}"


@contextmanager
def _stages(spark: SparkSession, listener: Listener) -> Iterator[None]:
    """Tell the listener about the tasks done of the stages that run."""
    done = threading.Event()
    tracker = spark.sparkContext.statusTracker()

    def watch() -> None:
        while not done.wait(0.5):
            stages = [info for stage in tracker.getActiveStageIds() if (info := tracker.getStageInfo(stage))]
            if total := sum(stage.numTasks for stage in stages):
                finished = sum(stage.numCompletedTasks for stage in stages)
                listener.advanced(finished / total, f"{finished}/{total} tasks")

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
