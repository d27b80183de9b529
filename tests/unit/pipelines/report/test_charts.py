"""Charts: round ticks, marks in the right places, every mark with its tooltip."""

from __future__ import annotations

import re
from itertools import pairwise
from xml.etree import ElementTree

import pytest

from pipelines.report import charts, words
from pipelines.report.heat import heat
from pipelines.report.scale import bins, common_last, quantile, ticks, whole_ticks


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0, 0, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (0, 201_547, [0, 50_000, 100_000, 150_000, 200_000, 250_000]),
        (0.71, 0.97, [0.7, 0.8, 0.9, 1.0]),
        (0.8, 0.8, [0, 0.2, 0.4, 0.6, 0.8]),
        (-3, 4, [-4, -2, 0, 2, 4]),
        (0, 1e300, [0, 2e299, 4e299, 6e299, 8e299, 1e300]),
    ],
)
def test_ticks_are_round_and_enclose_the_values(low: float, high: float, expected: list[float]) -> None:
    assert ticks(low, high) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [(1, 1, [1]), (1, 5, [1, 2, 3, 4, 5]), (1, 60, [1, 10, 20, 30, 40, 50, 60]), (0, 12, [0, 2, 4, 6, 8, 10, 12])],
)
def test_whole_ticks(first: int, last: int, expected: list[int]) -> None:
    assert whole_ticks(first, last) == expected


@pytest.mark.parametrize(
    "counts", [{}, {0: 5}, {3: 1, 47: 2}, {1: 900, 500: 1}, {value: value for value in range(300)}]
)
def test_bins_hold_every_row_once(counts: dict[int, int]) -> None:
    made = bins(counts, common_last([counts]))
    assert sum(one.rows for one in made) == sum(counts.values()) and len(made) <= 60
    assert all(before.last + 1 == after.first for before, after in pairwise(made))  # type: ignore[operator]


def test_a_thin_tail_goes_into_one_bin() -> None:
    counts = {**dict.fromkeys(range(30), 1000), 400: 1}
    made = bins(counts, common_last([counts]))
    assert (made[-1].name, made[-1].rows, len(made)) == ("30 and more", 1, 31)


@pytest.mark.parametrize(("share", "expected"), [(0, 1), (0.5, 2), (0.51, 9), (1, 9)])
def test_quantile(share: float, expected: int) -> None:
    assert quantile({2: 3, 1: 2, 9: 5}, share) == expected


def test_lines_show_every_epoch_and_leave_gaps() -> None:
    drawn = _parsed(charts.lines({"train": [1.0, None, 0.25], "valid": [0.5]}, "Loss <by> epoch", best=3))
    assert _titles(drawn) == ["train, epoch 1: 1.0000", "train, epoch 3: 0.2500", "valid, epoch 1: 0.5000"]
    assert drawn.get("aria-label") == "Loss <by> epoch" and drawn.get("role") == "img"
    assert "best" in [text.text for text in drawn.iter("text")]
    assert [path.get("d", "").count("M") for path in drawn.iter("path")] == [2, 1]


def test_lines_without_a_value_are_nothing() -> None:
    assert charts.lines({"train": [None], "valid": []}, "Loss") == ""


def test_histogram_bars_are_as_high_as_their_rows() -> None:
    drawn = _parsed(charts.histogram({2: 10, 4: 5}, "lengths", 4, cut=3))
    heights = {rect.find("title").text: float(rect.get("height")) for rect in drawn.iter("rect")}  # type: ignore[union-attr,arg-type]
    assert heights["2 tokens: 10 rows (66.7\u202f%)"] == pytest.approx(
        2 * heights["4 tokens: 5 rows (33.3\u202f%)"], abs=0.2
    )
    assert heights["3 tokens: 0 rows (0.0\u202f%)"] == 0 and "cut after 3 tokens" in _titles(drawn)


def test_stack_fills_the_width_in_proportion() -> None:
    drawn = _parsed(charts.stack([("train", 3, "s0"), ("set aside", 1, "gone")], "rows"))
    assert [rect.get("width") for rect in drawn.iter("rect")] == ["75.000%", "25.000%"]


@pytest.mark.parametrize(("value", "whole", "width"), [(1, 4, "25.00%"), (9, 4, "100.00%"), (0, 4, None), (1, 0, None)])
def test_bar(value: float, whole: float, width: str | None) -> None:
    found = [rect.get("width") for rect in _parsed(charts.bar(value, whole)).iter("rect")]
    assert found == ([width] if width else [])


@pytest.mark.parametrize("classes", [1, 2, 5, 28, 60, 150])
def test_heat_map_of_any_size(classes: int) -> None:
    labels = [f"<label_{number}>" for number in range(classes)]
    matrix = [[3 if row == column else int(column == row + 1) for column in range(classes)] for row in range(classes)]
    drawn = _parsed(heat(labels, matrix, "Confusion"))
    cells = [rect for rect in drawn.iter("rect") if "cell" in (rect.get("class") or "")]
    assert len(cells) == 2 * classes - 1  # nothing is drawn where no row is
    title = f"{labels[0]} predicted right: 3 of {4 if classes > 1 else 3} rows"
    assert any(text.startswith(title) for text in _titles(drawn))
    names = [text for text in drawn.iter("text") if text.get("class") == "name"]
    assert len(names) == 2 * classes and all(float(text.get("font-size", 0)) >= 9.5 for text in names)
    written = [text for text in drawn.iter("text") if "inside" in (text.get("class") or "")]
    assert len(written) == (len(cells) if classes <= 45 else 0)


def test_long_names_are_clipped_by_width_and_whole_in_the_tooltip() -> None:
    drawn = heat(["a" * 60, "배" * 60], [[1, 0], [0, 1]], "Confusion")
    assert "a" * 23 + "…<title>" + "a" * 60 in drawn and "배" * 13 + "…<title>" in drawn


@pytest.mark.parametrize(
    ("given", "expected"),
    [(0, "0.0 %"), (0.0001, "< 0.1 %"), (0.1234, "12.3 %"), (0.99996, "> 99.9 %"), (1, "100.0 %"), (None, "–")],
)
def test_share(given: float | None, expected: str) -> None:
    assert words.share(given).replace("\u202f", " ") == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (None, "–"),
        (0.04, "0.0 s"),
        (99.94, "99.9 s"),
        (99.96, "1 min 40 s"),
        (3599.7, "1 h 0 min"),
        (11_520, "3 h 12 min"),
    ],
)
def test_seconds(given: float | None, expected: str) -> None:
    assert words.seconds(given).replace("\u202f", " ") == expected


@pytest.mark.parametrize(("given", "expected"), [(0.25, "0.25"), (9000, "9000"), (20_000, "20k"), (1.5e6, "1.5M")])
def test_compact(given: float, expected: str) -> None:
    assert words.compact(given) == expected


def test_reasons_and_scripts_are_told() -> None:
    assert (words.reason("too_short"), words.reason("of_another_kind")) == ("text too short", "of another kind")
    assert (words.language("배송"), words.language("カート"), words.language("cart")) == ("ko", "ja", "")
    assert words.breakable("<a>_b") == "&lt;a&gt;_<wbr>b"


def _parsed(markup: str) -> ElementTree.Element:
    """Well-formed as XML too."""
    return ElementTree.fromstring(re.sub("<wbr>", "", str(markup)))


def _titles(drawn: ElementTree.Element) -> list[str]:
    return [title.text or "" for title in drawn.iter("title")]
