"""The confusion matrix as a heat map."""

from __future__ import annotations

import math
from collections.abc import Sequence

from markupsafe import Markup, escape

from pipelines.report import words

# (classes up to, cell's side, size of names, size of the numbers in cells) in pixels; no numbers where cells are small.
_SIZES = (
    (8, 46, 13, 13),
    (16, 34, 12, 12),
    (32, 26, 11.5, 11),
    (45, 20, 11, 9.5),
    (90, 15, 10.5, 0),
    (10**9, 12, 10, 0),
)
_LONGEST = 24
"""Digits of a name that are shown; the tooltip has it whole."""


def heat(labels: Sequence[str], matrix: Sequence[Sequence[int]], label: str) -> Markup:
    """Rows are true labels, columns predicted ones; a cell is shaded by its share of the row.

    The names are pictures of their own, so that they can stay in sight while the matrix is scrolled.
    """
    if not labels:
        return Markup("")
    _, cell, font, numbers = next(size for size in _SIZES if len(labels) <= size[0])
    side = cell * len(labels) + 1
    longest = font * 0.63 * min(_LONGEST, max(words.width(name) for name in labels))
    margin, lying = round(10 + longest), longest < cell
    beside = "".join(_row_name(name, row, margin, cell, font) for row, name in enumerate(labels))
    above = "".join(_column_name(name, column, margin, cell, font, lying) for column, name in enumerate(labels))
    body = f'<rect class="field" width="{side}" height="{side}"/>' + _rules(len(labels), cell)
    body += "".join(_row(labels, counts, row, cell, numbers) for row, counts in enumerate(matrix))
    return Markup(
        '<div class="heatmap"><i></i>'
        f'<svg class="above" aria-hidden="true" width="{side}" height="{margin}">{above}</svg>'
        f'<svg class="beside" aria-hidden="true" width="{margin}" height="{side}">{beside}</svg>'
        f'<svg class="matrix" role="img" aria-label="{escape(label)}" width="{side}" height="{side}">{body}</svg></div>'
    )


def _rules(number: int, cell: int) -> str:
    """The lines between the cells, as one path."""
    side = number * cell
    down = "".join(f"M{place * cell} 0v{side}" for place in range(number + 1))
    across = "".join(f"M0 {place * cell}h{side}" for place in range(number + 1))
    return f'<path class="rules" d="{down}{across}"/>'


def _row_name(name: str, row: int, margin: int, cell: int, font: float) -> str:
    y = (row + 0.5) * cell + font * 0.35
    place = f'x="{margin - 6}" y="{y:.1f}" text-anchor="end" font-size="{font}"'
    return f'<text class="name" {place}>{escape(words.clip(name, _LONGEST))}<title>{escape(name)}</title></text>'


def _column_name(name: str, column: int, margin: int, cell: int, font: float, lying: bool) -> str:
    middle = (column + 0.5) * cell
    turned = f'transform="translate({middle + font * 0.35:.1f} {margin - 6}) rotate(-90)"'
    place = f'x="{middle}" y="{margin - 8}" text-anchor="middle"' if lying else turned
    shown = escape(words.clip(name, _LONGEST))
    return f'<text class="name" {place} font-size="{font}">{shown}<title>{escape(name)}</title></text>'


def _row(labels: Sequence[str], counts: Sequence[int], row: int, cell: int, numbers: float) -> str:
    whole = sum(counts)
    cells = ((column, rows) for column, rows in enumerate(counts) if rows)
    return "".join(_cell(labels, row, column, rows, whole, cell, numbers) for column, rows in cells)


def _cell(labels: Sequence[str], row: int, column: int, rows: int, whole: int, cell: int, numbers: float) -> str:
    part, right = rows / whole, row == column
    said = "predicted right" if right else f"predicted as {labels[column]}"
    tip = f"{labels[row]} {said}: {rows:,} of {whole:,} rows ({words.share(part)})"
    kind, opacity = ("right" if right else "wrong"), _opacity(part)
    rect = (
        f'<rect class="cell {kind}" x="{column * cell}" y="{row * cell}" width="{cell}" height="{cell}" '
        f'fill-opacity="{opacity:.2f}"><title>{escape(tip)}</title></rect>'
    )
    return rect + (_number(rows, part, column * cell, row * cell, cell, numbers) if numbers else "")


def _opacity(part: float) -> float:
    """By the root of the share: a label's confusions are a few percent each and have to be told apart."""
    return 0.12 + 0.88 * math.sqrt(part)


def _number(rows: int, part: float, x: int, y: int, cell: int, font: float) -> str:
    text = words.compact(rows) if rows < 10_000 else f"{rows / 1000:.0f}k"
    size = min(font, 1.7 * cell / len(text))
    kind = "inside strong" if _opacity(part) > 0.6 else "inside"
    place = f'x="{x + cell / 2:g}" y="{y + cell / 2 + size * 0.36:.1f}" font-size="{size:.1f}"'
    return f'<text class="{kind}" {place} text-anchor="middle">{text}</text>'
