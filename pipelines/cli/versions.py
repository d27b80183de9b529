"""`textmill versions`: what was published."""

from __future__ import annotations

import sys

import click

from pipelines.cli import options


@click.command("versions")
@click.argument("name", required=False)
@options.root
@options.as_json
def command(name: str | None, root: str | None, as_json: bool) -> None:
    """List the published versions of the model NAME, or of all; `*` marks the current one."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    from pipelines import versions

    place = options.runs_root(root)
    models = [versions.Versions(place, given) for given in ([name] if name else versions.names(place))]
    found = [(version, model.pointer().get("version")) for model in models for version in reversed(model.all())]
    if as_json:
        options.print_json([{**version.manifest, "current": version.number == now} for version, now in found])
        return
    table = Table("model", "version", "date", "run", "macro-F1", "accuracy", "why", box=box.SIMPLE)
    for version, now in found:
        told, scores = version.manifest, version.metrics
        number = f"{version.number} *" if version.number == now else str(version.number)
        figures = f"{scores['macro_f1']:.4f}", f"{scores['accuracy']:.4f}"
        table.add_row(version.name, number, told["date"], told["run"], *figures, told["why"])
    Console(width=None if sys.stdout.isatty() else 200).print(
        table if found else f"no version under {place}: `textmill promote RUN` publishes one"
    )
