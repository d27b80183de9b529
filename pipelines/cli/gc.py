"""`textmill gc`: house-keeping."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import click

from pipelines import console
from pipelines.cli import options

if TYPE_CHECKING:
    from pipelines.gc import Garbage


@click.command("gc")
@click.option("--keep", default=30, show_default=True, type=click.IntRange(1), help="Runs of each pipeline.")
@click.option("--dry-run", is_flag=True, help="Only say what would be removed.")
@options.root
@options.as_json
def command(keep: int, dry_run: bool, root: str | None, as_json: bool) -> None:
    """Remove all but the newest runs, and outputs that no run left, no version and no running process refers to."""
    from pipelines import gc, pins

    place = options.runs_root(root)
    with nullcontext() if dry_run or not place.exists() else pins.sweeping(place, "gc") as pinned:
        found = gc.find(place, keep, pinned)
        size = found.size()
        if not dry_run:
            found.remove()
    if as_json:
        options.print_json({**_told(found), "bytes": size, "removed": not dry_run})
        return
    for folder in (*found.runs, *found.outputs, *found.left):
        console.say(f"{'would remove' if dry_run else 'removed'} {folder}")
    for one in found.unread:
        console.say(f"left {one.place}, and all that could belong to it: {one.why}")
    more = f", {len(found.left)} left over" if found.left else ""
    console.say(f"{len(found.runs)} runs, {len(found.outputs)} outputs{more}, {size / 1e6:,.1f} MB")


def _told(found: Garbage) -> dict[str, Any]:
    folders = {"runs": found.runs, "outputs": found.outputs, "left": found.left}
    told: dict[str, Any] = {kind: [str(folder) for folder in inside] for kind, inside in folders.items()}
    return {**told, "unread": [{"path": str(one.place), "why": one.why} for one in found.unread]}
