"""`textmill gc`: house-keeping."""

from __future__ import annotations

import click

from pipelines.cli import options


@click.command("gc")
@click.option("--keep", default=30, show_default=True, type=click.IntRange(1), help="Runs of each pipeline.")
@click.option("--dry-run", is_flag=True, help="Only say what would be removed.")
@options.root
@options.as_json
def command(keep: int, dry_run: bool, root: str | None, as_json: bool) -> None:
    """Remove all but the newest runs, and outputs that no run left, no version and no running process refers to."""
    from pipelines import gc

    found = gc.find(options.runs_root(root), keep)
    size = found.size()
    if not dry_run:
        found.remove()
    if as_json:
        removed = {"runs": [str(run) for run in found.runs], "outputs": [str(folder) for folder in found.outputs]}
        options.print_json({**removed, "bytes": size, "removed": not dry_run})
        return
    for folder in (*found.runs, *found.outputs):
        click.echo(f"{'would remove' if dry_run else 'removed'} {folder}")
    click.echo(f"{len(found.runs)} runs, {len(found.outputs)} outputs, {size / 1e6:,.1f} MB")
