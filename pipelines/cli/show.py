"""`textmill show`: one run."""

from __future__ import annotations

import click

from pipelines.cli import options


@click.command("show")
@click.argument("run", default="last")
@options.root
@options.as_json
def command(run: str, root: str | None, as_json: bool) -> None:
    """Show RUN (the start of its id, or `last`): its steps, metrics, error, and where its files are."""
    from pipelines import runs
    from pipelines.progress import line

    record = runs.find(options.runs_root(root), run)
    if as_json:
        options.print_json(record)
        return
    click.echo(
        f"run {record['name']}/{record['run']}: {record['status']}, date {record['date']}, profile {record['profile']}"
    )
    for step in record["steps"]:
        click.echo(line(step))
    for model, scores in record["metrics"].items():
        click.echo(
            f"{model}: accuracy {scores['accuracy']:.4f}, macro-F1 {scores['macro_f1']:.4f}, {scores['rows']:,} test rows"
        )
    if record["error"]:
        click.echo(f"error  {record['error']}")
    if record["status"] != "done":
        click.echo(f"resume {record['command']}")
    click.echo(f"log    {record['log']}\nreport {record['report'] or 'none'}")
