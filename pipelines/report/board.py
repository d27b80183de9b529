"""The board as a page: one HTML file with a table, curves and parameters of all trials, that opens offline."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any

from markupsafe import Markup

from pipelines.board.board import Board, Standing, varying
from textmill import places
from textmill.places import Place

_CURVES = {
    "val_accuracy": "valid accuracy",
    "val_macro_f1": "valid macro-F1",
    "val_loss": "valid loss",
    "accuracy": "train accuracy",
    "loss": "train loss",
}
_LOG_FROM = 20
"""Numbers of which the largest is at least so many times the smallest stand on a logarithmic axis."""
_DIGITS = 5


def write_board(board: Board, path: Place, report: str = "") -> None:
    """Write the page to `path`, with a link to `report` if given. Beside and renamed; raises OSError."""
    from pipelines.report import page

    text = page.render_board(board, Markup(_embedded(payload(board.standings))), report)
    places.write_bytes(path, text.encode("utf-8", "backslashreplace"))


def payload(standings: Sequence[Standing]) -> dict[str, Any]:
    """What the page's script draws: the axes of parameters, and for each trial, in order, its values and curves."""
    values = varying(standings)
    axes = [{"name": name, **_scale(found)} for name, found in values.items()]
    shown = [{"name": name, "label": label} for name, label in _CURVES.items() if _has(standings, name)]
    trials = [
        {
            "name": standing.trial.name,
            "model": standing.trial.model,
            "engine": standing.trial.engine,
            "run": standing.trial.run,
            "status": standing.trial.status,
            "accuracy": _short(standing.accuracy),
            "tie": bool(standing.tie),
            "error": standing.trial.error,
            "given": _given(standing),
            "values": [_value(found[number]) for found in values.values()],
            "curves": {
                curve["name"]: [_short(epoch[curve["name"]]) for epoch in standing.trial.epochs] for curve in shown
            },
        }
        for number, standing in enumerate(standings)
    ]
    return {"axes": axes, "curves": shown, "trials": trials}


def _scale(values: Sequence[Any]) -> dict[str, Any]:
    """Kind of an axis: numbers, their logarithms, or the choices there are."""
    told = [value for value in values if value is not None]
    if not all(isinstance(value, Real) and not isinstance(value, bool) for value in told):
        return {"kind": "choice", "choices": sorted({_value(value) for value in told}, key=str)}
    low, high = min(told), max(told)
    return {"kind": "log" if low > 0 and high >= _LOG_FROM * low else "number", "low": low, "high": high}


def _value(value: Any) -> Any:
    """Numbers as they are, everything else as the text that a choice shows."""
    if value is None or isinstance(value, (int, float)) and not isinstance(value, bool):
        return value
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _given(standing: Standing) -> str:
    """All parameters and settings, `filters=200, widths=[1, 2, 3]`: what a filter finds and a trial's detail shows."""
    given: Mapping[str, Any] = {**standing.trial.params, **standing.trial.settings}
    return ", ".join(f"{name}={_value(value)}" for name, value in given.items() if value is not None)


def _has(standings: Sequence[Standing], name: str) -> bool:
    return any(epoch[name] is not None for standing in standings for epoch in standing.trial.epochs)


def _short(value: float | None) -> float | None:
    """Enough digits for a picture: hundreds of curves are the larger part of the page."""
    return None if value is None or not math.isfinite(value) else float(f"{value:.{_DIGITS}g}")


def _embedded(value: Any) -> str:
    """JSON that stands inside a script element: no text in it can end the element or begin a comment."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")
