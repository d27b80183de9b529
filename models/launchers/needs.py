"""What a launch needs of this machine before it can begin: programs on the PATH, and names that stand for hosts."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Iterable

from models.launchers.base import Scheduler
from models.launchers.ssh import LOOPBACK
from textmill.targets import Host, target


def of_scheduler(scheduler: Scheduler, where: str) -> str:
    """What is missing to submit a bundle that goes to the target `where`; empty where nothing is.

    On a target behind ssh the scheduler's own program runs there, where nobody can look before.
    """
    behind_ssh = isinstance(target(where), Host)
    return _programs(["ssh", "rsync"] if behind_ssh else [scheduler.submit()[0]])


def of_hosts(hosts: Iterable[str]) -> str:
    """What is missing to start ranks on these hosts by ssh; empty where nothing is."""
    others = [host for host in hosts if host not in LOOPBACK]
    return (_programs(["ssh"]) if others else "") or _hosts(others)


def _programs(names: Iterable[str]) -> str:
    missing = [name for name in names if shutil.which(name) is None]
    return f"{' and '.join(missing)} not found on the PATH" if missing else ""


def _hosts(names: Iterable[str]) -> str:
    unknown = [name for name in names if not _is_known(name)]
    return f"no address is known of {' and '.join(unknown)}: look at its spelling, DNS and /etc/hosts" if unknown else ""


def _is_known(host: str) -> bool:
    """Whether a host's name, which may be one of the user's ssh configuration, stands for an address."""
    said = subprocess.run(["ssh", "-G", "--", host], capture_output=True, text=True, check=False).stdout
    named = dict(line.split(" ", 1) for line in said.splitlines() if " " in line)
    try:
        socket.getaddrinfo(named.get("hostname", host), None)
    except (OSError, UnicodeError):
        return False
    return True
