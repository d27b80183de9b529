"""The command line of scripts/submit.sh."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from pipelines import console
from pipelines.cli.program import AGAIN
from scripts.submit import bundle, command, environment, follow, hints, request, stages
from scripts.submit.hadoop import SPARK_HOME, Hadoop
from scripts.submit.resourcemanager import Application, ResourceManager
from scripts.submit.settings import Settings, Shipped
from scripts.submit.stages import split
from spark_jobs import installation
from textmill.errors import InputError, TextmillError

CACHE = installation.CHECKOUT / ".cache/submit"


def _pairs(context: click.Context, option: click.Parameter, values: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    for value in values:
        if "=" not in value:
            raise click.BadParameter(f"{value!r}: write KEY=VALUE")
    return tuple((key, value) for key, _, value in (pair.partition("=") for pair in values))


@click.command(
    context_settings={"allow_interspersed_args": False, "ignore_unknown_options": False, "max_content_width": 110}
)
@click.option("--mode", type=click.Choice(["cluster", "client"]), default="cluster", help="Where the driver runs.")
@click.option("--queue", help="Queue of YARN [default: the profile's].")
@click.option("--executors", type=click.IntRange(1), help="This many [default: as many as there is work].")
@click.option("--cores", type=click.IntRange(1), help="Cores of each executor [default: 1].")
@click.option("--memory", help="Heap of each executor [default: the profile's].")
@click.option("--driver-memory", default="2g", show_default=True, help="Heap of the driver.")
@click.option("--python", help="Interpreter that every node has, instead of shipping this environment.")
@click.option("--keytab", type=click.Path(exists=True, path_type=Path), help="For a cluster with Kerberos.")
@click.option("--principal", help="For a cluster with Kerberos.")
@click.option("--conf", multiple=True, callback=_pairs, metavar="KEY=VALUE", help="Any other setting of Spark.")
@click.option(
    "--attempts",
    type=click.IntRange(1),
    default=2,
    show_default=True,
    help="Submit so often where the application master is lost; finished steps are reused.",
)
@click.option("--dry-run", is_flag=True, help="Print the spark-submit command and do nothing.")
@click.argument("words", nargs=-1, required=True, type=click.UNPROCESSED, metavar="VERB [ARGUMENT]…")
def cli(words: tuple[str, ...], dry_run: bool, attempts: int, **given: Any) -> int:
    """Run `textmill VERB …` on YARN. The same call attaches to the application where it still runs.

    A run that trains on executors becomes two applications: see docs/cluster.md.
    """
    asked = request.parse(words)
    hadoop = Hadoop.from_environment()
    manager = ResourceManager(hadoop.resource_managers())
    found = [_Stage(one, hadoop, manager) for one in split(asked, _settings(asked, hadoop, given))]
    if dry_run:
        for stage in found:
            console.say(shlex.join(stage.command(upload=False)))
        return 0
    # What an earlier call has come to: the stages before it are done.
    runs = [stage.earlier() for stage in found]
    first = next((number for number in reversed(range(len(found))) if runs[number]), 0)
    for stage, earlier in zip(found[first:], runs[first:], strict=True):
        if code := stage.carry_out(earlier, attempts):
            return code
    return 0


class _Stage:
    """One application of a call: what it is asked, and how it comes to its end."""

    def __init__(self, one: stages.Application, hadoop: Hadoop, manager: ResourceManager) -> None:
        self.asked, self.settings, self.title = one.asked, one.settings, one.title
        self.hadoop, self.manager = hadoop, manager
        self.tag = self.asked.key(manager.addresses[0])
        self.ticket = follow.Ticket(CACHE / "applications" / f"{self.tag}.json")

    def command(self, *, upload: bool) -> list[str]:
        """The words of spark-submit; with `upload` what it ships is on the cluster then."""
        return _command(self.asked, self.hadoop, self.settings, self.tag, upload=upload)

    def earlier(self) -> Application | None:
        """The application that an earlier, same call has begun, where it still runs."""
        return follow.running(self.manager, self.ticket, self.tag)

    def carry_out(self, earlier: Application | None, attempts: int) -> int:
        """Begin it, or attach to the earlier one; the exit code at its end."""
        if self.title:
            console.say(self.title)
        if earlier is None:
            _check_queue(self.manager, self.settings.queue)
        if earlier is None and self.settings.mode == "client":
            command_here = self.command(upload=True)
            return subprocess.run(command_here, env=_environ(self.settings), check=False).returncode
        application = _attach(earlier, self.asked, self.ticket) if earlier else self._begin()
        try:
            ended = _carried(application, self._begin, attempts, self.manager)
        except KeyboardInterrupt as interrupt:
            return _interrupted(self.hadoop, self.ticket, str(interrupt) or application)
        self.ticket.remove()
        follow.report(self.hadoop, ended, dict(self.settings.conf), console.say)
        _verdict(ended)
        return ended.exit_code

    def _begin(self) -> str:
        return _submit(self.command(upload=True), self.settings, self.asked, self.ticket)


def _check_queue(manager: ResourceManager, queue: str | None) -> None:
    """Raise InputError where the queue is not there or takes nothing; spark-submit would find out after its uploads."""
    known = manager.queues() if queue else {}
    if queue and known and known.get(queue.rpartition(".")[2]) != "RUNNING":
        takes = ", ".join(sorted(name for name, state in known.items() if state == "RUNNING")) or "none"
        raise InputError(f"queue {queue} takes no application (--queue, profiles.NAME.spark.queue); these do: {takes}")


def _settings(asked: request.Request, hadoop: Hadoop, given: dict[str, Any]) -> Settings:
    """What the options say, else what the profile says, else the defaults."""
    profile = asked.pipeline.profile.spark.model_dump() if asked.pipeline else {}
    named = {name: profile[name] for name in ("queue", "executors", "cores", "memory") if profile.get(name)}
    settings = replace(Settings(), **named | {name: value for name, value in given.items() if value is not None})
    if bool(settings.keytab) != bool(settings.principal):
        raise InputError("--keytab and --principal belong together")
    conf = dict(profile.get("conf") or {}) | dict(settings.conf)
    if asked.pipeline and request.uses_local_disk(asked.pipeline):
        staging = f"{hadoop.file_system}/user"  # Spark adds the user's name
        disk = {"spark.hadoop.fs.defaultFS": "file:///", "spark.yarn.stagingDir": staging}
        conf = disk | conf
    return replace(settings, conf=tuple(conf.items()))


def _command(asked: request.Request, hadoop: Hadoop, settings: Settings, tag: str, *, upload: bool) -> list[str]:
    definition = place = None
    if asked.file and asked.pipeline and settings.mode == "cluster":
        path, place = bundle.definition(CACHE, asked.file, request.files(asked.pipeline))
        definition = str(path)
    words = request.on_cluster(asked, place, hadoop.file_system)
    shipped = Shipped(
        application=str(installation.CHECKOUT / "scripts/job.py"),
        code=str(bundle.code(CACHE)),
        jar=str(installation.jar()),
        definition=definition,
        **_uploaded(hadoop, settings, upload=upload),
    )
    name = f"textmill {' '.join(asked.words[:2])}"
    environ = request.environment(asked.file) | {AGAIN: _again(asked)}
    return command.build(str(SPARK_HOME / "bin/spark-submit"), settings, shipped, name, tag, environ, words)


def _uploaded(hadoop: Hadoop, settings: Settings, *, upload: bool) -> dict[str, str]:
    """URIs of the environment and of Spark's jars, where they are not given otherwise."""
    area = f"{hadoop.home(settings.principal)}/.textmill"
    wanted = {}
    if settings.python is None:
        wanted["environment"] = (f"{area}/{environment.environment_name()}", environment.pack_environment)
    if not {"spark.yarn.archive", "spark.yarn.jars"} & dict(settings.conf).keys():
        wanted["spark"] = (f"{area}/{environment.spark_name()}", environment.pack_spark)
    if upload:
        for uri, make in wanted.values():
            environment.ensure(hadoop, uri, make, CACHE, console.say)
    return {name: uri for name, (uri, _) in wanted.items()}


def _environ(settings: Settings) -> dict[str, str]:
    """Variables for spark-submit."""
    java, _ = installation.java()
    environ = {**os.environ, "JAVA_HOME": str(java.parent.parent), "SPARK_HOME": str(SPARK_HOME)}
    if settings.mode == "client":
        return {**environ, "PYSPARK_PYTHON": sys.executable}
    # spark-submit would hand these on to the containers, where their folders do not exist
    return {name: value for name, value in environ.items() if name not in ("PYTHONPATH", "PYSPARK_PYTHON")}


def _submit(words: list[str], settings: Settings, asked: request.Request, ticket: follow.Ticket) -> str:
    """The id of the new application; raises TextmillError where YARN does not take it."""
    done = subprocess.run(
        words, env=_environ(settings), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    found = re.search(r"Submitted application (application_\d+_\d+)", done.stdout)
    if not found:
        console.say("\n".join(done.stdout.splitlines()[-30:]), err=True)
        advice = hints.hint(done.stdout, dict(settings.conf))
        said = "YARN did not take the application; spark-submit's last words are above"
        raise TextmillError(f"{said}: {advice}" if advice else said)
    ticket.write(found[1], asked.words)
    console.say(f"submitted {found[1]}")
    return found[1]


def _attach(earlier: Application, asked: request.Request, ticket: follow.Ticket) -> str:
    console.say(f"attached to {earlier.id}, which runs since an earlier call")
    ticket.write(earlier.id, asked.words)
    return earlier.id


def _carried(application: str, begin: Callable[[], str], attempts: int, manager: ResourceManager) -> Application:
    """The application at its end, or one begun anew where it lost its driver by no doing of its own.

    Raises KeyboardInterrupt with the id of the application that runs.
    """
    try:
        ended = follow.follow(manager, application, console.say)
        while ended.lost and (attempts := attempts - 1):
            console.say(f"{application} lost its application master; submitting again, finished steps are reused")
            application = begin()
            ended = follow.follow(manager, application, console.say)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(application) from None
    return ended


def _again(asked: request.Request | None = None) -> str:
    """This very call, which attaches or resumes; with the day of the request, midnight or not."""
    words = sys.argv[1:]
    if asked and asked.pipeline and not any(word.startswith("--date") for word in words):
        words = [*words, "--date", asked.pipeline.date.isoformat()]
    return shlex.join(["scripts/submit.sh", *words])


def _verdict(ended: Application) -> None:
    how = ended.final_status.lower() if ended.state == "FINISHED" else ended.state.lower()
    console.say(f"{ended.id} {how}")
    if ended.exit_code:
        console.say(f"resume: {_again()}", err=True)


def _interrupted(hadoop: Hadoop, ticket: follow.Ticket, application: str) -> int:
    """Ask what to do with the application; where nobody can answer it runs on."""
    if sys.stdin.isatty() and click.confirm(f"\nkill {application}?", default=False, err=True):
        hadoop.kill(application)
        ticket.remove()
        console.say(f"killed {application}", err=True)
    else:
        console.say(f"{application} runs on; attach: {_again()}", err=True)
    return 130


def main() -> None:
    """Exit with the application's code, 2 where the input is wrong, 130 interrupted."""
    try:
        sys.exit(cli(standalone_mode=False) or 0)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except TextmillError as error:
        console.say(str(error), err=True)
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        console.say("interrupted", err=True)
        sys.exit(130)


if __name__ == "__main__":
    main()
