"""`textmill promote`: publish what a run trained."""

from __future__ import annotations

import click

from pipelines import console
from pipelines.cli import options
from textmill.errors import CheckFailed


@click.command("promote")
@click.argument("run", default="last")
@click.option("--train", metavar="NAME", help="The training, where the run has several.")
@click.option("--if", "condition", default="macro_f1 > last", show_default=True, help="What its metrics must fulfil.")
@click.option("--force", is_flag=True, help="Publish it whatever its metrics are.")
@click.option("--keep", default=5, show_default=True, type=click.IntRange(1), help="Versions that are kept.")
@options.root
@options.as_json
def command(
    run: str, train: str | None, condition: str, force: bool, keep: int, root: str | None, as_json: bool
) -> None:
    """Publish the model of RUN (the start of its id, or `last`) as a new current version, if it is a better one."""
    from pipelines import lease, lineage, pins, promotion, runs
    from pipelines.versions import Versions

    place = options.runs_root(root)
    record = runs.find(place, run)
    versions = Versions(place, record["name"])
    what = f"promote {record['run']}"
    with lease.held(place, record["name"], what), pins.of_run(place, what, record):
        found = lineage.of_run(place, record, train)
        last = versions.current()
        try:
            decision = promotion.decide(condition, record["metrics"][found.train], last.metrics if last else None)
        except ValueError as error:
            raise click.UsageError(str(error)) from error
        if not decision.promoted and not force:
            raise CheckFailed(f"not promoted: {decision.why}")
        version = versions.publish(found, "forced" if force and not decision.promoted else decision.why, keep)
    if as_json:
        options.print_json(version.manifest)
    else:
        console.say(f"{version.name} version {version.number} is current: {version.manifest['why']}\n{version.folder}")
