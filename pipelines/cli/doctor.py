"""`textmill doctor`: what this installation has, and what does not fit."""

from __future__ import annotations

import platform
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version

import click

from pipelines import console
from pipelines.cli import options
from textmill import __version__
from textmill.errors import EnvironmentProblem

_WANTED = {"pyspark": "3.5.", "pyarrow": "", "pydantic": "2.", "numpy": "", "pandas": ""}
Finding = tuple[str, bool, str]
"""What was looked at, whether it fits, and what was found or what to do."""


@click.command("doctor")
@options.as_json
def command(as_json: bool) -> None:
    """Check Python, Java, the jar, Spark, libraries and engines. Exit 1 where something that is needed does not fit."""
    findings = [*_python(), *_java(), *_engines()]
    if as_json:
        options.print_json([{"what": what, "ok": ok, "found": found} for what, ok, found in findings])
    else:
        for what, ok, found in findings:
            console.say(f"{'ok ' if ok else 'NO '} {what:<16} {found}")
    if not all(ok for what, ok, _ in findings if not what.startswith("engine ")):
        raise click.exceptions.Exit(1)


def _python() -> Iterator[Finding]:
    yield "textmill", True, __version__
    yield "python", sys.version_info[:2] == (3, 11), f"{platform.python_version()} {sys.executable}"
    for package, wanted in _WANTED.items():
        try:
            found = version(package)
        except PackageNotFoundError:
            yield package, False, "is not installed: run scripts/setup.sh"
            continue
        fits = found.startswith(wanted)
        yield package, fits, found if fits else f"{found}, needed is {wanted}x: run scripts/setup.sh"


def _java() -> Iterator[Finding]:
    from spark_jobs import installation

    yield _try("java", lambda: "{0} (Java {1})".format(*installation.java()))
    yield _try("jar", lambda: str(installation.jar()))


def _try(what: str, look: Callable[[], str]) -> Finding:
    try:
        return what, True, look()
    except EnvironmentProblem as error:
        return what, False, str(error)


def _engines() -> Iterator[Finding]:
    from models import engines

    for name in engines.NAMES:
        probe = engines.probe(name)
        found = (engines.details(name) or "available") if probe.available else probe.reason
        yield f"engine {name}", probe.available, found
