"""`textmill why`: what a step's output depends on."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import click

from pipelines import console
from pipelines.cli import options


@click.command("why")
@click.argument("file", metavar="DEFINITION")
@click.argument("step")
@options.as_json
@click.option("--set", "sets", multiple=True, metavar="KEY=VALUE")
@options.root_of_definition
@click.option("--date", type=options.DAY)
@click.option("--profile")
@click.option("--sample", type=options.Share())
def command(file: str, step: str, as_json: bool, **which: Any) -> None:
    """Explain the key of STEP: its parameters, what it takes, and what differs from the last run."""
    from pathlib import Path

    from pipelines.plan import Selection

    pipeline = options.load(Path(file), **which)
    selection = Selection(last=step)
    _, reasons, plan = options.plan(pipeline, selection)
    planned = next(one for one in plan if one.step == step)
    because = reasons[step]
    if as_json:
        options.print_json({**asdict(planned), "because": because})
        return
    console.say(console.shown(f"{step} ({planned.op}, version {because['version']}): {planned.action}, {planned.why}"))
    console.say(console.shown(f"key {planned.key}, made of"))
    for name, value in because["params"].items():
        console.say(console.shown(f"  parameter  {name} = {value}"))
    for role, parts, node, key in because["takes"]:
        console.say(console.shown(f"  takes      {node}{'.' + ','.join(parts) if parts else ''} as {role}, key {key[:12]}"))
    for name, digest in because["files"].items():
        console.say(console.shown(f"  {name}, content {digest[:12]}"))
    console.say(console.shown(f"  jar        content {because['jar'][:12] or 'not used'}"))
