"""`textmill serve`: answer over HTTP with a published model."""

from __future__ import annotations

import click

from pipelines import console
from pipelines.cli import options
from textmill.errors import EnvironmentProblem


@click.command("serve")
@click.argument("name", type=options.Name())
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on; 0.0.0.0 is all.")
@click.option("--port", default=8080, show_default=True, type=click.IntRange(0, 65535), help="0 takes a free one.")
@click.option("--threads", default=1, show_default=True, type=click.IntRange(1), help="Threads of the model.")
@click.option("--watch", default=2.0, show_default=True, help="Seconds between looks for a new current version.")
@options.root
def command(name: str, host: str, port: int, threads: int, watch: float, root: str | None) -> None:
    """Serve the current version of the model NAME: POST /predict, GET /healthz, /metrics, /openapi.json."""
    try:
        from pipelines.serve.server import serve
    except ModuleNotFoundError as error:
        raise EnvironmentProblem(f"{error.name} is not installed: pip install 'textmill[local,serve]'") from error
    from pipelines.versions import Versions

    serve(Versions(options.runs_root(root), name), host, port, threads, watch, lambda text: console.say(text))
