"""Following an application to its end by polling: a lost client does not lose it."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from scripts.submit import hints
from scripts.submit.hadoop import Hadoop, HadoopFailed
from scripts.submit.resourcemanager import Application, ResourceManager, Unreachable
from textmill.errors import TextmillError

Say = Callable[[str], None]
PATIENCE = 600.0
"""Seconds without an answer of any ResourceManager after which following ends."""
ROOM = 30.0
"""Seconds without a container that was asked for after which the lines to change are told."""


@dataclass(frozen=True)
class Ticket:
    """The small file that remembers which application a request became."""

    path: Path

    def read(self) -> str | None:
        """The application's id."""
        try:
            return str(json.loads(self.path.read_text(encoding="utf-8"))["application"])
        except (OSError, ValueError, LookupError, TypeError, RecursionError):
            return None  # the application is found by its tag

    def write(self, application: str, words: tuple[str, ...]) -> None:
        """Remember it."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        beside = self.path.with_suffix(".new")
        beside.write_text(json.dumps({"application": application, "words": words}) + "\n", encoding="utf-8")
        beside.replace(self.path)

    def remove(self) -> None:
        """Forget it: it has ended."""
        self.path.unlink(missing_ok=True)


def running(manager: ResourceManager, ticket: Ticket, tag: str) -> Application | None:
    """The application of an earlier, same request where it still runs; the ticket may be lost, the tag is with YARN."""
    known = ticket.read()
    found = manager.application(known) if known else None
    if found is not None and not found.ended:
        return found
    return manager.tagged(tag)


def follow(manager: ResourceManager, application: str, say: Say, poll: float = 1.0) -> Application:
    """Tell what changes until the application has ended. Raises TextmillError when YARN is silent or forgot it."""
    told, answered, room = "", time.monotonic(), _Room()
    while True:
        try:
            now = manager.application(application)
            answered = time.monotonic()
        except Unreachable as error:
            if time.monotonic() - answered > PATIENCE:
                raise
            told = _tell(f"waiting for YARN: {error}", told, say)
            time.sleep(5 * poll)
            continue
        if now is None:
            raise TextmillError(f"YARN does not know {application} (any more)")
        if now.ended:
            return now
        told = _tell(_words(now), told, say)
        if lacking := room.lacking(now, answered):
            say(lacking)
        time.sleep(poll)


class _Room:
    """Whether an application waits for containers; YARN lets it do so for ever, and says nothing."""

    def __init__(self) -> None:
        self._since: float | None = None
        self._told = ""

    def lacking(self, now: Application, at: float) -> str | None:
        """What to change, once for each kind of container that has not come for ROOM seconds."""
        kind = now.waits_for
        if not kind:
            self._since = None
            return None
        self._since = at if self._since is None else self._since
        if at - self._since < ROOM or self._told == kind:
            return None
        self._told = kind
        return f"no {kind} for {at - self._since:.0f} s: {hints.room(kind, now.queue)}"


def _tell(words: str, told: str, say: Say) -> str:
    if words != told:
        say(words)
    return words


def _words(now: Application) -> str:
    if now.state == "RUNNING":
        return f"{now.id} runs in queue {now.queue}: {now.tracking}"
    # "[date] Application is added to the scheduler … Queue's AM resource limit exceeded" and the like.
    why = re.sub(r"^\[[^\]]*\]\s*", "", now.diagnostics.partition("Details :")[0]).strip()
    return f"{now.id} is {now.state.lower()} in queue {now.queue}" + (f": {why}" if why else "")


def report(hadoop: Hadoop, ended: Application, conf: Mapping[str, str], say: Say, seconds: float = 30) -> None:
    """Show what the program printed, and where it failed the first error, the last lines of its log and what to change.

    `conf` are the settings of Spark that were given by hand.
    """
    try:
        log = _report(hadoop, ended, say, seconds)
    except HadoopFailed as error:
        log = ""
        say(f"{ended.diagnostics}\n{error}".strip())
    if ended.exit_code and (advice := hints.hint(f"{ended.diagnostics}\n{log}", conf)):
        say(f"to change: {advice}")


def _report(hadoop: Hadoop, ended: Application, say: Say, seconds: float) -> str:
    log = _log(hadoop, ended.id, "stderr", seconds)
    output = _log(hadoop, ended.id, "stdout", 1).strip()
    if output:
        say(output)
    if ended.exit_code == 0:
        return log
    said = telling(log)
    if output and ended.exited:
        said = []  # the program has said why, above; the rest is about its ending
    else:
        say(ended.diagnostics.partition("\n")[0])
    if first := first_error(said):
        say(f"first error: {first}")
    if said:
        say("\n".join(["the driver's log ends:", *(f"    {line}" for line in said[-20:])]))
    say(f"all logs: yarn logs -applicationId {ended.id}")
    return log


# The application master prints how it will start executors between two such lines.
_LAUNCH = re.compile(r"^={20,}\n(?:Default )?YARN executor launch context:.*?^={20,}\n", re.DOTALL | re.MULTILINE)
_SILENT = re.compile(r"^\S+ \S+ (INFO|DEBUG) |ERROR ApplicationMaster: User application exited|^\s*$")
_ERROR = re.compile(r"(\bERROR\b|\bFATAL\b|^(\w+\.)*\w*(Error|Exception)\b|^Caused by: )")


def telling(log: str) -> list[str]:
    """The lines of a driver's log that may say why it failed."""
    return [line for line in _LAUNCH.sub("", log).splitlines() if not _SILENT.search(line)]


def first_error(lines: Sequence[str]) -> str | None:
    """The first line that tells of an error."""
    return next((line.strip() for line in lines if _ERROR.search(line)), None)


def _log(hadoop: Hadoop, application: str, file: str, seconds: float) -> str:
    """A log of the driver; nodes take a moment to collect it after the end."""
    until = time.monotonic() + seconds
    while not (log := hadoop.driver_log(application, file)) and time.monotonic() < until:
        time.sleep(1)
    return log
