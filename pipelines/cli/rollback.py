"""`textmill rollback`: go back to an earlier version."""

from __future__ import annotations

import click

from pipelines import console
from pipelines.cli import options


@click.command("rollback")
@click.argument("name", type=options.Name())
@click.option("--to", type=click.IntRange(1), metavar="VERSION", help="[default: what was current before]")
@options.root
@options.as_json
def command(name: str, to: int | None, root: str | None, as_json: bool) -> None:
    """Make the version of NAME that was current before (or VERSION) current again; what serves it follows."""
    from pipelines import lease
    from pipelines.versions import Versions

    place = options.runs_root(root)
    with lease.held(place, name, "rollback"):
        version = Versions(place, name).rollback(to)
    if as_json:
        options.print_json(version.manifest)
    else:
        console.say(f"{name} version {version.number} of run {version.manifest['run']} is current again")
