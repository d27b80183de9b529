"""`textmill check`: validate a definition."""

from __future__ import annotations

from typing import Any

import click

from pipelines import console
from pipelines.cli import options


@click.command("check")
@options.definition
@options.as_json
def command(as_json: bool, **which: Any) -> None:
    """Validate DEFINITION as a whole: keys, files, columns, dictionaries, templates, capacities, engines. Starts no JVM."""
    from pipelines import trainings
    from textmill.errors import DefinitionError

    pipeline = options.load(**which)
    if problems := trainings.unready(pipeline, pipeline.nodes):
        raise DefinitionError(problems)
    notes = [note for node in pipeline.nodes.values() if node.resources for note in node.resources.notes]
    if as_json:
        options.print_json({"ok": True, "steps": list(pipeline.nodes), "notes": notes})
    else:
        for note in notes:
            console.say(console.shown(note))
        console.say(f"{pipeline.file}: {len(pipeline.nodes)} steps, no problem found")
