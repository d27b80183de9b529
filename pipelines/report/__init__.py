"""The report of a run: one HTML file that opens offline."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def write_report(run: Mapping[str, Any], folder_of: Mapping[str, Path], path: Path) -> None:
    """Write the report of `run` (a run record) to `path`; `folder_of` says where each step's output is.

    A step without an output only makes the report shorter; an output that can't be read is named at its end. Written
    beside and renamed: raises OSError where `path` can't be written, and nothing else.
    """
    from pipelines.report import data, page

    text = page.render(data.gather(run, folder_of))
    beside = path.with_name(f"{path.name}.{os.getpid()}.part")
    # A lone surrogate is legal in JSON and not in UTF-8: it is shown as its number.
    beside.write_bytes(text.encode("utf-8", "backslashreplace"))
    beside.replace(path)
