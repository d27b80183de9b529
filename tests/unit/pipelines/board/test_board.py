from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner

from pipelines.board import read
from pipelines.board.board import Board
from pipelines.cli import cli
from pipelines.cli import run as cli_run
from pipelines.report import write_report
from pipelines.runs import Run
from pipelines.store import Store
from tests import boards
from tests.boards import Runs, trial
from textmill.errors import InputError

EARLIER, LATER = "20260101-000000-aaaa", "20260102-000000-aaaa"


def ids(*numbers: int) -> set[str]:
    return {f"t{number:05d}" for number in numbers}


def names(board: Board) -> list[str]:
    return [standing.trial.name for standing in board.standings]


def test_trainings_and_trials_stand_in_the_order_of_their_accuracy(runs: Runs) -> None:
    runs.training("cnn", ids(*range(6)))
    runs.sweep("grid", [trial(1, misses=ids(1, 2)), trial(2, misses=ids(*range(20)))])
    board = read.board(runs.root, "demo")
    assert names(board) == ["grid/0001", "cnn", "grid/0002"]
    assert [standing.rank for standing in board.standings] == [1, 2, 3]
    best, cnn = board.standings[:2]
    assert (best.accuracy, best.trial.engine, best.trial.bytes) == (pytest.approx(58 / 60), "sweep", 4000)
    assert (cnn.trial.parameters, cnn.trial.records_per_s, cnn.trial.seconds, cnn.trial.bytes) == (
        999,
        1234.5,
        12.5,
        4321,
    )
    assert cnn.trial.valid and cnn.trial.valid.accuracy == pytest.approx(0.9)
    low, high = best.interval or (1, 0)
    assert low <= best.accuracy <= high  # type: ignore[operator]


def test_what_the_test_rows_leave_open_is_a_tie_and_what_they_do_not_is_none(runs: Runs) -> None:
    runs.training("best", ids(0))
    runs.training("near", ids(1, 2))
    runs.sweep("grid", [trial(1, misses=ids(*range(30))), trial(2, misses=ids(0, 3))])
    board = read.board(runs.root, "demo")
    assert {standing.trial.name: standing.tie for standing in board.standings} == {
        "best": True, "near": True, "grid/0002": True, "grid/0001": False,
    }  # fmt: skip
    assert [standing.trial.name for standing in board.ties] == ["grid/0002", "near"]


def test_a_trial_is_paired_row_by_row_and_not_by_its_accuracy(runs: Runs) -> None:
    runs.training("best", ids(*range(4)))
    runs.sweep("grid", [trial(1, misses=ids(*range(11))), trial(2, misses=ids(*range(30, 41)))])
    board = read.board(runs.root, "demo")
    nested, apart = (next(one for one in board.standings if one.trial.name == f"grid/000{n}") for n in (1, 2))
    assert nested.accuracy == apart.accuracy
    assert (nested.tie, nested.p) == (False, pytest.approx(2 * 2 * 0.5**7))
    assert (apart.tie, apart.p) == (True, pytest.approx(0.1185, abs=1e-4))
    assert not board.notes


def test_a_search_on_tokens_is_paired_as_a_sweep_on_tensors_is(runs: Runs) -> None:
    runs.training("best", ids(1))
    runs.sweep("lines", [trial(1, misses=ids(1, 2), engine="search")], kind="search")
    board = read.board(runs.root, "demo")
    assert [(one.trial.name, one.trial.engine, one.tie) for one in board.standings] == [
        ("best", "local", True), ("lines/0001", "search", True),
    ]  # fmt: skip
    assert board.unpaired == 0 and not board.notes


def test_a_sweep_that_failed_as_a_whole_is_a_row(runs: Runs) -> None:
    runs.training("cnn", ids(1))
    folder = runs.root / "store/model.sweep" / runs.key("sweep.grid")[:32]
    runs.step(
        "20260102-000000-aaaa", "sweep.grid", "model.sweep", "sweep.grid", folder, {}, status="failed", error="no slot"
    )
    failed = read.board(runs.root, "demo").standings[1]
    assert (failed.trial.name, failed.trial.status, failed.trial.error) == ("grid", "failed", "no slot")


def test_outputs_are_found_from_any_folder(runs: Runs) -> None:
    runs.training("cnn", ids(1))
    record = runs.root / "demo/20260102-000000-aaaa/run.json"
    record.write_text(record.read_text(encoding="utf-8").replace(str(runs.root), "runs"), encoding="utf-8")
    assert names(read.board(runs.root, "demo")) == ["cnn"]


def test_failed_trials_and_trainings_are_rows_with_their_error(runs: Runs) -> None:
    runs.sweep(
        "grid",
        [trial(1, misses=ids(1)), trial(2, status="failed", error="Traceback …\nValueError: filters", epochs=[])],
    )
    runs.training("broken", set(), error="step train.broken: rank 0 ended with signal SIGKILL")
    board = read.board(runs.root, "demo")
    failed = {standing.trial.name: standing for standing in board.standings if standing.trial.status == "failed"}
    assert failed["grid/0002"].trial.error.endswith("ValueError: filters")
    assert "SIGKILL" in failed["broken"].trial.error
    assert all(standing.rank is None and standing.tie is None for standing in failed.values())
    assert board.counts() == {"done": 1, "failed": 2}


def test_a_training_that_runs_share_is_one_row_of_the_newest(runs: Runs) -> None:
    runs.training("cnn", ids(1), run=EARLIER)
    runs.training("cnn", ids(1), run=LATER)
    runs.training("other", ids(2), run=EARLIER)
    board = read.board(runs.root, "demo")
    assert sorted((standing.trial.name, standing.trial.run) for standing in board.standings) == [
        ("cnn", LATER),
        ("other", EARLIER),
    ]
    assert names(read.board(runs.root, "demo", ["20260101"])) == ["cnn", "other"]
    assert names(read.board(runs.root, "demo", ["last"])) == ["cnn"]


def changed(runs: Runs, run: str, change: Callable[[dict[str, Any]], None]) -> None:
    """A run's record as another end of the run would have left it."""
    file = runs.root / "demo" / run / "run.json"
    record = json.loads(file.read_text(encoding="utf-8"))
    change(record)
    file.write_text(json.dumps(record), encoding="utf-8")


def test_a_model_that_a_later_run_reused_is_that_of_the_run_that_trained_it(runs: Runs) -> None:
    runs.training("cnn", ids(1), run=EARLIER)
    runs.training("cnn", ids(1), run=LATER)

    def reused(record: dict[str, Any]) -> None:
        record["status"] = "failed"  # at a step after it
        for step in record["steps"]:
            step["action"] = "reuse"

    changed(runs, LATER, reused)
    board = read.board(runs.root, "demo")
    assert [(standing.trial.name, standing.trial.run) for standing in board.standings] == [("cnn", EARLIER)]


def test_an_interrupted_training_is_no_failed_one(runs: Runs) -> None:
    runs.training("cnn", ids(1), run=LATER, error="KeyboardInterrupt")
    changed(runs, LATER, lambda record: record.update(status="interrupted"))
    (standing,) = read.board(runs.root, "demo").standings
    assert (standing.trial.status, standing.trial.error) == ("interrupted", "")


def test_ids_of_runs_are_never_cut(runs: Runs) -> None:
    runs.training("cnn", ids(1), run=LATER)
    changed(runs, LATER, lambda record: record["metrics"].update(cnn={"accuracy": 0.9}))
    shown = CliRunner().invoke(cli, ["runs", "--root", str(runs.root)], env={"COLUMNS": "50"}).stdout
    assert LATER in shown


def test_models_of_other_test_rows_are_no_ties(runs: Runs) -> None:
    runs.training("cnn", ids(1), run=EARLIER)
    runs.training("later", ids(1, 2), run=LATER, rows=boards.test_rows(55))
    assert {standing.trial.name: standing.tie for standing in read.board(runs.root, "demo").standings} == {
        "cnn": True,
        "later": None,
    }


def test_the_valid_part_chooses(runs: Runs) -> None:
    valid = {"accuracy": 0.99, "macro_f1": 0.5}
    runs.sweep("grid", [trial(1, misses=ids(1)), trial(2, misses=ids(1, 2, 3), valid=valid)])
    board = read.board(runs.root, "demo")
    assert board.best and board.best.trial.name == "grid/0001"
    assert board.chosen and board.chosen.trial.name == "grid/0002"


def test_predictions_that_do_not_fit_are_noted_and_make_no_ties(runs: Runs) -> None:
    runs.training("cnn", ids(*range(6)))
    runs.sweep("grid", [trial(1, misses=ids(1, 2))])
    tensors = next((runs.root / "store/tensor.encode").glob("*/tensors.json"))
    tensors.write_text(json.dumps({"seed": boards.SEED + 1}), encoding="utf-8")
    board = read.board(runs.root, "demo")
    assert [standing.tie for standing in board.standings] == [None, None]
    assert any("not those of the test part" in note for note in board.notes)


@pytest.mark.parametrize("file", ["history.json", "manifest.json"])
def test_a_damaged_output_is_noted_and_the_rest_is_shown(runs: Runs, file: str) -> None:
    runs.training("cnn", ids(1))
    runs.training("other", ids(2))
    broken = next(
        path
        for path in (runs.root / "store/model.train").glob(f"*/{file}")
        if path.parent.name == runs.key("train.cnn")[:32]
    )
    broken.write_text("{", encoding="utf-8")
    board = read.board(runs.root, "demo")
    assert names(board) == ["other"] and any("train.cnn" in note for note in board.notes)


def test_what_is_not_there_is_an_error_that_names_what_is(runs: Runs, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no run under"):
        read.chosen(None, str(tmp_path / "empty"))
    runs.training("cnn", ids(1))
    with pytest.raises(InputError, match="did you mean 'demo'"):
        read.chosen("demmo", str(runs.root))
    assert read.chosen(None, str(runs.root)) == (runs.root, "demo")


def test_a_run_with_several_trials_gets_a_board_beside_its_report_and_one_with_one_does_not(runs: Runs) -> None:
    runs.training("cnn", ids(1))
    folder = runs.root / "demo" / LATER
    for names_there in (["cnn"], ["cnn", "lstm"]):
        if "lstm" in names_there:
            runs.training("lstm", ids(2))
        record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        run, runner = Run(folder, record, folder), SimpleNamespace(store=Store(runs.root))
        cli_run._board(run, runner)  # type: ignore[arg-type]
        assert (folder / "board.html").exists() == ("board" in record) == (len(names_there) > 1)
    page = (folder / "board.html").read_text(encoding="utf-8")
    assert 'href="report.html"' in page and page.count("<tr data-n=") == 2
    assert json.loads((folder / "run.json").read_text(encoding="utf-8"))["board"].endswith("board.html")
    write_report(record, {}, folder / "report.html")
    assert (folder / "report.html").read_text(encoding="utf-8").count('href="board.html"') == 2
