"""`textmill gc`: house-keeping."""

from __future__ import annotations

import errno
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import click

from pipelines import console
from pipelines.cli import options

if TYPE_CHECKING:
    from pipelines.gc import Garbage
    from textmill.places import Place


@click.command("gc")
@click.option("--keep", default=30, show_default=True, type=click.IntRange(1), help="Runs of each pipeline.")
@click.option("--dry-run", is_flag=True, help="Only say what would be removed.")
@options.root
@options.as_json
def command(keep: int, dry_run: bool, root: str | None, as_json: bool) -> None:
    """Remove all but the newest runs, and outputs that no run left, no version and no running process refers to."""
    place = options.runs_root(root)
    found, size = _kept_house(place, keep, dry_run)
    if as_json:
        options.print_json({**_told(found), "bytes": size, "removed": not dry_run})
        return
    for folder in (*found.runs, *found.outputs, *found.left):
        console.say(f"{'would remove' if dry_run else 'removed'} {folder}")
    for one in found.unread:
        console.say(f"left {one.place}, and all that could belong to it: {one.why}")
    more = f", {len(found.left)} left over" if found.left else ""
    console.say(f"{len(found.runs)} runs, {len(found.outputs)} outputs{more}, {size / 1e6:,.1f} MB")


def _kept_house(place: Place, keep: int, dry: bool) -> tuple[Garbage, int]:
    """What was removed, or would be, and its bytes."""
    from pipelines import gc, pins

    with ExitStack() as stack:
        pinned = None
        if not dry and place.exists():
            try:
                pinned = stack.enter_context(pins.sweeping(place, "gc"))
            except OSError as error:
                if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                    raise
                gc.make_room(place, keep)
                pinned = stack.enter_context(pins.sweeping(place, "gc"))
        found = gc.find(place, keep, pinned)
        size = found.size()
        if not dry:
            found.remove()
    return found, size


def _told(found: Garbage) -> dict[str, Any]:
    folders = {"runs": found.runs, "outputs": found.outputs, "left": found.left}
    told: dict[str, Any] = {kind: [str(folder) for folder in inside] for kind, inside in folders.items()}
    return {**told, "unread": [{"path": str(one.place), "why": one.why} for one in found.unread]}
