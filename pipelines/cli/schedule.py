"""`textmill schedule`: let cron or systemd start the daily run."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path

import click

from pipelines import console
from pipelines.cli import options
from textmill.errors import MissingInput


@click.command("schedule")
@click.argument("action", type=click.Choice(["show", "install", "remove"]))
@click.argument("file", metavar="DEFINITION", type=click.Path(path_type=Path))
@click.option("--kind", type=click.Choice(["cron", "systemd"]), default="cron", show_default=True)
@click.option("--set", "sets", multiple=True, metavar="KEY=VALUE", help="Replace a value of the definition: text where the key takes a string, else YAML.")
@click.option("--profile", help="Where to run: a profile of the definition [default: local].")
@options.root_of_definition
@options.as_json
def command(
    action: str, file: Path, kind: str, sets: tuple[str, ...], profile: str | None, root: str | None, as_json: bool
) -> None:
    """Show, install or remove the daily run of DEFINITION at the times of its `schedule: {cron: …}`.

    It is started in the folder in which this command is called. Installed again it takes the earlier one's place.
    """
    from pipelines import daily
    from pipelines.schedules import SCHEDULERS, Entry

    frame = daily.frame(file, sets)
    words = [word for given in sets for word in ("--set", given)] + (["--profile", profile] if profile else [])
    words += _root(file, sets, profile, root)
    program = Path(sys.argv[0]).absolute()
    entry = Entry(frame.name, frame.schedule.cron, Path.cwd(), (str(program), "daily", str(file.absolute()), *words))
    scheduler = SCHEDULERS[kind]
    if action == "show":
        said = scheduler.text(entry)
    elif action == "install":
        _check(file, sets, profile, root)
        said = f"{frame.name} at '{entry.cron}' is in {scheduler.install(entry)}"
    else:
        said = f"{frame.name} is {'out of' if scheduler.remove(frame.name) else 'not in'} {kind}"
    if as_json:
        options.print_json({"name": frame.name, "cron": entry.cron, "kind": kind, "action": action, "text": said})
    else:
        console.say(said.rstrip("\n"))


def _check(file: Path, sets: tuple[str, ...], profile: str | None, root: str | None) -> None:
    """Raise what `check` raises, but for inputs that are not there yet: a run waits for them."""
    with suppress(MissingInput):
        options.load(file, sets, None, profile, None, root)


def _root(file: Path, sets: tuple[str, ...], profile: str | None, given: str | None) -> list[str]:
    """The root as an option where the environment says it: cron and systemd start the run in another one."""
    from pipelines import profiles, roots, source
    from pipelines.overrides import override

    tree = profiles.applied(override(source.read(file), sets), profile or "local")
    wanted = roots.chosen(given, tree.data.get("root"))
    return ["--root", str(wanted)] if given or not tree.data.get("root") and wanted != roots.DEFAULT else []
