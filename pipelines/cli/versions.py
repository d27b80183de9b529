"""`textmill versions`: what was published."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from pipelines import console
from pipelines.cli import options
from textmill.errors import Unreadable

if TYPE_CHECKING:
    from pipelines.versions import Version, Versions


@click.command("versions")
@click.argument("name", type=options.Name(), required=False)
@options.root
@options.as_json
def command(name: str | None, root: str | None, as_json: bool) -> None:
    """List the published versions of the model NAME, or of all; `*` marks the current one."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    from pipelines import versions
    from pipelines.runs import ID_LENGTH

    place = options.runs_root(root)
    models = [versions.Versions(place, given) for given in ([name] if name else versions.names(place))]
    found, damaged = _all(models)
    if as_json:
        told = [{**version.manifest, "current": version.number == now} for version, now in found]
        options.print_json([*told, *({"damaged": str(problem.file), "why": problem.why} for problem in damaged)])
        return
    table = Table(box=box.SIMPLE)
    for heading in ("model", "version", "date", "run", "macro-F1", "accuracy", "why"):
        table.add_column(heading, no_wrap=heading == "run", min_width=ID_LENGTH if heading == "run" else None)
    for version, now in found:
        told, scores = version.manifest, version.metrics
        number = f"{version.number} *" if version.number == now else str(version.number)
        figures = [f"{scores[figure]:.4f}" if figure in scores else "" for figure in ("macro_f1", "accuracy")]
        table.add_row(*map(console.cell, (version.name, number, told["date"], told["run"], *figures, told["why"])))
    Console(width=None if sys.stdout.isatty() else 200).print(
        table if found or damaged else f"no version under {place}: `textmill promote RUN` publishes one"
    )
    for problem in damaged:
        console.say(str(problem))


def _all(models: list[Versions]) -> tuple[list[tuple[Version, int | None]], list[Unreadable]]:
    """The versions that can be read, the newest of each model first, each with the current one's number; the others."""
    found: list[tuple[Version, int | None]] = []
    problems: list[Unreadable] = []
    for model in models:
        whole, damaged = model.read()
        problems += damaged.values()
        try:
            now = model.pointer().get("version")
        except Unreadable as error:
            now = None
            problems.append(error)
        found += [(version, now) for version in reversed(whole)]
    return found, problems
