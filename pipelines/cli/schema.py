"""`textmill schema`: the JSON Schema of definitions."""

from __future__ import annotations

import click

from pipelines.cli import options


@click.command("schema")
def command() -> None:
    """Print the JSON Schema of definitions, for editors: `# yaml-language-server: $schema=FILE` as the first line."""
    from pipelines.schema import schema

    options.print_json(schema())
