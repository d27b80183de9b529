"""Numbers, times and reasons as a report writes them."""

from __future__ import annotations

import re
import unicodedata

from markupsafe import Markup, escape

NOTHING = "–"
_REASONS = {
    "broken_json": "not valid JSON",
    "broken_csv": "not valid CSV",
    "missing_text": "no text",
    "missing_label": "no label",
    "invalid_utf8": "not valid UTF-8",
    "record_too_long": "record too long",
    "too_short": "text too short",
    "too_long": "text too long",
    "duplicate": "same text and label as another row",
    "near_duplicate": "nearly the same text as another row",
    "conflicting_label": "same text, another label",
    "leak": "equals a held-out text",
}
_HANGUL = re.compile("[\u1100-\u11ff\u3130-\u318f\uac00-\ud7a3]")
_KANA = re.compile("[\u3040-\u30ff]")


def count(value: float | None) -> str:
    """1,234."""
    return NOTHING if value is None else f"{value:,.0f}"


def share(value: float | None) -> str:
    """12.3 %; a share that only rounds to nothing is written < 0.1 %, one that only rounds to all > 99.9 %."""
    if value is None:
        return NOTHING
    if 0 < value < 0.0005:
        return "< 0.1\u202f%"
    if 0.9995 <= value < 1:
        return "> 99.9\u202f%"
    return f"{100 * value:.1f}\u202f%"


def score(value: float | None) -> str:
    """0.809."""
    return NOTHING if value is None else f"{value:.3f}"


def loss(value: float | None) -> str:
    """0.0767: as a training reports it."""
    return NOTHING if value is None else f"{value:.4f}"


def seconds(value: float | None) -> str:
    """2.3 s, 4 min 5 s, 3 h 12 min."""
    if value is None:
        return NOTHING
    if value < 99.95:
        return f"{value:.1f}\u202fs"
    whole = round(value)
    if whole < 3600:
        return f"{whole // 60}\u202fmin {whole % 60}\u202fs"
    return f"{whole // 3600}\u202fh {whole % 3600 // 60}\u202fmin"


def size(value: float | None) -> str:
    """9.6 MB, 812 kB; of bytes."""
    if value is None:
        return NOTHING
    for unit, name in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if value >= 0.9995 * unit:
            return f"{value / unit:.3g}\u202f{name}"
    return f"{value:.0f}\u202fB"


def compact(value: float) -> str:
    """A number on an axis: 0.25, 300, 20k, 1.5M."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= size:
            return f"{value / (1e3 if letter == 'k' else size):.4g}{letter}"
    return f"{value:.4g}"


def moment(value: str) -> str:
    """2026-11-23 20:15:01 UTC of 2026-11-23T20:15:01Z; anything else as it is."""
    found = re.fullmatch(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?(Z|\+00:00)", value)
    return f"{found[1]} {found[2]} UTC" if found else value


def reason(name: str) -> str:
    """Why rows were set aside, in words."""
    return _REASONS.get(name, name.replace("_", " "))


def language(text: str) -> str:
    """The `lang` of a text as far as its script tells: browsers choose fonts and line breaks by it."""
    if _HANGUL.search(text):
        return "ko"
    return "ja" if _KANA.search(text) else ""


def breakable(label: str) -> Markup:
    """A label as HTML that may be broken after its underscores."""
    return Markup(str(escape(label)).replace("_", "_<wbr>"))


def width(text: str) -> float:
    """About how many digits wide a text is: a Hangul syllable takes nearly two."""
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in text)
    return len(text) + 0.7 * wide


def clip(text: str, digits: float) -> str:
    """A text cut to a width of `digits`, with an ellipsis where something is cut off."""
    if width(text) <= digits:
        return text
    while text and width(text) > digits - 1:
        text = text[:-1]
    return f"{text}…"
