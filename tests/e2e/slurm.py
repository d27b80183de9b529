"""A Slurm of its own on this machine: munged, slurmctld and slurmd on free ports, in a folder of their own."""

from __future__ import annotations

import getpass
import os
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

DAEMONS = ("munged", "slurmctld", "slurmd")
_PATH = f"/usr/sbin:/sbin:{os.environ.get('PATH', '')}"


def missing() -> list[str]:
    """Programs that are not installed (Debian: slurm-wlm, munge)."""
    return [name for name in (*DAEMONS, "sbatch", "srun", "scontrol") if shutil.which(name, path=_PATH) is None]


@contextmanager
def running(folder: Path, cpus: int = 2) -> Iterator[dict[str, str]]:
    """The environment in which Slurm's commands reach it; all daemons have ended after the block."""
    folder.chmod(0o755)
    (folder / "munge.key").write_bytes(secrets.token_bytes(1024))
    (folder / "munge.key").chmod(0o400)
    (folder / "slurm.conf").write_text(_configuration(folder, cpus), encoding="utf-8")
    environ = {**os.environ, "PATH": _PATH, "SLURM_CONF": str(folder / "slurm.conf")}
    given = {"--key-file": "munge.key", "--socket": "munge.socket", "--pid-file": "munged.pid",
             "--log-file": "munged.log", "--seed-file": "munged.seed"}  # fmt: skip
    munge = [f"{option}={folder / file}" for option, file in given.items()]
    commands = (["munged", "--foreground", "--force", *munge], ["slurmctld", "-D"], ["slurmd", "-D"])
    started: list[subprocess.Popen[bytes]] = []
    try:
        for command, sign in zip(commands, ("munge.socket", "state/clustername", ""), strict=True):
            with (folder / f"{command[0]}.out").open("wb") as out:
                started.append(subprocess.Popen(command, env=environ, stdout=out, stderr=subprocess.STDOUT))
            _wait(lambda sign=sign: (folder / sign).exists(), folder)  # type: ignore[misc]
        _wait(lambda: b"idle" in subprocess.run(["sinfo", "-h"], env=environ, capture_output=True, check=False).stdout, folder)
        yield environ
    finally:
        for daemon in reversed(started):
            daemon.terminate()
            daemon.wait(timeout=60)


def _configuration(folder: Path, cpus: int) -> str:
    user, host = getpass.getuser(), socket.gethostname().partition(".")[0]
    (folder / "state").mkdir()
    (folder / "spool").mkdir()
    given = {
        "ClusterName": "textmill", "SlurmctldHost": f"{host}(127.0.0.1)", "SlurmUser": user, "SlurmdUser": user,
        "AuthType": "auth/munge", "AuthInfo": f"socket={folder}/munge.socket", "CredType": "cred/munge",
        "SlurmctldPort": _free(), "SlurmdPort": _free(), "StateSaveLocation": f"{folder}/state",
        "SlurmdSpoolDir": f"{folder}/spool", "SlurmctldPidFile": f"{folder}/slurmctld.pid",
        "SlurmdPidFile": f"{folder}/slurmd.pid", "SlurmctldLogFile": f"{folder}/slurmctld.log",
        "SlurmdLogFile": f"{folder}/slurmd.log",
        # Without control groups, which containers don't let it make.
        "ProctrackType": "proctrack/linuxproc", "TaskPlugin": "task/none", "JobAcctGatherType": "jobacct_gather/none",
        "AccountingStorageType": "accounting_storage/none", "SelectType": "select/cons_tres",
        "SelectTypeParameters": "CR_Core", "SwitchType": "switch/none", "MpiDefault": "none", "ReturnToService": 2,
    }  # fmt: skip
    nodes = [f"NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} State=UNKNOWN",
             "PartitionName=test Nodes=ALL Default=YES MaxTime=INFINITE State=UP"]  # fmt: skip
    return "\n".join([*(f"{key}={value}" for key, value in given.items()), *nodes, ""])


def _free() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _wait(ready: object, folder: Path) -> None:
    for _ in range(300):
        if ready():  # type: ignore[operator]
            return
        time.sleep(0.1)
    told = {log.name: log.read_text(errors="replace")[-500:] for log in folder.glob("*.out")}
    raise AssertionError(f"Slurm is not there after 30 s: {told}")
