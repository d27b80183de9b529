"""Two hosts and a head as network namespaces, with sshd on the hosts: what a GPU cluster looks like to horovodrun."""

from __future__ import annotations

import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from scripts.dev_cluster import enter, network
from scripts.dev_cluster.cluster import WORKERS, Node

SSHD = Path("/usr/sbin/sshd")
PORT = 2222
_CONFIG = """
Port {port}
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/key.pub
PermitRootLogin prohibit-password
PasswordAuthentication no
StrictModes no
UsePAM no
PidFile none
"""
# horovodrun writes down every host it meets: not among those of whoever runs the tests.
_CLIENT = "UserKnownHostsFile /dev/null\nLogLevel ERROR\n"


@dataclass(frozen=True)
class Hosts:
    """`host1` and `host2`; programs are started on the head, which is neither."""

    folder: Path
    nodes: dict[str, Node]

    @property
    def key(self) -> Path:
        """Private key that both hosts know."""
        return self.folder / "key"

    def start(self, name: str, *program: str) -> subprocess.Popen[str]:
        """A program on a node."""
        inside = ["ip", "netns", "exec", str(self.nodes[name].namespace), "unshare", "--uts", "--mount"]
        command = [*inside, sys.executable, enter.__file__, str(self.folder), _called(name), *program]
        log = (self.folder / f"{name}.log").open("w")
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True)

    def on_head(self, *program: str) -> subprocess.Popen[str]:
        """A program that finds the hosts by ssh."""
        mounted = 'mount --bind "$0" /etc/ssh/ssh_config && exec "$@"'
        return self.start("master", "/bin/sh", "-c", mounted, str(self.folder / "ssh_config"), *program)

    def processes(self, name: str, word: str) -> list[psutil.Process]:
        """Those of `host1` or `host2` that have a word in their command line."""
        node = next(node for node in self.nodes.values() if _called(node.name) == name)
        listed = subprocess.run(["ip", "netns", "pids", str(node.namespace)], capture_output=True, text=True, check=True)
        found = []
        for pid in listed.stdout.split():
            try:
                process = psutil.Process(int(pid))
                found += [process] if word in process.cmdline() else []
            except psutil.Error:
                continue
        return found


def _called(node: str) -> str:
    return {**dict(zip(WORKERS, ("host1", "host2"), strict=True)), "master": "head"}[node]


@contextmanager
def running(folder: Path) -> Iterator[Hosts]:
    """Both hosts, as long as the block lasts."""
    mark = secrets.token_hex(4)
    nodes, gateway = network.hosts(mark)
    folder.mkdir(parents=True)
    _write(folder, nodes)
    hosts = Hosts(folder, nodes)
    with ExitStack() as stack:
        stack.callback(network.remove, nodes, mark)
        network.make(nodes, gateway, mark)
        _rename_bridge(str(nodes["master"].namespace))
        for name in WORKERS:
            daemon = hosts.start(name, str(SSHD), "-D", "-e", "-f", str(folder / "sshd_config"))
            stack.callback(_end, daemon)
        yield hosts


def _rename_bridge(namespace: str) -> None:
    """Horovod wants the interface by which the hosts reach each other to be called the same on the head."""
    for words in ("br0 down", "br0 name eth0", "eth0 up"):
        subprocess.run(["ip", "-n", namespace, "link", "set", *words.split()], check=True)


def _write(folder: Path, nodes: dict[str, Node]) -> None:
    for name in ("key", "host_key"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True)
    Path("/run/sshd").mkdir(exist_ok=True)  # where sshd locks up what it has not authenticated yet
    (folder / "sshd_config").write_text(_CONFIG.format(port=PORT, folder=folder), encoding="utf-8")
    (folder / "ssh_config").write_text(_CLIENT, encoding="utf-8")
    named = "".join(f"{node.address} {_called(node.name)}\n" for node in nodes.values())
    (folder / "hosts").write_text(f"127.0.0.1 localhost\n{named}", encoding="utf-8")
    (folder / "resolv.conf").write_text("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n", encoding="utf-8")


def _end(process: subprocess.Popen[str]) -> None:
    for child in psutil.Process(process.pid).children(recursive=True):
        child.kill()
    process.kill()
    process.wait()
    time.sleep(0.1)
