"""Dated inputs and what a dated run takes, reuses and waits for; no Spark."""

from __future__ import annotations

import datetime as dt
import threading
from pathlib import Path

import pytest

from pipelines import daily, drift, keys
from pipelines.definition import load
from pipelines.digests import Digests
from pipelines.model import Schedule
from pipelines.pipeline import Pipeline
from spark_jobs.base import digest
from textmill.errors import DefinitionError, InputError, MissingInput

DEFINITION = """
name: m
inputs:
  chats: {path: "dt=${run.date}/chats.jsonl", format: jsonl, window: 3d}
  gold:  {path: gold.jsonl, format: jsonl}
steps:
  clean: {do: text.clean, from: [chats, gold]}
  dedup: {do: text.dedup, from: clean}
"""


def day(number: int) -> dt.date:
    return dt.date(2026, 1, number)


def put(folder: Path, number: int, text: str = "x") -> None:
    (folder / f"dt=2026-01-{number:02d}").mkdir(exist_ok=True)
    (folder / f"dt=2026-01-{number:02d}" / "chats.jsonl").write_text(f'{{"text": "{text}", "label": "a"}}\n')


@pytest.fixture
def file(tmp_path: Path) -> Path:
    for number in (1, 2, 4, 5):
        put(tmp_path, number)
    (tmp_path / "gold.jsonl").write_text('{"text": "g", "label": "a"}\n')
    (tmp_path / "d.yaml").write_text(DEFINITION)
    return tmp_path / "d.yaml"


def of_steps(pipeline: Pipeline, folder: Path) -> dict[str, str]:
    reasons = keys.because(pipeline, "jar", Digests(folder / "m"))
    return {step: digest(reasons[step]) for step in pipeline.nodes}


def test_a_window_is_cleaned_date_by_date_and_other_steps_take_all_of_it(file: Path) -> None:
    pipeline = load(file, date=day(5))
    assert list(pipeline.nodes) == ["clean@undated", "clean@2026-01-04", "clean@2026-01-05", "dedup"]
    assert [taken.node for taken in pipeline.nodes["dedup"].takes] == list(pipeline.nodes)[:-1]
    assert pipeline.dates == {"chats": ("2026-01-04", "2026-01-05")}, "the 3rd has no files"


def test_all_history_is_what_has_files_up_to_the_date(file: Path) -> None:
    dates = load(file, date=day(4), sets=["inputs.chats.window=all"]).dates["chats"]
    assert dates == ("2026-01-01", "2026-01-02", "2026-01-04")


def test_a_new_day_changes_no_key_of_the_days_before_and_late_rows_only_their_own(file: Path) -> None:
    before, after = (of_steps(load(file, date=day(number)), file.parent) for number in (4, 5))
    assert before["clean@2026-01-04"] == after["clean@2026-01-04"] and before["dedup"] != after["dedup"]
    put(file.parent, 4, "late")
    late = of_steps(load(file, date=day(5)), file.parent)
    assert {step for step in late if late[step] != after[step]} == {"clean@2026-01-04", "dedup"}


def test_a_date_without_input_is_named_and_waited_for(file: Path) -> None:
    with pytest.raises(MissingInput, match=r"d.yaml:4 inputs.chats.path: there is no file .*dt=2026-01-06/chats"):
        daily.waiting(lambda: load(file, date=day(6)), 0, print)
    said: list[str] = []
    timer = threading.Timer(0.3, put, (file.parent, 6))
    timer.start()
    pipeline = daily.waiting(lambda: load(file, date=day(6)), 10, said.append)
    assert pipeline.dates["chats"][-1] == "2026-01-06" and len(said) == 1 and "waiting" in said[0]


def test_a_wrong_definition_is_not_waited_for(file: Path) -> None:
    file.write_text(DEFINITION.replace("text.dedup", "text.dedupe"))
    with pytest.raises(DefinitionError, match="unknown operation") as raised:
        daily.waiting(lambda: load(file, date=day(6)), 60, print)
    assert not isinstance(raised.value, MissingInput)


def test_a_window_needs_the_date_in_the_path(file: Path) -> None:
    file.write_text(DEFINITION.replace("dt=${run.date}", "dt=2026-01-05"))
    with pytest.raises(DefinitionError, match=r"inputs.chats.path: a window needs \$\{run.date\} in the path"):
        load(file, date=day(5))


MEASURED = """
name: m
inputs:
  chats: {path: "dt=${run.date}/chats.jsonl", format: jsonl, window: 3d}
  gold:  {path: gold.jsonl, format: jsonl}
steps:
  clean:      {do: text.clean, from: chats}
  clean_gold: {do: text.clean, from: gold}
  split:      {do: data.split, from: clean}
  tokens:     {do: text.tokenize, from: {train: split.train, valid: split.valid, test: [split.test, clean_gold]}}
  tensors:    {do: tensor.encode, from: tokens}
train:
  m: {model: cnn, from: tensors, evaluate: {gold: clean_gold, newest: clean}}
promote: {if: gold.macro_f1 > last and newest.accuracy > 50%}
"""


def test_the_gold_set_and_the_newest_day_are_measured_by_themselves(file: Path) -> None:
    file.write_text(MEASURED)
    takes = load(file, date=day(5)).nodes["evaluate.m"].takes
    assert [(taken.role, taken.node) for taken in takes if taken.role.startswith("set.")] == [
        ("set.gold", "clean_gold"), ("set.newest", "clean@2026-01-05"),
    ]  # fmt: skip


def by_date(text: str) -> str:
    return text.replace("from: clean}", "from: dedup, exact: false}").replace(
        "  split:", "  dedup:      {do: text.dedup, from: clean, keep: earliest}\n  split:"
    )


def test_steps_that_need_not_see_all_dates_together_are_done_date_by_date(file: Path) -> None:
    file.write_text(by_date(MEASURED))
    nodes = load(file, date=day(5)).nodes
    assert [name for name in nodes if "@" not in name] == ["clean_gold", "tensors", "train.m", "evaluate.m"]
    assert [name for name in nodes if name.startswith("tokens")] == [
        "tokens@undated", "tokens@2026-01-04", "tokens@2026-01-05",
    ]  # fmt: skip
    takes = [(taken.role, taken.node) for taken in nodes["tokens@2026-01-05"].takes]
    assert takes[:3] == [(part, "split@2026-01-05") for part in ("train", "valid", "test")]
    assert ("earlier.test", "tokens@undated") in takes and ("earlier.train", "tokens@2026-01-04") in takes
    assert [taken.node for taken in nodes["dedup@2026-01-05"].takes] == ["clean@2026-01-05", "dedup@2026-01-04"]
    assert [taken.node for taken in nodes["split@2026-01-05"].takes] == ["dedup@2026-01-05"]
    measured = [taken.node for taken in nodes["evaluate.m"].takes if taken.role == "test"]
    assert measured == ["tokens@undated", "tokens@2026-01-04", "tokens@2026-01-05"]


def test_with_all_history_a_new_day_changes_no_step_of_the_days_before(file: Path) -> None:
    file.write_text(by_date(MEASURED).replace("3d", "all"))
    before, after = (of_steps(load(file, date=day(number)), file.parent) for number in (4, 5))
    assert {step for step in before if after[step] != before[step]} == {"tensors", "train.m", "evaluate.m"}
    put(file.parent, 4, "late")
    late = of_steps(load(file, date=day(5)), file.parent)
    assert {step for step in late if late[step] != after[step] and "@" in step} == {
        f"{step}@2026-01-0{number}" for step in ("clean", "dedup", "split", "tokens") for number in (4, 5)
    } - {"clean@2026-01-05"}, "what is equal to a late text may not stay"


def test_what_sees_all_dates_keeps_what_comes_after_it_whole(file: Path) -> None:
    file.write_text(by_date(MEASURED).replace(", keep: earliest", ""))
    assert [name for name in load(file, date=day(5)).nodes if "@" in name] == ["clean@2026-01-04", "clean@2026-01-05"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("gold: clean_gold,", "gold: clean_golf,", "no test row comes from 'clean_golf', did you mean 'clean_gold'"),
        ("test: [split.test, clean_gold]", "test: split.test", "let tokens take it as test"),
        ("gold.macro_f1", "gould.macro_f1", "promote.if: train.m does not evaluate 'gould', did you mean 'gold'"),
    ],
)
def test_sets_that_are_not_there_are_told(file: Path, old: str, new: str, message: str) -> None:
    file.write_text(MEASURED.replace(old, new))
    with pytest.raises(DefinitionError, match=message):
        load(file, date=day(5))


@pytest.mark.parametrize(
    ("schedule", "given", "expected"),
    [
        (Schedule(catchup=2), (day(5), None, None), [5]),
        (Schedule(), (None, day(3), day(5)), [3, 4, 5]),
        (Schedule(catchup=2), (None, None, day(5)), [3, 4, 5]),
    ],
)
def test_dates_that_are_due(schedule: Schedule, given: tuple[dt.date | None, ...], expected: list[int]) -> None:
    assert daily.due(schedule, *given) == [day(number) for number in expected]


def test_a_backfill_that_ends_before_it_starts_is_refused() -> None:
    with pytest.raises(InputError, match="--since 2026-01-05 is after --until 2026-01-03"):
        daily.due(Schedule(), None, day(5), day(3))


def test_drift_is_measured_against_the_date_before() -> None:
    def stats(date: str, a: int, b: int, length: int, unknown: int) -> dict[str, object]:
        rows = {"rows": a + b, "labels": {"a": a, "b": b}, "lengths": {"sum": length * (a + b)}}
        test = {"rows": 10, "labels": {}, "lengths": {"sum": 100}, "unknown": unknown}
        return {f"clean@{date}": {"parts": {"rows": rows}}, "tensors": {"parts": {"test": test}}}

    def record(date: str, accuracy: float) -> dict[str, object]:
        return {"date": date, "metrics": {"m": {"accuracy": accuracy, "gold.accuracy": accuracy / 2, "rows": 3}}}

    first, second = stats("2026-01-01", 50, 50, 10, 1), stats("2026-01-02", 80, 20, 12, 4)
    found = drift.between("2026-01-02", second, record("2026-01-02", 0.8), first, record("2026-01-01", 0.9))
    assert (
        found["class_balance_change"] == 0.3 and found["mean_length_change"] == 2 and found["against"] == "2026-01-01"
    )
    assert found["unknown_rate_change"] == 0.03 and found["m.accuracy_change"] == -0.1
    alone = drift.between("2026-01-01", first, record("2026-01-01", 0.9), None, None)
    assert found["m.gold.accuracy_change"] == -0.05
    assert alone == {"mean_length": 10, "unknown_rate": 0.01, "m.accuracy": 0.9, "m.gold.accuracy": 0.45}


@pytest.mark.parametrize("content", ["", "\n", "text,label\n"])
def test_a_quiet_day_of_a_window_is_no_error_and_an_empty_run_date_as_the_definition_says(
    file: Path, content: str
) -> None:
    csv = "inputs.chats.format=csv" if content.startswith("text") else "inputs.chats.format=jsonl"
    header = "text,label\n" if content.startswith("text") else ""
    for number in (4, 5):
        row = "x,a\n" if header else '{"text": "x", "label": "a"}\n'
        (file.parent / f"dt=2026-01-0{number}" / "chats.jsonl").write_text(header + row)
    (file.parent / "dt=2026-01-04" / "chats.jsonl").write_text(content)
    found = load(file, date=day(5), sets=[csv]).inputs
    assert found["chats@2026-01-04"].may_be_empty and not found["chats@2026-01-05"].may_be_empty
    message = r"inputs.chats.path: there is no record in .*dt=2026-01-04/chats.jsonl; .*write empty: allow"
    with pytest.raises(DefinitionError, match=message):
        load(file, date=day(4), sets=[csv, "inputs.chats.window=1d"])
    allowed = [csv, "inputs.chats.window=1d", "inputs.chats.empty=allow"]
    today = load(file, date=day(4), sets=allowed)
    assert today.inputs["chats@2026-01-04"].may_be_empty
    assert of_steps(today, file.parent)["clean@2026-01-04"] == of_steps(
        load(file, date=day(5), sets=[csv]), file.parent
    )["clean@2026-01-04"]
