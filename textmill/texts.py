"""Texts and labels made of the characters that are seen, where no Spark reads them: templates, dictionaries, keys.

Cleaner.java, Joiners.java and Labels.java do the same for the rows of inputs; a test compares them on every code point.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from itertools import pairwise
from pathlib import Path

_NON_JOINER, _JOINER, _BLACK_FLAG = "\u200c", "\u200d", "\U0001f3f4"
_WHOLE = re.compile(r"(-?[0-9]+)\.0+")
"""What became of an integer in a column with gaps, which pandas makes a column of fractions."""
_BLANKS = frozenset("\t\n\x0b\x0c\r\x1c\x1d\x1e\x1f\x85\u3164\uffa0")
"""Beside those that Unicode calls separators: Java's white space, the next-line control and the Hangul fillers."""
_FORMATS = (
    (0xAD, 0xAD), (0x034F, 0x034F), (0x061C, 0x061C), (0x115F, 0x1160), (0x180E, 0x180E), (0x200B, 0x200F), (0x202A, 0x202E),
    (0x2060, 0x206F), (0xFEFF, 0xFEFF), (0xFFF9, 0xFFFB), (0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A), (0xE0001, 0xE0001),
    (0xE0020, 0xE007F),
)  # fmt: skip
_SCRIPTS = (
    (0x0600, 0x077F), (0x07C0, 0x07FF), (0x0840, 0x0DFF), (0x0F00, 0x109F), (0x1780, 0x18AF), (0x1A20, 0x1AAF),
    (0x1B00, 0x1C4F), (0x1CD0, 0x1CFF), (0xA800, 0xA82F), (0xA840, 0xA8FF), (0xA930, 0xA9FF), (0xAA60, 0xAA7F),
    (0xABC0, 0xABFF), (0xFB50, 0xFDCF), (0xFE70, 0xFEFC), (0x10A00, 0x10A5F), (0x10AC0, 0x10AFF), (0x10D00, 0x10D3F),
    (0x11000, 0x11DFF), (0x1E900, 0x1E95F),
)  # fmt: skip
_KATAKANA = "。「」、・ヲァィゥェォャュョッーアイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワン\u3099\u309a"
_WIDTHS = str.maketrans(
    {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
    | dict(zip(range(0xFF61, 0xFFA0), _KATAKANA, strict=True))
    | dict(zip(range(0xFFE0, 0xFFE7), "¢£¬¯¦¥₩", strict=True))
)


def label(raw: str) -> str:
    """The class that a label means: NFC, no invisible characters or outer blanks, one space for blanks inside; 1 of 1.0."""
    text = clean(raw, width=False)
    whole = _WHOLE.fullmatch(text)
    return whole[1] if whole else text


def clean(raw: str, width: bool = True) -> str:
    """`raw` as text.clean makes it by its defaults, without limits of length; full-width letters stay without `width`."""
    if raw.isascii() and raw.isprintable():
        return " ".join(raw.split())
    normal = unicodedata.normalize("NFC", raw)
    text = _squeezed(normal.translate(_WIDTHS) if width else normal)
    # What was removed may have stood between a letter and its accent.
    return text if text == normal else unicodedata.normalize("NFC", text)


def visible(raw: str) -> str:
    """`raw` in quotes with what can't be seen as escapes, and `(decomposed)` behind it where it is not NFC."""
    shown = "".join(char if char == " " or char == "\ufe0f" or not (_is_blank(char) or _is_invisible(char))
                    else f"\\u{ord(char):04x}" for char in raw)  # fmt: skip
    return f"'{shown}'" + ("" if unicodedata.is_normalized("NFC", raw) else " (decomposed)")


def _squeezed(text: str) -> str:
    kept: list[str] = []
    space = False
    for char, after in pairwise([*text, "\0"]):
        if _is_blank(char):
            space = bool(kept)
        elif not _is_invisible(char) or (not space and _carries_meaning(kept, char, after)):
            kept.extend([" ", char] if space else [char])
            space = False
    return "".join(kept)


def _is_blank(char: str) -> bool:
    return char in _BLANKS or unicodedata.category(char).startswith("Z")


def _is_invisible(char: str) -> bool:
    code = ord(char)
    noncharacter = code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF
    return noncharacter or unicodedata.category(char) in ("Cc", "Cs") or _is_in(code, _FORMATS)


def _is_in(code: int, ranges: tuple[tuple[int, int], ...]) -> bool:
    return any(first <= code <= last for first, last in ranges)


def _carries_meaning(kept: list[str], char: str, after: str) -> bool:
    """Whether an invisible character is a tag in a flag, or joins emoji or letters."""
    if not kept:
        return False
    if _is_tag(char):
        return kept[-1] == _BLACK_FLAG or _is_tag(kept[-1])
    if char not in (_JOINER, _NON_JOINER):
        return False
    if _is_in(ord(kept[-1]), _SCRIPTS):
        return char == _JOINER or _is_in(ord(after), _SCRIPTS)
    return char == _JOINER and _are_joined(_element(kept), after)


def _is_tag(char: str) -> bool:
    return "\U000e0020" <= char <= "\U000e007f"


def _element(kept: list[str]) -> str:
    """The last character before variation selectors and skin tones."""
    return next(
        (char for char in reversed(kept) if char != "\ufe0f" and not "\U0001f3fb" <= char <= "\U0001f3ff"), "\0"
    )


def _are_joined(before: str, after: str) -> bool:
    """Those of the emoji blocks may be of a later Unicode than the list."""
    in_blocks = all("\U0001f000" <= char <= "\U0001faff" for char in (before, after))
    return in_blocks or (before, after) in _pairs()


@cache
def _pairs() -> frozenset[tuple[str, str]]:
    lines = Path(__file__).with_name("emoji_sequences.txt").read_text(encoding="utf-8").splitlines()
    sequences = ([chr(int(code, 16)) for code in line.split()] for line in lines if not line.startswith("#"))
    return frozenset(pair for sequence in sequences for pair in pairwise(sequence))
