"""The report of a run: one HTML file that opens offline."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def write_report(run: Mapping[str, Any], folder_of: Mapping[str, Path], path: Path) -> None:
    """Write the report of `run` (a run record) to `path`; `folder_of` says where each step's output is.

    Steps without an output only make the report shorter. Written beside and renamed.
    """
    from jinja2 import Environment, PackageLoader

    from pipelines.report import charts, data

    environment = Environment(
        loader=PackageLoader("pipelines.report"), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(count=data.count, share=data.share, seconds=data.seconds, reason=data.reason)
    page = environment.get_template("report.html").render(report=data.gather(run, folder_of), charts=charts)
    beside = path.with_name(f"{path.name}.{os.getpid()}.part")
    beside.write_text(page, encoding="utf-8")
    beside.replace(path)
