"""Where trials come from: a list, or Optuna's sampler that goes on where an earlier attempt was cut off."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.sweep.ledger import Ledger
from models.sweep.source import Listed, Source, Tpe
from models.sweep.space import Choices, Entry, Point, Range
from models.sweep.trial import End

ENTRIES = [
    Entry("cnn", {"widths": Choices(([1, 2], [3])), "dropout": Range(0.1, 0.6)}, {"batch": Choices((64,))}),
    Entry("lstm", {"units": Range(8, 64, log=True)}),
]


def given(source: Source, most: int = 99) -> list[int]:
    found = []
    while len(found) < most and (number := source.next()) is not None:
        found.append(number)
    return found


def test_a_list_gives_those_that_have_not_ended() -> None:
    source = Listed([Point("cnn"), Point("lstm"), Point("linear")], {1: object()})
    assert given(source) == [0, 2] and source.total == 3


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    pytest.importorskip("optuna")
    made = Ledger(tmp_path)
    made.open("a")
    return made


def test_tpe_gives_points_of_the_space_and_goes_on_where_it_was_cut_off(ledger: Ledger) -> None:
    first = Tpe(ENTRIES, 8, 7, ledger, {})
    assert given(first, 5) == [0, 1, 2, 3, 4]
    ends = {number: End(number, "done", value=number / 10) for number in (0, 1, 3)} | {2: End(2, "failed", "x")}
    for end in ends.values():
        first.told(end)
    again = Tpe(ENTRIES, 8, 7, ledger, ends)
    assert {number: again.points[number] for number in range(5)} == first.points
    assert given(again) == [4, 5, 6, 7]
    for point in again.points.values():
        if point.model == "cnn":
            assert point.params["widths"] in ([1, 2], [3]) and 0.1 <= point.params["dropout"] <= 0.6
            assert point.settings == {"batch": 64}
        else:
            assert 8 <= point.params["units"] <= 64 and isinstance(point.params["units"], int)


def test_tpe_learns_from_what_it_is_told(ledger: Ledger) -> None:
    source = Tpe([Entry("cnn", {"dropout": Range(0.0, 1.0)})], 60, 3, ledger, {})
    drawn = []
    while (number := source.next()) is not None:
        drawn.append(source.points[number].params["dropout"])
        source.told(End(number, "done", value=-abs(drawn[-1] - 0.2)))
    assert sum(abs(value - 0.2) < 0.1 for value in drawn[30:]) > 15  # at random: 6


def test_a_trial_of_which_it_is_not_known_what_it_was_runs_again(ledger: Ledger) -> None:
    first = Tpe(ENTRIES, 4, 7, ledger, {})
    assert given(first, 3) == [0, 1, 2]
    (ledger.folder / "asked" / "0001.json").write_text('{"entr')
    ends = {number: End(number, "done", value=number / 10) for number in (0, 1)}
    again = Tpe(ENTRIES, 4, 7, ledger, ends)
    assert given(again) == [1, 2, 3] and again.points[0] == first.points[0]
    third = Tpe(ENTRIES, 4, 7, ledger, ends)
    assert third.points[1] == again.points[1], "what it is now was noted"
