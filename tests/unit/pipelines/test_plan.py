"""Which steps run and why: one table over a small chain of steps."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from pipelines import plan
from pipelines.model import Definition, Profile
from pipelines.pipeline import TRAIN, Node, Pipeline, Taken
from spark_jobs.base import digest
from textmill.errors import InputError


def chain(**params: int) -> tuple[Pipeline, dict[str, dict[str, Any]]]:
    """a → b → c, and d beside them."""
    takes = {"a": (), "b": ("a",), "c": ("b",), "d": ()}
    nodes, reasons, keys = {}, {}, {}
    for name, sources in takes.items():
        given = {"size": params.get(name, 1)}
        taken = tuple(Taken(source, ("rows",), "rows") for source in sources)
        nodes[name] = Node(name, f"op.{name}", 1, None, given, taken)
        parts = [["rows", ["rows"], source, keys[source]] for source in sources]
        reasons[name] = {"op": f"op.{name}", "version": 1, "params": given, "takes": parts, "files": {}, "jar": "j"}
        keys[name] = digest(reasons[name])
    definition = Definition.model_validate(
        {"name": "x", "inputs": {"i": {"path": "p", "format": "text"}}, "steps": {"a": {}}}
    )
    return Pipeline("x.yaml", definition, dt.date(2026, 1, 1), "local", Profile(), nodes, {}), reasons


def actions(
    *, params: dict[str, int] | None = None, harm: dict[str, str] | None = None, **selection: Any
) -> dict[str, tuple[str, str]]:
    """The plan after a whole run with every parameter 1, with `params` changed and `harm` done to outputs."""
    _, before = chain()
    whole = {digest(because) for because in before.values()}
    pipeline, now = chain(**(params or {}))

    def damage(op: str, key: str) -> str | None:
        return (harm or {}).get(op.removeprefix("op.")) or (None if key in whole else plan.ABSENT)

    made = plan.make(pipeline, now, damage, before, plan.Selection(**selection), lambda: whole)
    return {planned.step: (planned.action, planned.why) for planned in made}


def ran(found: dict[str, tuple[str, str]]) -> str:
    return "".join(step for step, (action, _) in found.items() if action == "run")


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        ({}, ""),
        ({"params": {"a": 2}}, "abc"),
        ({"params": {"b": 2}}, "bc"),
        ({"params": {"c": 2}}, "c"),
        ({"params": {"d": 2}}, "d"),
        ({"harm": {"b": "x is missing"}}, "b"),
        ({"harm": {"b": plan.ABSENT}}, "b"),
        ({"force": ("b",)}, "b"),
        ({"first": "b"}, "bc"),
        ({"params": {"a": 2}, "last": "b"}, "ab"),
        ({"params": {"c": 2, "d": 2}, "only": ("c",)}, "c"),
        ({"params": {"c": 2, "d": 2}, "only": ("c", "d")}, "cd"),
    ],
)
def test_exactly_what_is_needed_runs(case: dict[str, Any], expected: str) -> None:
    assert ran(actions(**case)) == expected


def test_reasons_are_told() -> None:
    found = actions(params={"b": 5}, harm={"d": "rows/00000.parquet is missing"}, force=("a",))
    assert found["a"] == ("run", "forced")
    assert found["b"] == ("run", "parameter size changed 1 → 5")
    assert found["c"] == ("run", "b changed")
    assert found["d"] == ("run", "output damaged: rows/00000.parquet is missing")


def test_what_is_not_asked_for_is_skipped() -> None:
    assert actions(last="a")["d"] == ("skip", "not asked for")


@pytest.mark.parametrize(
    ("case", "message"),
    [
        ({"only": ("c",), "harm": {"b": plan.ABSENT}}, "step c needs b, which has no output"),
        ({"first": "c", "params": {"b": 2}}, "--from c: step b before it would run"),
        ({"only": ("z",)}, "there is no step 'z'"),
    ],
)
def test_impossible_selections(case: dict[str, Any], message: str) -> None:
    if case.get("only") == ("c",):
        case = {**case, "force": ("c",)}
    with pytest.raises(InputError, match=message):
        actions(**case)


def test_every_difference_of_two_keys_is_named() -> None:
    before = {"op": "o", "version": 1, "params": {"x": {"y": 1}}, "takes": [], "files": {"templates": "1"}, "jar": "a"}
    now = {"op": "o", "version": 2, "params": {"x": {"y": 2}}, "takes": [], "files": {"templates": "2"}, "jar": "b"}
    assert plan.changes("a", {"a": before}, {"a": now}) == [
        "o is now version 2", "parameter x.y changed 1 → 2", "templates changed", "the jar changed",
    ]  # fmt: skip


def test_what_changed_in_an_input_is_named() -> None:
    def of(seed: int, **files: str) -> dict[str, Any]:
        step = {"op": "o", "version": 1, "params": {}, "takes": [["rows", [], "chats", f"{seed}{files}"]], "files": {}, "jar": ""}
        read = {"op": "input", "version": 1, "params": {"seed": seed}, "takes": [], "files": files, "jar": ""}
        return {"clean": step, "input chats": read}

    assert plan.changes("clean", of(7, a="1"), of(8, a="1")) == ["chats: parameter seed changed 7 → 8"]
    assert plan.changes("clean", of(7, a="1"), of(7, a="2", b="1")) == ["chats: a changed", "chats: b changed"]
    earlier = {"clean": of(7, a="1")["clean"]}  # as earlier heads recorded it
    assert plan.changes("clean", earlier, of(8, a="1")) == ["chats changed"]


def test_steps_that_are_taken_no_longer_or_anew_are_named() -> None:
    def because(*names: str) -> dict[str, Any]:
        takes = [["rows", ["rows"], name, "key"] for name in names]
        return {"op": "o", "version": 1, "params": {}, "takes": takes, "files": {}, "jar": ""}

    def changes(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
        return plan.changes("a", {"a": before}, {"a": now})

    dates = [f"clean@2026-11-{day:02}" for day in range(1, 9)]
    assert changes(because(*dates[:2]), because(*dates[1:3])) == [
        "no longer takes clean@2026-11-01", "now takes clean@2026-11-03",
    ]  # fmt: skip
    assert changes(because("a"), because(*dates)) == [
        "no longer takes a",
        "now takes clean@2026-11-01, clean@2026-11-02, clean@2026-11-03 and 5 more",
    ]
    assert changes(because("a", "b"), because("b", "a")) == ["takes the same steps in another order or role"]


def test_stages_divide_a_run_before_its_trainings() -> None:
    pipeline, _ = chain()
    trained = replace(pipeline, nodes={**pipeline.nodes, "c": replace(pipeline.nodes["c"], op=TRAIN)})
    assert plan.Selection(stage="prepare").wanted(trained) == {"a", "b", "d"}
    assert plan.Selection(stage="train").wanted(trained) == {"a", "b", "c", "d"}
    assert plan.Selection(first="b", force=("d",), stage="prepare").forced(trained) == {"b", "c", "d"}
    assert plan.Selection(first="b", force=("d",), stage="train").forced(trained) == {"c"}


def test_only_an_output_that_was_there_is_gone() -> None:
    """A run that failed has planned all its steps, and made some of them."""
    pipeline, reasons = chain()
    first = digest(reasons["a"])
    made = plan.make(pipeline, reasons, lambda op, key: plan.ABSENT, reasons, made=lambda: {first})
    assert [planned.why for planned in made] == ["its output is gone", *["no run has made it yet"] * 3]
