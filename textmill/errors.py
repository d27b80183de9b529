"""One root for every error textmill raises on purpose; `exit_code` is what the command line returns."""

from __future__ import annotations

import errno
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


class TextmillError(Exception):
    """Root of textmill's errors. Exit code 1: the run failed."""

    exit_code = 1
    resume: str | None = None
    """The command that goes on from where a run failed."""


class InputError(ValueError, TextmillError):
    """What the user gave is wrong (a file, a column, a template, too few rows). Exit code 2."""

    exit_code = 2


@dataclass(frozen=True)
class Problem:
    """One thing wrong in a definition, in a template or in a dictionary file."""

    where: str
    """`file:line`, or `--set` for a value from the command line."""
    key: str
    """Dotted path of the key, for example `steps.clean.min_chars`; may be empty."""
    message: str

    def __str__(self) -> str:
        return f"{self.where} {self.key}: {self.message}" if self.key else f"{self.where}: {self.message}"


class DefinitionError(InputError):
    """All the problems of a definition at once, one a line."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class MissingInput(DefinitionError):
    """The definition is right, and files it names are not there (yet)."""


class CheckFailed(TextmillError):
    """A check of the definition, or an input's limit of bad records, does not hold."""


_FREE = "make room there (`textmill gc` removes what nothing refers to) and run again: what is whole is reused"
_ALLOW = "it has to be written by this user: mount it for writing, change its owner or its mode, or take another root"
_CURES = {
    errno.ENOSPC: _FREE,
    errno.EDQUOT: _FREE,
    errno.EROFS: _ALLOW,
    errno.EACCES: _ALLOW,
    errno.EPERM: _ALLOW,
}


class StoreFailed(TextmillError):
    """Files could not be read or written, as on a full disk; names the file."""

    @classmethod
    def of(cls, error: OSError) -> StoreFailed:
        """What a file system said."""
        said = error.strerror or str(error).strip().partition("\n")[0] or type(error).__name__
        cure = _CURES.get(error.errno or 0, "")
        return cls("; ".join(filter(None, (": ".join(filter(None, (str(error.filename or ""), said))), cure))))


class Unreadable(ValueError, TextmillError):
    """A file that textmill wrote is damaged; names it, says what is wrong with it and what to do. Exit code 1."""

    def __init__(self, file: Any, why: str, cure: str = "") -> None:
        self.file, self.why, self.cure = file, why, cure
        super().__init__("; ".join(filter(None, (f"{file} is damaged: {why}", cure))))


class StepFailed(TextmillError):
    """A step of a run failed; its cause is chained."""


class EnvironmentProblem(TextmillError):
    """Java, the jar, or a library is missing or of a version that does not fit; says what to install."""


class EngineUnavailable(ImportError, EnvironmentProblem):
    """A training engine's packages are not installed; says which command installs them."""


class WorkerLost(TextmillError):
    """A training worker ended without a result; names its rank, host, status and last log lines."""

    def __init__(self, rank: int, host: str, status: str, log: str, tail: Sequence[str]) -> None:
        self.rank, self.host, self.status, self.log, self.tail = rank, host, status, log, tuple(tail)
        said = "".join(["ends:", *(f"\n    {line}" for line in self.tail)]) if self.tail else "is empty"
        super().__init__(f"rank {rank} on {host} ended with {status}; its log {log} {said}")
