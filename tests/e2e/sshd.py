"""A real sshd on this machine, with keys and a port of its own."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PATH = f"/usr/sbin:/sbin:{os.environ.get('PATH', '')}"


def missing() -> list[str]:
    """Programs that are not installed (Debian: openssh-server, openssh-client, rsync)."""
    return [name for name in ("sshd", "ssh", "ssh-keygen", "rsync") if shutil.which(name, path=_PATH) is None]


@contextmanager
def running(folder: Path) -> Iterator[str]:
    """The command that reaches it, as RSYNC_RSH takes it; it has ended after the block."""
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # root's sshd wants that folder, empty
    for name in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True)
    shutil.copyfile(folder / "user.pub", folder / "authorized")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    given = {"Port": port, "ListenAddress": "127.0.0.1", "HostKey": folder / "host", "PidFile": "none",
             "AuthorizedKeysFile": folder / "authorized", "StrictModes": "no", "UsePAM": "no",
             "PasswordAuthentication": "no"}  # fmt: skip
    (folder / "config").write_text("".join(f"{key} {value}\n" for key, value in given.items()), encoding="utf-8")
    command = [str(shutil.which("sshd", path=_PATH)), "-D", "-e", "-f", str(folder / "config")]
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(command, stderr=log)
    try:
        _wait(port, folder / "log")
        yield (
            f"ssh -F none -p {port} -i {folder / 'user'} -o IdentitiesOnly=yes -o BatchMode=yes "
            f"-o StrictHostKeyChecking=no -o UserKnownHostsFile={folder / 'known'} -o LogLevel=ERROR"
        )
    finally:
        server.terminate()
        server.wait()


def _wait(port: int, log: Path) -> None:
    for _ in range(100):
        with socket.socket() as tried:
            if tried.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise AssertionError(f"sshd does not listen: {log.read_text()}")
