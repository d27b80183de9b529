"""The program as it was called: a command that a verb prints must run as it is printed."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Sequence

AGAIN = "TEXTMILL_AGAIN"
"""Variable with the command that resumes, where it is not this one: scripts/submit.sh sets it for its container."""


def words() -> list[str]:
    """The words before the verb: a path, a name that is on the PATH, or an interpreter and what it was given."""
    called = sys.argv[0]
    spec = getattr(sys.modules.get("__main__"), "__spec__", None)
    if spec is not None:  # python -m
        return [sys.executable, "-m", spec.name.removesuffix(".__main__")]
    if os.sep not in called and shutil.which(called):
        return [called]
    if os.path.isfile(called):
        return [called] if os.sep in called and os.access(called, os.X_OK) else [sys.executable, called]
    return ["textmill"]  # another program called a verb as a function


def again(arguments: Sequence[str]) -> str:
    """The line for a shell that calls this program with other arguments, or resumes what called it."""
    return os.environ.get(AGAIN) or shlex.join([*words(), *arguments])
