"""Which steps run, which are reused, and why: pure functions over keys and what the store holds."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pipelines.keys import INPUT, Because
from pipelines.pipeline import EVALUATE, TRAIN, Pipeline
from pipelines.validation import did_you_mean
from spark_jobs.base import digest
from textmill.errors import InputError

Damage = Callable[[str, str], str | None]
"""(op, key) → `absent`, what is damaged, or None where the output is whole."""
ABSENT = "absent"
_NAMED = 3
Stage = Literal["prepare", "train"]


@dataclass(frozen=True)
class Planned:
    """One step of a plan."""

    step: str
    op: str
    key: str
    action: Literal["run", "reuse", "skip"]
    why: str


@dataclass(frozen=True)
class Selection:
    """The command line's choice of steps: `--from --to --only --force --stage`."""

    first: str | None = None
    last: str | None = None
    only: tuple[str, ...] = ()
    force: tuple[str, ...] = ()
    stage: Stage | None = None
    """`prepare` leaves trainings and evaluations out; `train` comes after it, so it forces nothing else again."""

    def wanted(self, pipeline: Pipeline) -> set[str]:
        """The steps that are looked at; raises InputError for a step that is not there."""
        for step in filter(None, (self.first, self.last, *self.only, *self.force)):
            if step not in pipeline.nodes:
                raise InputError(f"there is no step '{step}'{did_you_mean(step, pipeline.nodes)}")
        wanted = set(pipeline.nodes) if self.last is None else pipeline.before(self.last)
        wanted = set(self.only) or wanted
        return wanted - _trained(pipeline) if self.stage == "prepare" else wanted

    def forced(self, pipeline: Pipeline) -> set[str]:
        """The steps that run although their output is whole."""
        after_first = pipeline.after(self.first) if self.first is not None else set()
        forced = {*self.force, *after_first}
        return forced & _trained(pipeline) if self.stage == "train" else forced


def _trained(pipeline: Pipeline) -> set[str]:
    return {step for step, node in pipeline.nodes.items() if node.op in (TRAIN, EVALUATE)}


def make(
    pipeline: Pipeline,
    reasons: Mapping[str, Because],
    damage: Damage,
    before: Mapping[str, Because],
    selection: Selection = Selection(),
    made: Callable[[], Collection[str]] = frozenset,
) -> list[Planned]:
    """The plan: `before` holds what the keys of the previous run were made of, to say what changed.

    `made` gives the keys of outputs that earlier runs had; it is asked where that matters.

    Raises InputError where `--only` or `--from` leaves out a step whose output is needed and not there.
    """
    wanted, forced = selection.wanted(pipeline), selection.forced(pipeline)
    plan: list[Planned] = []
    for step, node in pipeline.nodes.items():
        because = reasons[step]
        key, op = digest(because), because["op"]
        harm = damage(op, key)
        if step not in wanted:
            plan.append(Planned(step, op, key, "skip", "not asked for"))
        elif harm is None and step not in forced:
            plan.append(Planned(step, op, key, "reuse", _with("same parameters and inputs", node.starts)))
        else:
            why = "forced" if harm is None else _why(harm, step, before, reasons) or _missing(key in made())
            plan.append(Planned(step, op, key, "run", _with(why, node.starts)))
    _need(pipeline, plan, damage, selection)
    return plan


def _with(why: str, starts: str) -> str:
    return "; ".join(filter(None, (why, starts)))


def _why(harm: str, step: str, before: Mapping[str, Because], now: Mapping[str, Because]) -> str:
    if harm != ABSENT:
        return f"output damaged: {harm}"
    if step not in before:
        return "no earlier output"
    return "; ".join(changes(step, before, now))


def _missing(was_made: bool) -> str:
    return "its output is gone" if was_made else "no run has made it yet"


def _need(pipeline: Pipeline, plan: list[Planned], damage: Damage, selection: Selection) -> None:
    by_step = {planned.step: planned for planned in plan}
    early = pipeline.before(selection.first) - {selection.first} if selection.first is not None else set()
    for planned in plan:
        if planned.step in early and planned.action == "run":
            raise InputError(f"--from {selection.first}: step {planned.step} before it would run: {planned.why}")
        if planned.action != "run":
            continue
        for taken in pipeline.nodes[planned.step].takes:
            needed = by_step.get(taken.node)
            if needed and needed.action == "skip" and (harm := damage(needed.op, needed.key)):
                state = "has no output" if harm == ABSENT else f"is damaged ({harm})"
                raise InputError(f"step {planned.step} needs {needed.step}, which {state}: run without --only")


def changes(step: str, earlier: Mapping[str, Because], today: Mapping[str, Because]) -> list[str]:
    """What differs between what two keys of a step are made of, in words; of inputs what of them differs."""
    before, now = earlier[step], today[step]
    found = []
    if before["op"] != now["op"]:
        return [f"operation changed {before['op']} → {now['op']}"]
    if before["version"] != now["version"]:
        found.append(f"{now['op']} is now version {now['version']}")
    found += _changed("parameter", before["params"], now["params"])
    found += [f"{name} changed" for name in _differing(before["files"], now["files"])]
    found += _rewired(before["takes"], now["takes"]) or [
        said for name in _remade(before["takes"], now["takes"]) for said in _of_source(name, earlier, today)
    ]
    if before["jar"] != now["jar"]:
        found.append("the jar changed")
    return found


def _differing(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    return [name for name in sorted({*before, *now}) if before.get(name) != now.get(name)]


def _changed(kind: str, before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    found = []
    for name in _differing(before, now):
        old, new = before.get(name), now.get(name)
        if isinstance(old, dict) and isinstance(new, dict):
            found += _changed(kind, *({f"{name}.{key}": v for key, v in side.items()} for side in (old, new)))
        else:
            found.append(f"{kind} {name} changed {_short(old)} → {_short(new)}")
    return found


def _of_source(name: str, earlier: Mapping[str, Because], today: Mapping[str, Because]) -> list[str]:
    """What changed of a step, or in an input, that another step takes from."""
    recorded = f"{INPUT}{name}"
    if recorded not in earlier or recorded not in today:
        return [f"{name} changed"]
    return [f"{name}: {said}" for said in changes(recorded, earlier, today)] or [f"{name} changed"]


def _rewired(before: list[Any], now: list[Any]) -> list[str]:
    """Which steps and inputs a step no longer takes, and which it takes now; dates of one step in a few words."""
    if [take[:3] for take in before] == [take[:3] for take in now]:
        return []
    old, today = (list(dict.fromkeys(take[2] for take in takes)) for takes in (before, now))
    gone, new = ([name for name in one if name not in other] for one, other in ((old, today), (today, old)))
    said = [f"{verb} {_some(names)}" for verb, names in (("no longer takes", gone), ("now takes", new)) if names]
    return said or ["takes the same steps in another order or role"]


def _remade(before: list[Any], now: list[Any]) -> list[str]:
    """The steps and inputs that a step takes as before, and whose content is another."""
    return list(dict.fromkeys(new[2] for old, new in zip(before, now, strict=True) if old[3] != new[3]))


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def _short(value: Any) -> str:
    text = "none" if value is None else str(value)
    return text if len(text) <= 40 else text[:37] + "…"
