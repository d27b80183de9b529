"""The report of a run: one HTML file that opens offline."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from textmill import places
from textmill.places import Place


def write_report(run: Mapping[str, Any], folder_of: Mapping[str, Place], path: Place) -> None:
    """Write the report of `run` (a run record) to `path`; `folder_of` says where each step's output is.

    A step without an output only makes the report shorter; an output that can't be read is named at its end. Written
    beside and renamed: raises OSError where `path` can't be written, and nothing else.
    """
    from pipelines.report import data, page

    text = page.render(data.gather(run, folder_of))
    # A lone surrogate is legal in JSON and not in UTF-8: it is shown as its number.
    places.write_bytes(path, text.encode("utf-8", "backslashreplace"))
