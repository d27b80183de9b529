"""`textmill runs`: all runs."""

from __future__ import annotations

from pathlib import Path

import click

from pipelines import console
from pipelines.cli import options


@click.command("runs")
@click.argument("name", required=False)
@click.option("-n", "count", default=30, show_default=True, help="At most so many.")
@click.option("--html", type=click.Path(path_type=Path), help="Write a page of the last dates of NAME to this file.")
@options.root
@options.as_json
def command(name: str | None, count: int, html: Path | None, root: str | None, as_json: bool) -> None:
    """List runs, the newest first; of the pipeline NAME if given."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    from pipelines import runs
    from pipelines.runs import ID_LENGTH

    if html is not None:
        from pipelines import daily
        from pipelines.report.history import write_history

        if name is None:
            raise click.UsageError("--html needs the pipeline's NAME")
        write_history(name, daily.history(options.runs_root(root), name, count), html)
        return
    read, damaged = runs.read(options.runs_root(root), name)
    found = sorted([*read, *map(runs.as_row, damaged)], key=lambda record: record["run"], reverse=True)[:count]
    if as_json:
        options.print_json(found)
        return
    table = Table(box=box.SIMPLE)
    for heading in ("run", "pipeline", "date", "status", "steps run", "seconds", "metrics"):
        # An id is never cut: it is what other verbs are given.
        table.add_column(heading, no_wrap=heading == "run", min_width=ID_LENGTH if heading == "run" else None)
    for record in found:
        steps = f"{sum(step['action'] == 'run' for step in record['steps'])} of {len(record['steps'])}"
        seconds = "" if record["seconds"] is None else f"{record['seconds']:.1f}"
        metrics = ", ".join(f"{model} {scores['accuracy']:.1%}" for model, scores in record["metrics"].items())
        cells = record["run"], record["name"], record["date"], record["status"], steps, seconds, metrics
        table.add_row(*map(console.cell, cells))
    Console().print(table if found else f"no run under {options.runs_root(root)}")
    for record in found:
        if record["status"] == "damaged":
            console.say(record["error"])
