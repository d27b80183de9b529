"""What a sweep's driver tells of itself."""

from __future__ import annotations

import pytest

from models.sweep import driver
from models.sweep.driver import Meter, Progress, best
from models.sweep.trial import End


def test_progress_in_words() -> None:
    leader = End(7, "done", value=0.91234)
    told = str(Progress(300, 120, 3, 2, leader, 372.0))
    assert told == "best 0.9123 (0007), 120/300 done, 2 running, 3 failed, 6 min left"
    assert str(Progress(4, 0, 0, 2, None, None)) == "0/4 done, 2 running, 0 failed"
    assert str(Progress(4, 1, 0, 2, End(0, "done", value=0.0), 9000)).endswith("failed, 2.5 h left")


def test_the_best_is_done_and_of_equals_the_first() -> None:
    ends = {
        3: End(3, "done", value=0.5),
        1: End(1, "done", value=0.5),
        2: End(2, "failed"),
        0: End(0, "stopped", value=0.9),
    }
    found = best(ends)
    assert found is not None and found.trial == 1
    assert best({2: ends[2]}) is None


def test_overhead_is_what_slots_had_beyond_the_trials(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(driver.time, "monotonic", lambda: now[0])
    meter = Meter(full_until=100.0)
    assert meter.overhead is None
    meter.begun = 4
    now[0] = 110.0
    meter.passed(2)
    for _ in range(4):
        meter.ended(End(0, "done", seconds=4.5))
    assert meter.overhead == pytest.approx((20 - 18) / 4)
    now[0] = 116.0  # no trial waits any more: a last one that ran six seconds past then counts for what it ran before
    meter.ended(End(0, "done", seconds=7.0))
    assert meter.trial_seconds == pytest.approx(18 + 7 - (6 - 0.5))


def test_the_error_of_a_task_is_its_last_line_of_python() -> None:
    said = (
        "An error occurred while calling z:PythonRDD.collectAndServe.\n: org.apache.spark.SparkException: Job aborted\n"
        'Traceback (most recent call last):\n  File "x.py", line 1\ntextmill.errors.TextmillError: the process that '
        "forks trials did not start on h: is TensorFlow installed there?\n\tat org.apache.spark.Foo"
    )
    assert driver._headline(said).startswith("textmill.errors.TextmillError: the process that forks trials did not")
