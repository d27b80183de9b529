from __future__ import annotations

import pytest

from pipelines.board import compare, read
from pipelines.board.compare import Comparison
from pipelines.board.tested import Tests
from pipelines.store import Store
from tests import boards
from tests.boards import Runs, trial
from textmill.errors import InputError

EARLIER, LATER = "20260101-000000-aaaa", "20260102-000000-aaaa"


def ids(*numbers: int) -> set[str]:
    return {f"t{number:05d}" for number in numbers}


def compared(runs: Runs, first: str, second: str) -> Comparison:
    trials, _ = read.trials(runs.root, "demo")
    return compare.make(compare.find(trials, first), compare.find(trials, second), Tests(Store(runs.root)))


def test_the_utterances_that_changed_are_named(runs: Runs) -> None:
    runs.training("cnn", ids(1, 2, 3))
    runs.sweep("grid", [trial(7, misses=ids(3, 4))])
    found = compared(runs, "cnn", "grid/0007")
    assert [change.id for change in found.lost] == ["t00004"]
    assert [change.id for change in found.won] == ["t00001", "t00002"]
    row = boards.test_rows()[4]
    assert vars(found.lost[0]) == {**row, "first": row["label"], "second": boards.wrong(row["label"])}
    told = found.as_dict()
    assert (told["both_right"], told["only_first_right"], told["only_second_right"], told["neither_right"]) == (
        56,
        1,
        2,
        1,
    )
    assert told["difference"] == pytest.approx(1 / 60) and told["p"] == 1.0 and not told["differs"]
    assert told["interval"][0] < told["difference"] < told["interval"][1]


def test_trials_of_one_sweep_compare_too_and_a_large_difference_is_one(runs: Runs) -> None:
    runs.sweep("grid", [trial(1, misses=ids(1)), trial(2, misses=ids(*range(20)))])
    found = compared(runs, "grid/0001", "grid/0002")
    assert found.differs and found.paired.p == pytest.approx(2 * 0.5**19)
    assert found.interval[1] < 0


def test_only_rows_that_both_were_tested_on_count(runs: Runs) -> None:
    runs.training("cnn", ids(1, 59), run=EARLIER)
    runs.training("cnn", ids(2), run=LATER, mark="other", rows=boards.test_rows(50)[1:])
    found = compared(runs, f"{EARLIER}:cnn", f"{LATER}:cnn")
    assert found.paired.rows == 49
    assert ([change.id for change in found.lost], [change.id for change in found.won]) == (["t00002"], ["t00001"])


def test_no_shared_row_is_an_error(runs: Runs) -> None:
    runs.training("cnn", set(), run=EARLIER)
    runs.training("late", set(), run=LATER, rows=[{**row, "text": "other"} for row in runs.rows])
    with pytest.raises(InputError, match="tested on different rows"):
        compared(runs, "cnn", "late")


def test_a_run_stands_for_its_best_on_the_valid_part(runs: Runs) -> None:
    runs.training("cnn", ids(1, 2), run=EARLIER)
    runs.training("lstm", ids(1), run=EARLIER)
    runs.training("cnn", ids(3), run=LATER, mark="later")
    trials, _ = read.trials(runs.root, "demo")
    assert compare.find(trials, "20260101").name == "lstm"
    assert compare.find(trials, "last").ref == f"{LATER}:cnn"
    assert compare.find(trials, "cnn").run == LATER
    assert compare.find(trials, "20260101:cnn").run == EARLIER


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ("cmn", "no trial 'cmn', did you mean 'cnn'"),
        ("2026:cnn", "several runs start with"),
        ("broken", "it is failed: signal"),
    ],
)
def test_what_can_not_be_compared_is_an_error_that_helps(runs: Runs, wanted: str, message: str) -> None:
    runs.training("cnn", ids(1), run=EARLIER)
    runs.training("cnn", ids(2), run=LATER, mark="later")
    runs.training("broken", set(), run=LATER, error="signal SIGKILL")
    with pytest.raises(InputError, match=message):
        compared(runs, "cnn", wanted)
