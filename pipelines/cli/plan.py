"""`textmill plan`: what would run, and why."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from pipelines import console
from pipelines.cli import options

if TYPE_CHECKING:
    from pipelines.plan import Stage


@click.command("plan")
@options.definition
@options.selection
@options.as_json
def command(
    first: str | None,
    last: str | None,
    only: tuple[str, ...],
    force: tuple[str, ...],
    stage: Stage | None,
    as_json: bool,
    **which: Any,
) -> None:
    """Say for every step of DEFINITION whether it runs or is reused, and why. Starts no JVM."""
    from pipelines.plan import Selection

    pipeline = options.load(**which)
    _, _, plan = options.plan(pipeline, Selection(first, last, only, force, stage))
    if as_json:
        options.print_json([asdict(planned) for planned in plan])
        return
    for planned in plan:
        console.say(console.shown(f"{planned.action:<6} {planned.step:<18} {planned.op:<15} {planned.key[:12]}  {planned.why}"))
