"""Where bundles go: a folder, a URI that fsspec reaches, or `host:path` by rsync over ssh."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from textmill import places, quoting
from textmill.errors import EnvironmentProblem, InputError
from textmill.places import Place
from textmill.transfer import cache, copy, download

_HOST = re.compile(r"((?:[^/:@]*@)?(?:[^/:\[\]]+|\[[^/\[\]]*\])):(?!//)(.*)", re.DOTALL)
_SANE = re.compile(r"([\w][\w.+-]*\$?@)?([\w][\w.-]*|\[[0-9A-Fa-f:.]+(%\w+)?\])")
"""A host, perhaps with a user: ssh and rsync take other characters for options, or hand them to a shell."""
_NO_FOLDER = 44
_SSH_FAILED = 255
Described = Mapping[str, Mapping[str, object]]
"""Names of files, each with its `bytes` and `sha256`."""
Moved = Callable[[int], None]
"""Hears how many bytes more have arrived."""


class Target(ABC):
    """A folder somewhere. Its methods raise OSError, or EnvironmentProblem where it can't be reached."""

    @property
    @abstractmethod
    def name(self) -> str:
        """The last part of its path."""

    @abstractmethod
    def read(self, name: str) -> bytes | None:
        """The content of a small file; None where there is none."""

    @abstractmethod
    def wrong(self, files: Described) -> dict[str, str]:
        """What is wrong, by name, with those of these files that are not there with their size and checksum."""

    @abstractmethod
    def put(self, files: Mapping[str, Place], moved: Moved) -> None:
        """Write files, in place of what is there by their names."""

    @abstractmethod
    def remove(self, names: Iterable[str]) -> None:
        """Remove files; those that are not there are no error."""

    @abstractmethod
    def get(self, folder: str, to: Path) -> None:
        """Copy all files under a folder of it to a local one."""

    @abstractmethod
    def program(self, words: Sequence[str]) -> tuple[list[str], Path | None]:
        """The command that runs another one in this folder, and the folder to start it in; raises InputError."""

    def start(self, words: Sequence[str]) -> subprocess.Popen[bytes]:
        """A program that runs in this folder; its output is on one pipe."""
        command, folder = self.program(words)
        return subprocess.Popen(
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )

    def run(self, words: Sequence[str]) -> str:
        """What a program says that runs in this folder; raises EnvironmentProblem where it fails or is not there."""
        command, folder = self.program(words)
        try:
            done = subprocess.run(
                command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
            )
        except FileNotFoundError as error:
            raise EnvironmentProblem(f"{shlex.join(words)} in {self}: {command[0]} is not installed here") from error
        if done.returncode:
            told = (done.stderr or done.stdout).strip()[-500:]
            raise EnvironmentProblem(f"{shlex.join(words)} in {self} ended with status {done.returncode}: {told}")
        return done.stdout


@dataclass(frozen=True)
class Folder(Target):
    """A local folder, or one of any store that fsspec reaches."""

    place: Place

    def __str__(self) -> str:
        return str(self.place)

    @property
    def name(self) -> str:
        """The last part of its path."""
        return self.place.name

    def read(self, name: str) -> bytes | None:
        """The content of a small file; None where there is none."""
        try:
            return (self.place / name).read_bytes()
        except FileNotFoundError:
            return None

    def wrong(self, files: Described) -> dict[str, str]:
        """By what the store says of sizes, then by reading what has the right one."""
        at = {name: self.place / name for name in files}
        said = places.infos(at.values())
        found = {name: _of_size(said[at[name]].size if at[name] in said else None, files[name]) for name in files}
        whole = [name for name, problem in found.items() if problem is None]
        sums = dict(zip(whole, places.in_threads(lambda name: places.checksum(at[name]), whole), strict=True))
        changed = {name: "has changed (its checksum differs)" for name in whole if sums[name] != files[name]["sha256"]}
        return {**{name: problem for name, problem in found.items() if problem}, **changed}

    def put(self, files: Mapping[str, Place], moved: Moved) -> None:
        """Several at a time."""
        for parent in sorted({(self.place / name).parent for name in files}, key=str):
            parent.mkdir(parents=True, exist_ok=True)

        def one(name: str) -> int:
            copy(files[name], self.place / name)
            return places.info(files[name]).size

        for size in places.in_threads(one, files):
            moved(size)

    def remove(self, names: Iterable[str]) -> None:
        """One by one."""
        for name in names:
            (self.place / name).unlink(missing_ok=True)

    def get(self, folder: str, to: Path) -> None:
        """Copy all files under a folder of it to a local one."""
        download(self.place / folder, to)

    def program(self, words: Sequence[str]) -> tuple[list[str], Path | None]:
        """Itself, in this folder; raises InputError where it is none of this machine."""
        if not isinstance(self.place, Path):
            raise InputError(f"{self}: programs can't be started there; a target that is mounted here, or host:path, can")
        return list(words), self.place


@dataclass(frozen=True)
class Host(Target):
    """A folder of another machine, by ssh and rsync; both read the user's ssh configuration, and $RSYNC_RSH."""

    host: str
    path: str

    def __str__(self) -> str:
        return f"{self.host}:{self.path}"

    @property
    def name(self) -> str:
        """The last part of its path."""
        return self.path.rpartition("/")[2]

    def read(self, name: str) -> bytes | None:
        """The content of a small file; None where there is none."""
        done = self._shell(f"test -e {shlex.quote(name)} || exit {_NO_FOLDER}; cat -- {shlex.quote(name)}")
        return None if done.returncode == _NO_FOLDER else self._good(done).stdout

    def wrong(self, files: Described) -> dict[str, str]:
        """By sha256sum over there."""
        if not files:
            return {}
        lines = "".join(f"{described['sha256']}  {name}\n" for name, described in files.items())
        done = self._shell("LC_ALL=C sha256sum --check --quiet -", lines.encode())
        if done.returncode == _NO_FOLDER:
            return dict.fromkeys(files, "is missing")
        if done.returncode not in (0, 1) or done.returncode == 1 and not done.stdout:
            self._good(done)
        failed = (line.rpartition(": ") for line in done.stdout.decode().splitlines())
        told = {"FAILED": "has changed (its checksum differs)", "FAILED open or read": "is missing"}
        return {name: told[what] for name, _, what in failed if what in told}

    def put(self, files: Mapping[str, Place], moved: Moved) -> None:
        """By one rsync, whatever times the files over there have."""
        self._good(self._shell("true", create=True))
        with tempfile.TemporaryDirectory(prefix="send-", dir=cache()) as staged:
            for name, file in files.items():
                _stage(file, Path(staged, name))
            # A line for each file as it arrives; --partial: what a cut-off transfer left is the start of the next.
            words = ["rsync", "-rL", "--ignore-times", "--partial", "--out-format=%i %l"]
            words += ["--protect-args", "--", f"{staged}/", f"{self}/"]
            process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
            with process:
                for what, _, size in (line.partition(b" ") for line in process.stdout or ()):
                    moved(int(size) if what.startswith(b"<f") else 0)  # the others are folders
                said = process.stderr.read().decode(errors="replace") if process.stderr else ""
        if process.returncode:
            raise EnvironmentProblem(f"rsync to {self} ended with status {process.returncode}: {said.strip()[-500:]}")

    def remove(self, names: Iterable[str]) -> None:
        """All at once."""
        done = self._shell("xargs -0 rm -f --", "".join(f"{name}\0" for name in names).encode())
        if done.returncode != _NO_FOLDER:
            self._good(done)

    def get(self, folder: str, to: Path) -> None:
        """By rsync."""
        to.mkdir(parents=True, exist_ok=True)
        words = ["rsync", "-r", "--protect-args", "--", f"{self}/{folder}/", f"{to}/"]
        self._good(subprocess.run(words, capture_output=True, stdin=subprocess.DEVNULL, check=False))

    def program(self, words: Sequence[str]) -> tuple[list[str], Path | None]:
        """By ssh."""
        return [*_ssh(), "--", self.host, f"cd -- {quoting.remote([self.path])} && exec {quoting.remote(words)}"], None

    def _shell(self, script: str, given: bytes = b"", create: bool = False) -> subprocess.CompletedProcess[bytes]:
        """A script in the folder over there; it ends with _NO_FOLDER where there is no such folder."""
        path = quoting.remote([self.path])
        enter = f"mkdir -p -- {path} && cd -- {path}" if create else f"cd -- {path} 2>/dev/null || exit {_NO_FOLDER}"
        words = [*_ssh(), "--", self.host, f"{enter}; {script}"]
        done = subprocess.run(words, input=given, capture_output=True, check=False)
        return self._good(done) if done.returncode == _SSH_FAILED else done

    def _good(self, done: subprocess.CompletedProcess[bytes]) -> subprocess.CompletedProcess[bytes]:
        if done.returncode:
            said = done.stderr.decode(errors="replace").strip()[-500:]
            raise EnvironmentProblem(f"{self}: {said or f'status {done.returncode}'}")
        return done


def target(text: str) -> Target:
    """The target that a word names; raises InputError for a scheme that nothing reaches, or a host that is none."""
    if (found := _host(checked(text))) is not None:
        return Host(found[1], found[2].rstrip("/") or "/")
    return Folder(places.absolute(places.place(text)))


def checked(text: str) -> str:
    """The word itself; raises InputError where it names a host by which ssh or rsync would mean something else."""
    quoting.line(text)
    if (found := _host(text)) is None:
        return text
    host, path = found[1], found[2]
    if not _SANE.fullmatch(host):
        raise InputError(f"{ascii(host)} is no host: [user@]name, of letters, digits, `.`, `_` and `-`, the first no `-` "
                         "(for a folder of that name write ./ before it)")  # fmt: skip
    if not path or path.startswith("-"):
        raise InputError(f"{host}:{path}: the folder is empty or starts with `-`: write {host}:./{path}")
    return text


def _host(text: str) -> re.Match[str] | None:
    return None if places.is_uri(text) else _HOST.fullmatch(text)


def _of_size(size: int | None, described: Mapping[str, object]) -> str | None:
    if size is None:
        return "is missing"
    return None if size == described["bytes"] else f"has {size:,} bytes instead of {described['bytes']:,}"


def _stage(file: Place, at: Path) -> None:
    at.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(file, Path):
        at.symlink_to(file.absolute())
    else:
        copy(file, at)


def _ssh() -> list[str]:
    return shlex.split(os.environ.get("RSYNC_RSH", "ssh"))
