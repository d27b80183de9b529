"""`textmill verify`: whether all that was written is still what was written."""

from __future__ import annotations

from dataclasses import asdict
from itertools import groupby

import click

from pipelines import console
from pipelines.cli import options


@click.command("verify")
@click.argument("what", default="last", metavar="[RUN|NAME|NAME:VERSION]")
@click.option("--all", "everything", is_flag=True, help="All runs, outputs and versions.")
@options.root
@options.as_json
def command(what: str, everything: bool, root: str | None, as_json: bool) -> None:
    """Reread every file that RUN (the start of its id, or `last`) or a published version of NAME refers to.

    Damaged files are named with what to do, and nothing is remembered of them, so that the next run makes them again.
    Exit 1 where one is damaged.
    """
    from pipelines import verify

    place = options.runs_root(root)
    found = verify.everything(place) if everything else verify.named(place, what)
    if as_json:
        damaged = [asdict(harm) for harm in found.damaged]
        options.print_json({"files": found.files, "bytes": found.bytes, "damaged": damaged})
    else:
        for cure, harms in groupby(found.damaged, key=lambda harm: harm.cure):
            console.say("\n".join(f"{harm.file}: {harm.why}" for harm in harms))
            console.say(f"    {cure}" if cure else "")
        console.say(f"{found.files:,} files whole, {found.bytes / 1e6:,.1f} MB; {len(found.damaged):,} damaged")
    if found.damaged:
        click.get_current_context().exit(1)
