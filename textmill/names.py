"""What a definition may call itself and its parts: the names become folders, files, units of systemd and DAGs."""

from __future__ import annotations

import re

from textmill.errors import InputError

PATTERN = r"^[A-Za-z][A-Za-z0-9_-]*$"
LONGEST = 128
"""Characters; a file takes 255 bytes, and `train-NAME-rank-7.log`, NAME-DIGEST and temporary names are longer than NAME."""
RESERVED = ("store", "models")
"""Folders beside those of the pipelines: step outputs, and published models."""
_FITTING = re.compile(PATTERN.rstrip("$"))


def is_fit(name: object) -> bool:
    """Whether it can be the name of a folder under a root."""
    return isinstance(name, str) and len(name) <= LONGEST and _FITTING.fullmatch(name) is not None


def checked(name: object) -> str:
    """A pipeline's name itself; raises InputError saying what is wrong with it."""
    if not isinstance(name, str) or not is_fit(name):
        shown = ascii(name)
        clipped = shown if len(shown) <= 80 else f"{shown[:79]}…"
        raise InputError(f"{clipped} is no name: a letter, then letters, digits, _ and -, {LONGEST} characters at most")
    return unreserved(name)


def unreserved(name: str) -> str:
    """The name itself; raises InputError for one that is a folder of every root."""
    if name in RESERVED:
        raise InputError(f"'{name}' is a folder of every root, beside the pipelines' own: choose another name")
    return name
