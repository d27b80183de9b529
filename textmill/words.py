"""Words of messages that several parts of textmill write alike."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`, did you mean 'x'?`, or the list of what there is where nothing is close."""
    names = sorted(known)
    close = difflib.get_close_matches(word, names, 1, 0.6)
    return f", did you mean '{close[0]}'?" if close else f"; there are: {', '.join(names) or 'none'}"
