"""What a sweep has come to survives its driver: one file for each end."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from models.sweep.ledger import Ledger, stopped
from models.sweep.space import Point
from models.sweep.trial import End, Limits, Order, row

DONE = End(7, "done", epochs=({"epoch": 1, "loss": 0.5},), best_epoch=1, valid={"accuracy": 0.5, "macro_f1": 0.4},
           test={"rows": 2, "accuracy": 0.5, "macro_f1": 0.3}, value=0.4, parameters=9, seconds=1, bytes=10, owner="a")  # fmt: skip


def opened(folder: Path, owner: str = "a") -> Ledger:
    ledger = Ledger(folder)
    ledger.open(owner)
    return ledger


def test_ends_and_rungs_come_back_as_they_were(tmp_path: Path) -> None:
    ledger = opened(tmp_path)
    assert ledger.end(7) is None and ledger.ends() == {}
    ledger.write(DONE, 0)
    paused = End(3, "paused", value=0.2, epochs=DONE.epochs)
    ledger.write(paused, 1)
    again = opened(tmp_path, "b")
    assert again.ends() == {7: DONE} and again.end(7) == DONE
    assert again.rungs() == [(1, paused)] and again.rung(3, 1) == paused and again.rung(3, 0) is None


def test_an_attempt_that_was_superseded_sees_it(tmp_path: Path) -> None:
    first = opened(tmp_path, "a")
    assert first.owned_by("a")
    opened(tmp_path, "b")
    assert not first.owned_by("a")


def test_failed_trials_can_be_forgotten(tmp_path: Path) -> None:
    ledger = opened(tmp_path)
    ledger.write(DONE, 0)
    ledger.write(End(8, "failed", "no memory"), 0)
    ledger.forget_failed()
    assert set(ledger.ends()) == {7}


def test_predictions_come_back(tmp_path: Path) -> None:
    ledger = opened(tmp_path)
    ledger.write_predictions(7, np.array([1, 0, 2], np.int32))
    assert ledger.predictions(7).tolist() == [1, 0, 2]


def test_a_row_has_what_the_board_reads() -> None:
    found = row(Point("cnn", {"filters": 5}, {"batch": 8}), DONE, "sweep", "macro_f1")
    assert list(found) == [
        "trial", "model", "engine", "params", "settings", "status", "metric",
        "error", "epochs", "best_epoch", "valid", "test", "parameters", "records_per_s", "seconds", "bytes",
    ]  # fmt: skip
    assert (found["trial"], found["status"], found["params"], found["settings"]) == (
        "0007",
        "done",
        {"filters": 5},
        {"batch": 8},
    )


def test_a_trial_that_does_not_go_on_is_stopped_with_what_it_had() -> None:
    end = stopped(End(3, "paused", value=0.2, epochs=DONE.epochs, valid=DONE.valid))
    assert (end.status, end.valid, end.test, len(end.epochs)) == ("stopped", DONE.valid, None, 1)


def test_an_order_is_the_same_on_the_executor() -> None:
    order = Order(7, "{}", "hdfs://h:1/l", "a", Limits(2.5, 1 << 30), "loss", until=3, rung=1)
    assert Order.from_json(order.to_json()) == order


DAMAGE = ["", '{"trial": 0, "sta', "{}", "[]", "[" * 5000, '{"trial": 1, "status": "done"}', '{"trial": 0, "status": "gone"}']


@pytest.mark.parametrize("content", DAMAGE)
def test_a_damaged_end_counts_as_none_and_the_others_stay(tmp_path: Path, content: str) -> None:
    ledger = Ledger(tmp_path)
    ledger.open("me")
    for trial in range(2):
        ledger.write(End(trial, "done", value=0.5, error="half a character \ud800"), 0)
        ledger.write(End(trial, "paused", value=0.5), 1)
    (tmp_path / "ended" / "0000.json").write_text(content)
    (tmp_path / "rungs" / "0000-1.json").write_text(content)
    assert list(ledger.ends()) == [1] and ledger.end(0) is None and ledger.rung(0, 1) is None
    assert [end.trial for _, end in ledger.rungs()] == [1]
    told = json.loads((tmp_path / "ended" / "0001.json").read_text())
    (tmp_path / "ended" / "0001.json").write_text(json.dumps({**told, "value": 0.9}))
    assert ledger.ends() == {}, "a better value was written into it"


def test_an_error_of_any_characters_can_be_written(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    ledger.open("me")
    ledger.write(End(1, "failed", error="FileNotFoundError: \udcff\ud800 없음"), 0)
    found = ledger.ends()[1]
    assert found.error == "FileNotFoundError: \\udcff\\ud800 없음" and End.from_json(found.to_json()) == found
