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
)


def render(report: ReportData) -> str:
    """The report as HTML."""
    environment = _environment()
    style, script = (_source(environment, name) for name in ("report.css", "report.js"))
    policy = (
        f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)}; base-uri 'none'; form-action 'none'"
    )
    page = environment.get_template("report.html")
    return page.render(report=report, run=report.run, style=Markup(style), script=Markup(script), policy=policy)


def render_history(name: str, days: Sequence[Day]) -> str:
    """The history page as HTML."""
    environment = _environment()
    style = _source(environment, "report.css")
    policy = f"default-src 'none'; style-src {_hash(style)}; base-uri 'none'; form-action 'none'"
    page = environment.get_template("history.html")
    return page.render(name=name, days=days, style=Markup(style), policy=policy)


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


def _hash(inline: str) -> str:
    """How a Content-Security-Policy names the one inline text that may be used."""
    digest = base64.b64encode(hashlib.sha256(inline.encode()).digest()).decode()
    return f"'sha256-{digest}'"
