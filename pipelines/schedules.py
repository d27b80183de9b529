"""A definition's schedule in the user's crontab, or as a timer of the user's systemd."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipelines import crontime
from textmill import names, quoting
from textmill.errors import EnvironmentProblem, InputError

_MARK = "# textmill schedule of"
_NONE = re.compile("no f?crontab|no such file", re.IGNORECASE)
"""How `crontab -l` says that the user has none."""


@dataclass(frozen=True)
class Entry:
    """What is to be started, and when."""

    name: str
    cron: str
    folder: Path
    """Where it is started: relative paths such as the root's are meant from there."""
    command: tuple[str, ...]

    @property
    def log(self) -> Path:
        """What cron's runs print."""
        return self.folder / f"{self.name}.daily.log"


class Crontab:
    """The crontab of the user; raises EnvironmentProblem where cron is not installed."""

    kind = "cron"

    def text(self, entry: Entry) -> str:
        """The two lines of an entry."""
        folder, log = quoting.crontab(str(entry.folder)), quoting.crontab(str(entry.log))
        command = " ".join(map(quoting.crontab, entry.command))
        return f"{_MARK} {names.checked(entry.name)}\n{crontime.checked(entry.cron)} cd {folder} && {command} >> {log} 2>&1\n"

    def install(self, entry: Entry) -> str:
        """Put the entry in, in place of an earlier one; where it is."""
        kept = self._without(entry.name)
        _run(["crontab", "-"], kept + self.text(entry))
        return "the crontab (crontab -l shows it)"

    def remove(self, name: str) -> bool:
        """Take the entry out; whether there was one."""
        before, kept = self._read(), self._without(name)
        if before == kept:
            return False
        _run(["crontab", "-"] if kept.strip() else ["crontab", "-r"], kept)
        return True

    def _without(self, name: str) -> str:
        kept, skip = [], False
        for line in re.findall("[^\n]*\n|[^\n]+", self._read()):  # cron knows no other line breaks
            if skip:
                skip = False
            elif line.rstrip("\n") == f"{_MARK} {name}":
                skip = True  # and the line after it
            else:
                kept.append(line)
        return "".join(one if one.endswith("\n") else f"{one}\n" for one in kept)

    def _read(self) -> str:
        try:
            done = subprocess.run(["crontab", "-l"], capture_output=True, check=False)
        except FileNotFoundError:
            raise EnvironmentProblem("crontab is not installed (Debian: cron); or use --kind systemd") from None
        said = done.stderr.decode(errors="replace").strip()
        if done.returncode and not _NONE.search(said):  # an empty one must not take the place of what can't be read
            raise EnvironmentProblem(f"crontab -l ended with status {done.returncode}: {said}")
        return "" if done.returncode else done.stdout.decode(errors="surrogateescape")


class SystemdTimer:
    """A timer among the user's units. After a time when the machine was off, it catches up at once (Persistent)."""

    kind = "systemd"

    def text(self, entry: Entry) -> str:
        """Both unit files."""
        return "".join(f"# {file}\n{content}\n" for file, content in self._files(entry).items())

    def install(self, entry: Entry) -> str:
        """Write the units and start the timer; where they are."""
        for file, content in self._files(entry).items():
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content, encoding="utf-8")
        timer = f"{_unit(entry.name)}.timer"
        _run(["systemctl", "--user", "daemon-reload"])
        _run(["systemctl", "--user", "enable", "--now", timer])
        return f"{_units() / timer} (systemctl --user list-timers shows it)"

    def remove(self, name: str) -> bool:
        """Stop the timer and remove the units; whether there were any."""
        files = [_units() / f"{_unit(name)}.{kind}" for kind in ("timer", "service")]
        if not any(file.exists() for file in files):
            return False
        _run(["systemctl", "--user", "disable", "--now", files[0].name])
        for file in files:
            file.unlink(missing_ok=True)
        _run(["systemctl", "--user", "daemon-reload"])
        return True

    def _files(self, entry: Entry) -> dict[Path, str]:
        try:
            moments = crontime.calendar(entry.cron)
        except ValueError as error:
            raise InputError(str(error)) from error
        program, *more = entry.command
        words = " ".join([quoting.systemd_program(program), *map(quoting.systemd, more)])
        service = (
            f"[Unit]\nDescription=textmill daily {names.checked(entry.name)}\n\n[Service]\nType=oneshot\n"
            f"WorkingDirectory={quoting.systemd_path(str(entry.folder))}\nExecStart={words}\n"
        )
        timer = (
            f"[Unit]\nDescription=textmill daily {entry.name}\n\n[Timer]\nOnCalendar={moments}\nPersistent=true\n\n"
            "[Install]\nWantedBy=timers.target\n"
        )
        unit = _units() / _unit(entry.name)
        return {unit.with_name(f"{unit.name}.service"): service, unit.with_name(f"{unit.name}.timer"): timer}


SCHEDULERS: dict[str, Crontab | SystemdTimer] = {found.kind: found for found in (Crontab(), SystemdTimer())}


def _unit(name: str) -> str:
    return f"textmill-{name}"


def _units() -> Path:
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "systemd/user"


def _run(command: Sequence[str], given: str = "") -> None:
    try:
        subprocess.run(command, input=given.encode(errors="surrogateescape"), capture_output=True, check=True)
    except FileNotFoundError:
        raise EnvironmentProblem(f"{command[0]} is not installed") from None
    except subprocess.CalledProcessError as error:
        raise EnvironmentProblem(f"{shlex.join(command)}: {error.stderr.decode(errors='replace').strip() or error}") from error
