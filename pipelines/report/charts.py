"""Charts as inline SVG: small, still, readable without scripts, with a tooltip on every mark."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from markupsafe import Markup, escape

_WIDTH, _HEIGHT = 640, 240
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 12, 12, 34


def ticks(highest: float, wanted: int = 5) -> list[float]:
    """Round numbers from 0 to at least `highest`."""
    if highest <= 0:
        return [0.0, 1.0]
    raw = highest / wanted
    power = 10 ** math.floor(math.log10(raw))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= raw * 0.999)
    return [round(step * number, 10) for number in range(math.ceil(highest / step - 1e-9) + 1)]


def lines(series: Mapping[str, Sequence[float]], label: str, best: int | None = None) -> Markup:
    """One line per series over epochs 1, 2 …; a dashed rule at the best epoch."""
    epochs = max((len(values) for values in series.values()), default=0)
    axis = ticks(max((value for values in series.values() for value in values), default=1))
    x = [_LEFT + (_WIDTH - _LEFT - _RIGHT) * (n / max(1, epochs - 1) if epochs > 1 else 0.5) for n in range(epochs)]
    body = _grid(axis)
    if best is not None and 0 < best <= epochs:
        body += (
            f'<line class="best" x1="{x[best - 1]:.1f}" x2="{x[best - 1]:.1f}" y1="{_TOP}" y2="{_HEIGHT - _BOTTOM}"/>'
        )
    for number, (name, values) in enumerate(series.items()):
        points = [(x[n], _y(value, axis)) for n, value in enumerate(values)]
        path = " ".join(f"{a:.1f},{b:.1f}" for a, b in points)
        body += f'<polyline class="line s{number}" points="{path}"/>'
        for (a, b), (n, value) in zip(points, enumerate(values, 1), strict=True):
            body += f'<circle class="dot s{number}" cx="{a:.1f}" cy="{b:.1f}" r="3.5">{_title(f"{name}, epoch {n}: {value:.4f}")}</circle>'
    body += _numbers([(x[n], str(n + 1)) for n in _some(epochs)])
    return _svg(body, label)


def histogram(counts: Mapping[int, int], label: str, series: int = 0) -> Markup:
    """Bars over whole numbers."""
    axis = ticks(max(counts.values(), default=1))
    last = max(counts, default=0)
    step = (_WIDTH - _LEFT - _RIGHT) / (last + 1)
    body = _grid(axis)
    for value, rows in counts.items():
        top = _y(rows, axis)
        body += (
            f'<rect class="bar s{series}" x="{_LEFT + value * step:.1f}" y="{top:.1f}" width="{max(1, step - 1):.1f}" '
            f'height="{_HEIGHT - _BOTTOM - top:.1f}">{_title(f"{value} tokens: {rows:,} rows")}</rect>'
        )
    body += _numbers([(_LEFT + (value + 0.5) * step, str(value)) for value in _some(last + 1)])
    return _svg(body, label)


def heat(labels: Sequence[str], matrix: Sequence[Sequence[int]], label: str) -> Markup:
    """A confusion matrix: rows are true labels, shaded by their share of the row."""
    cell = 18 if len(labels) <= 40 else 9
    margin = 8 + max((len(name) for name in labels), default=0) * (7 if cell == 18 else 4)
    size = margin + cell * len(labels) + 4
    body = ""
    for row, (true, counts) in enumerate(zip(labels, matrix, strict=True)):
        total = max(1, sum(counts))
        y = margin + row * cell
        body += f'<text class="name" style="font-size:{cell * 0.62:.0f}px" x="{margin - 4}" y="{y + cell * 0.72:.1f}" text-anchor="end">{escape(true)}</text>'
        x = margin + row * cell + cell * 0.72
        body += f'<text class="name" style="font-size:{cell * 0.62:.0f}px" transform="translate({x:.1f},{margin - 4}) rotate(-90)">{escape(true)}</text>'
        for column, rows in enumerate(counts):
            kind = "right" if row == column else "wrong"
            shown = (
                f'<rect class="cell {kind}" x="{margin + column * cell}" y="{y}" width="{cell - 1}" height="{cell - 1}"'
            )
            opacity = 0.06 if not rows else 0.25 + 0.75 * rows / total
            tip = _title(f"{true} taken for {labels[column]}: {rows} of {total}") if rows else ""
            body += f'{shown} fill-opacity="{opacity:.2f}">{tip}</rect>'
            if rows and cell == 18:
                body += f'<text class="inside" x="{margin + column * cell + 8.5}" y="{y + 12.5}" text-anchor="middle">{rows}</text>'
    return Markup(
        f'<svg role="img" aria-label="{escape(label)}" width="{size}" height="{size}" viewBox="0 0 {size} {size}">{body}</svg>'
    )


def _y(value: float, axis: Sequence[float]) -> float:
    return _HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * value / axis[-1]


def _grid(axis: Sequence[float]) -> str:
    body = ""
    for value in axis:
        y = _y(value, axis)
        body += f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        body += f'<text class="tick" x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{_short(value)}</text>'
    return body


def _short(value: float) -> str:
    if value >= 10_000:
        return f"{value / 1000:g}k"
    return f"{value:g}"


def _some(number: int) -> list[int]:
    """At most about fifteen of 0 … number - 1, evenly."""
    step = max(1, math.ceil(number / 15))
    return list(range(0, number, step))


def _numbers(places: Sequence[tuple[float, str]]) -> str:
    y = _HEIGHT - _BOTTOM + 18
    return "".join(f'<text class="tick" x="{x:.1f}" y="{y}" text-anchor="middle">{text}</text>' for x, text in places)


def _title(text: str) -> str:
    return f"<title>{escape(text)}</title>"


def _svg(body: str, label: str) -> Markup:
    return Markup(f'<svg role="img" aria-label="{escape(label)}" viewBox="0 0 {_WIDTH} {_HEIGHT}">{body}</svg>')
