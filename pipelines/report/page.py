"""The page: templates, style and script in one HTML text that loads nothing."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from markupsafe import Markup

from pipelines.report import charts, heat, scale, words
from pipelines.report.data import ReportData

if TYPE_CHECKING:
    from jinja2 import Environment

    from pipelines.board.board import Board
    from pipelines.report.history import Day

_FILTERS = (
    words.count,
    words.share,
    words.score,
    words.loss,
    words.seconds,
    words.moment,
    words.reason,
    words.language,
    words.breakable,
    words.size,
)


def render(report: ReportData) -> str:
    """The report as HTML."""
    environment = _environment()
    style, script = (_source(environment, name) for name in ("report.css", "report.js"))
    policy = _policy(style, script)
    page = environment.get_template("report.html")
    return page.render(report=report, run=report.run, style=Markup(style), script=Markup(script), policy=policy)


def render_board(board: Board, data: Markup, report: str) -> str:
    """The board as HTML; `data` is the JSON its script draws, `report` where the run's report is, or empty."""
    environment = _environment()
    style = "".join(_source(environment, name) for name in ("report.css", "board.css"))
    script = "".join(_source(environment, name) for name in ("report.js", "board.js", "plots.js"))
    page = environment.get_template("board.html")
    given = {"style": Markup(style), "script": Markup(script), "policy": _policy(style, script)}
    return page.render(board=board, data=data, report=report, **given)


def render_history(name: str, days: Sequence[Day]) -> str:
    """The history page as HTML."""
    environment = _environment()
    style = _source(environment, "report.css")
    page = environment.get_template("history.html")
    return page.render(name=name, days=days, style=Markup(style), policy=_policy(style))


@lru_cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("pipelines.report"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters.update({function.__name__: function for function in _FILTERS})
    environment.globals.update(charts=charts, heat=heat.heat, common_last=scale.common_last)
    return environment


def _source(environment: Environment, name: str) -> str:
    assert environment.loader is not None
    return environment.loader.get_source(environment, name)[0]


def _policy(style: str, script: str = "") -> str:
    """The Content-Security-Policy of a page with this style and script alone."""
    scripts = f"script-src {_hash(script)}; " if script else ""
    return f"default-src 'none'; style-src {_hash(style)}; {scripts}base-uri 'none'; form-action 'none'"


def _hash(inline: str) -> str:
    """How a Content-Security-Policy names the one inline text that may be used."""
    digest = base64.b64encode(hashlib.sha256(inline.encode()).digest()).decode()
    return f"'sha256-{digest}'"
