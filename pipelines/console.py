"""What people see: texts, labels and names may hold any character, and none of them may steer a terminal."""

from __future__ import annotations

import re

import click

_STEERING = "\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff"
"""Control characters but for the line feed and the tab, those that turn the direction of writing, half characters."""
_IN_LINES = re.compile(f"[{_STEERING}]")
_IN_VALUES = re.compile(f"[\t\n{_STEERING}]")


def say(text: object, err: bool = False) -> None:
    """Print lines, with all that would steer a terminal escaped."""
    click.echo(clean(str(text)), err=err)


def clean(text: str) -> str:
    """Lines in which nothing steers a terminal: an escape character is shown as `\\x1b`."""
    return _IN_LINES.sub(_escaped, text)


def shown(value: object) -> str:
    """A value within a line: line breaks and tabs are escaped, too."""
    return _IN_VALUES.sub(_escaped, str(value))


def cell(value: object) -> str:
    """A value in a table of rich, in which brackets are markup; nothing where there is none."""
    from rich.markup import escape

    return "" if value is None else escape(shown(value))


def json_text(text: str) -> str:
    """A text of JSON that is the same value, and steers no terminal."""
    return _IN_LINES.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _escaped(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode()
