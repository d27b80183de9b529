"""Charts as inline SVG: still pictures with a tooltip on every mark, coloured by the page's style sheet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from markupsafe import Markup, escape

from pipelines.report import words
from pipelines.report.scale import bins, place, ticks, whole_ticks

Series = Mapping[str, Sequence[float | None]]

_WIDTH, _HEIGHT = 360, 196
_LEFT, _RIGHT, _TOP, _BOTTOM = 38, 8, 13, 33
_FOOT = _HEIGHT - _BOTTOM
_DOTS = 40
"""Epochs up to which every point has a dot of full size."""


def bar(value: float, whole: float, series: int = 0) -> Markup:
    """A bar inside a table's cell; what it says stands beside it as a number."""
    width = 100 * min(1.0, value / whole) if whole else 0
    body = f'<rect class="fill s{series}" width="{width:.2f}%" height="100%"/>' if width else ""
    return Markup(f'<svg class="bar" aria-hidden="true">{body}</svg>')


def stack(parts: Sequence[tuple[str, int, str]], label: str) -> Markup:
    """Parts of a whole side by side, each (name, rows, class)."""
    whole, at, body = sum(rows for _, rows, _ in parts) or 1, 0.0, ""
    for name, rows, kind in parts:
        width = 100 * rows / whole
        tip = _title(f"{name}: {rows:,} rows ({words.share(rows / whole)})")
        body += f'<rect class="fill {kind}" x="{at:.3f}%" width="{width:.3f}%" height="100%">{tip}</rect>'
        at += width
    return Markup(f'<svg class="bar wide" role="img" aria-label="{escape(label)}">{body}</svg>')


def lines(series: Series, label: str, best: int | None = None, from_zero: bool = False) -> Markup:
    """One line per series over epochs 1, 2 …; a dashed rule at the best epoch. A value of None leaves a gap."""
    epochs = max((len(values) for values in series.values()), default=0)
    known = [value for values in series.values() for value in values if value is not None]
    if not known:
        return Markup("")
    axis = ticks(min([0.0] if from_zero else known), max(known))
    across = [_across(epoch, epochs) for epoch in range(1, epochs + 1)]
    body = _grid([(place(value, axis, _FOOT, _TOP), words.compact(value)) for value in axis])
    body += _below([(across[epoch - 1], str(epoch)) for epoch in whole_ticks(1, epochs)], "epoch")
    body += _best(across, best)
    for kind, (name, values) in enumerate(series.items()):
        points = [None if value is None else place(value, axis, _FOOT, _TOP) for value in values]
        body += _line(across, points, kind) + _dots(across, points, values, name, kind)
    return _svg(body, label)


def _across(epoch: int, epochs: int) -> float:
    inner = _WIDTH - _LEFT - _RIGHT - 20
    return _LEFT + 10 + inner * ((epoch - 1) / (epochs - 1) if epochs > 1 else 0.5)


def _best(across: Sequence[float], best: int | None) -> str:
    if best is None or not 0 < best <= len(across):
        return ""
    x = across[best - 1]
    return (
        f'<line class="rule" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP}" y2="{_FOOT}"/>'
        f'<text class="tick" x="{x:.1f}" y="{_TOP - 4}" text-anchor="{_anchor(x)}">best</text>'
    )


def _anchor(x: float) -> str:
    return "start" if x < _LEFT + 20 else "end" if x > _WIDTH - 30 else "middle"


def _line(across: Sequence[float], points: Sequence[float | None], kind: int) -> str:
    path, pen = "", "M"
    for x, y in zip(across, points, strict=False):
        path += "" if y is None else f"{pen}{x:.1f} {y:.1f}"
        pen = "M" if y is None else "L"
    return f'<path class="line s{kind}" d="{path}"/>' if path else ""


def _dots(
    across: Sequence[float], points: Sequence[float | None], values: Sequence[float | None], name: str, kind: int
) -> str:
    radius = 3 if len(values) <= _DOTS else 1.6
    marks = [
        f'<circle class="fill s{kind}" cx="{x:.1f}" cy="{y:.1f}" r="{radius}">'
        f"{_title(f'{name}, epoch {epoch}: {value:.4f}')}</circle>"
        for epoch, (x, y, value) in enumerate(zip(across, points, values, strict=False), 1)
        if y is not None and value is not None
    ]
    return "".join(marks)


def histogram(
    counts: Mapping[int, int], label: str, last: int, unit: str = "tokens", series: int = 0, cut: int | None = None
) -> Markup:
    """Rows by length from 0 to `last`, and what is longer in one more bar; a dashed rule after the length `cut`."""
    bars, whole = bins(counts, last), sum(counts.values()) or 1
    axis = ticks(0, max((one.rows for one in bars), default=1), 4)
    # A bar's width for the tail stands free in all charts, so that charts with and without one are to the same scale.
    size = bars[0].last + 1 if bars[0].last is not None else 1
    scale = (_WIDTH - _LEFT - _RIGHT) / ((last // size + 2) * size)
    body = _grid([(place(value, axis, _FOOT, _TOP), words.compact(value)) for value in axis])
    for one in bars:
        top = place(one.rows, axis, _FOOT, _TOP)
        tip = _title(f"{one.name} {unit}: {one.rows:,} rows ({words.share(one.rows / whole)})")
        body += (
            f'<rect class="fill s{series}" x="{_LEFT + one.first * scale:.1f}" y="{top:.1f}" '
            f'width="{max(0.8, size * scale - 1):.1f}" height="{_FOOT - top:.1f}">{tip}</rect>'
        )
    middle = 0.5 if size == 1 else 0
    body += _below([(_LEFT + (value + middle) * scale, str(value)) for value in whole_ticks(0, last, 7)], unit)
    return _svg(body + _cut(cut, last, scale), label)


def _cut(cut: int | None, last: int, scale: float) -> str:
    if cut is None or cut > last:
        return ""
    x = _LEFT + (cut + 1) * scale
    return (
        f'<line class="rule" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP}" y2="{_FOOT}">'
        f"{_title(f'cut after {cut} tokens')}</line>"
        f'<text class="tick" x="{x:.1f}" y="{_TOP - 4}" text-anchor="{_anchor(x)}">cut</text>'
    )


def _grid(places: Sequence[tuple[float, str]]) -> str:
    return "".join(
        f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        f'<text class="tick" x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{text}</text>'
        for y, text in places
    )


def _below(places: Sequence[tuple[float, str]], unit: str) -> str:
    numbers = "".join(
        f'<text class="tick" x="{x:.1f}" y="{_FOOT + 13}" text-anchor="middle">{text}</text>' for x, text in places
    )
    middle = (_LEFT + _WIDTH - _RIGHT) / 2
    return f'{numbers}<text class="tick" x="{middle}" y="{_HEIGHT - 4}" text-anchor="middle">{escape(unit)}</text>'


def _title(text: str) -> str:
    return f"<title>{escape(text)}</title>"


def _svg(body: str, label: str) -> Markup:
    return Markup(
        f'<svg class="chart" role="img" aria-label="{escape(label)}" viewBox="0 0 {_WIDTH} {_HEIGHT}">{body}</svg>'
    )
