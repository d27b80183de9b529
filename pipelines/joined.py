"""Labels that cleaning made one class of: those that several spellings of an input mean."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def joined(stats: Mapping[str, Any]) -> dict[str, dict[str, int]]:
    """For each label that was written in several ways the rows by spelling; `stats` are those of a text.clean."""
    of_rows = (stats.get("parts") or {}).get("rows") or {}
    found = {}
    for label, spellings in (of_rows.get("spellings") or {}).items():
        as_it_is = of_rows["labels"].get(label, 0) - sum(spellings.values())
        all_ways = {**({label: as_it_is} if as_it_is > 0 else {}), **spellings}
        if len(all_ways) > 1:
            found[label] = all_ways
    return found
