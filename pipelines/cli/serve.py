"""`textmill serve`: answer over HTTP with a published model."""

from __future__ import annotations

import re

import click

from pipelines import console
from pipelines.cli import options
from textmill.errors import EnvironmentProblem

_HOST = re.compile(r"[A-Za-z0-9_.:\[\]-]+")


def _hosts(_: click.Context, __: click.Parameter, given: tuple[str, ...]) -> tuple[str, ...]:
    if wrong := [name for name in given if not _HOST.fullmatch(name)]:
        raise click.BadParameter(f"{wrong[0]!r} is no name of a host; give each its own --allow-host")
    return given


@click.command("serve")
@click.argument("name", type=options.Name())
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on; 0.0.0.0 is all.")
@click.option("--port", default=8080, show_default=True, type=click.IntRange(0, 65535), help="0 takes a free one.")
@click.option("--threads", default=1, show_default=True, type=click.IntRange(1), help="Threads of the model.")
@click.option("--watch", default=2.0, show_default=True, help="Seconds between looks for a new current version.")
@click.option(
    "--chain-seconds",
    default=30.0,
    show_default=True,
    type=click.FloatRange(0, min_open=True),
    help="An analysis process that gives no answer for so long is killed and started again.",
)
@click.option(
    "--allow-host",
    "allowed",
    multiple=True,
    metavar="NAME",
    callback=_hosts,
    help="A name that clients call this server by, beside its address and localhost.",
)
@click.option("--connections", default=512, show_default=True, type=click.IntRange(1), help="Open at once.")
@click.option(
    "--request-seconds",
    default=10.0,
    show_default=True,
    type=click.FloatRange(0, min_open=True),
    help="For a request's head to come, for its body, and for its answer to be taken.",
)
@options.root
def command(
    name: str, host: str, port: int, threads: int, watch: float, chain_seconds: float, allowed: tuple[str, ...],
    connections: int, request_seconds: float, root: str | None,
) -> None:  # fmt: skip
    """Serve the current version of the model NAME: POST /predict, GET /healthz, /metrics, /openapi.json."""
    try:
        from pipelines.serve.door import Limits
        from pipelines.serve.model import newest
        from pipelines.serve.server import Listening, serve
    except ModuleNotFoundError as error:
        raise EnvironmentProblem(f"{error.name} is not installed: pip install 'textmill[local,serve]'") from error
    from pipelines.versions import Versions

    versions = Versions(options.runs_root(root), name)
    listening = Listening(host, port, allowed, Limits(connections, request_seconds))
    serve(versions, listening, lambda: newest(versions, threads, chain_seconds), watch, console.say)
