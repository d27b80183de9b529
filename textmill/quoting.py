"""A text put where another program reads it: one function for each of these programs.

Each gives what the program reads as exactly that text, or raises InputError for a text that it can't hold.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

import yaml

from textmill.errors import InputError

_CONTROL = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
"""Line breaks and what else no line of a file may hold; not the tab."""
_NOT_IN_A_PROGRAM = re.compile(r"[$\"'\\]")
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_./-]*")
_WORDS_OF_YAML = frozenset("y n yes no on off true false null nan inf".split())
_KEPT_FOR_YARN = "/._-=:,@+"


def line(text: str) -> str:
    """The text itself; raises InputError where it holds a line break or another control character."""
    if _CONTROL.search(text):
        raise InputError(f"{ascii(text)} holds a line break or another control character")
    return text


def argument(text: str) -> str:
    """The text itself, for a program that would take a leading `-` for an option; raises InputError for that, too."""
    if not text or text.startswith("-"):
        raise InputError(f"{ascii(text)} is empty or starts with `-`, like an option")
    return line(text)


def script(text: str) -> str:
    """Lines of a shell script themselves; raises InputError for control characters."""
    for one in text.split("\n"):
        line(one)
    return text


def crontab(word: str) -> str:
    """A word of a crontab's command.

    cron turns `\\%` into `%`; some crons turn `\\\\` into one backslash and others don't. So no backslash stands before
    another or before `%` here: closing and opening the quotes comes between.
    """
    return shlex.quote(line(word)).replace("\\", "\\''").replace("%", r"\%")


def systemd(word: str) -> str:
    """A word of ExecStart= after the first: % and $ stand for themselves, quotes keep spaces in it."""
    inner = line(word).replace("%", "%%").replace("\\", "\\\\").replace('"', '\\"').replace("$", "$$")
    return f'"{inner}"'


def systemd_program(path: str) -> str:
    """The first word of ExecStart=, where systemd replaces no `$$` and refuses quotes; raises InputError for those."""
    if not path.startswith("/") or _NOT_IN_A_PROGRAM.search(path):
        raise InputError(f"{path}: systemd starts a program by an absolute path without $, quotes and backslashes")
    return systemd(path)


def systemd_path(path: str) -> str:
    """The value of WorkingDirectory=: no quotes there; blanks at its ends would be cut, a last backslash joins lines."""
    if not path.startswith("/") or path != path.strip() or path.endswith("\\"):
        raise InputError(f"{path}: systemd can't start in a folder whose name ends with a blank or a backslash")
    return line(path).replace("%", "%%")


def directive(option: str) -> str:
    """An option behind #SBATCH or #PBS; raises InputError for what is none, or more than one line."""
    if not option.startswith("-"):
        raise InputError(f"{ascii(option)} is no option: it starts with `-`")
    return line(option)


def remote(words: Sequence[str]) -> str:
    """A command for the shell that ssh starts on another host."""
    if any("\0" in word for word in words):
        raise InputError(f"{ascii(list(words))} holds a NUL, which no command line can")
    return shlex.join(words)


def kubernetes(text: str) -> str:
    """A word of a container's command, in which Kubernetes replaces `$(NAME)` and takes `$$` for `$`."""
    return text.replace("$", "$$")


def prometheus(value: str) -> str:
    """A label's value between double quotes, in Prometheus' text format."""
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise InputError(f"{ascii(value)} is no text")
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def jinja(text: str) -> str:
    """A text in a template of Jinja, such as Airflow's."""
    return re.sub(r"\{(?=[{%#])", '{{ "{" }}', line(text))


def yarn(word: str) -> str:
    """A word of an application's command, percent-encoded; scripts/job.py decodes it.

    Spark puts it into a shell script in which `...` would run and \\\\ be one backslash, and YARN replaces {{NAME}}.
    """
    return quote(word, safe=_KEPT_FOR_YARN, errors="surrogatepass")


class _Dumper(yaml.SafeDumper):
    """Strings between double quotes unless every version of YAML reads them as strings: `y`, `1e3` and `0o7` are others."""


def _string(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    plain = _PLAIN.fullmatch(text) and text.lower() not in _WORDS_OF_YAML
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if plain else '"')


_Dumper.add_representer(str, _string)


def yaml_document(value: Any) -> str:
    """Plain data as a document of YAML, for readers of version 1.1 and of 1.2 alike."""
    return str(yaml.dump(value, Dumper=_Dumper, sort_keys=False, width=200))
