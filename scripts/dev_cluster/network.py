"""Nodes: addresses of the loopback interface, or a network namespace each (`--hosts`).

The bridge is inside the master's namespace. The machine itself gets one veth, by which programs outside reach the
nodes; it goes with the namespace.
"""

from __future__ import annotations

import ipaddress
import os
import random
import shutil
import socket
import subprocess
from pathlib import Path

from scripts.dev_cluster.cluster import WORKERS, Node
from textmill.errors import EnvironmentProblem, InputError

NODES = ("master", *WORKERS)


def loopback() -> dict[str, Node]:
    """Addresses of the loopback interface, different ones so that executors have different host names."""
    return {name: Node(name, f"127.0.0.{10 + n if n else 1}") for n, name in enumerate(NODES)}


def check_hosts() -> None:
    """Raises InputError unless namespaces can be made here; before anything is."""
    if os.geteuid():
        raise InputError("--hosts makes network namespaces, which only root may: run it as root, or without --hosts")
    missing = [program for program in ("ip", "unshare", "mount") if not shutil.which(program)]
    if missing:
        raise EnvironmentProblem(f"--hosts needs {', '.join(missing)} (Debian: iproute2, util-linux, mount)")


def hosts(mark: str) -> tuple[dict[str, Node], str]:
    """Nodes in namespaces named after the cluster's mark, not made yet, and the machine's own address among them."""
    net = _free_subnet()
    nodes = {name: Node(name, str(net[10 + n]), f"textmill-{mark[:6]}-{name}") for n, name in enumerate(NODES)}
    return nodes, str(net[1])


def _free_subnet() -> ipaddress.IPv4Network:
    taken = [ipaddress.ip_network(word) for word in _routes()]
    while True:
        net = ipaddress.IPv4Network(f"10.{random.randrange(64, 250)}.{random.randrange(256)}.0/24")
        if not any(net.overlaps(other) for other in taken):
            return net


def _routes() -> list[str]:
    # Without the default route, which overlaps everything.
    words = [line.split()[0] for line in _ip("-4 route show").splitlines() if line]
    return [word for word in words if word[0].isdigit()]


def make(nodes: dict[str, Node], gateway: str, mark: str) -> None:
    """Make the namespaces, the bridge and the veths."""
    master = nodes["master"].namespace
    for node in nodes.values():
        _ip(f"netns add {node.namespace}")
        _ip(f"-n {node.namespace} link set lo up")
    _ip(f"-n {master} link add br0 type bridge")
    _ip(f"-n {master} address add {nodes['master'].address}/24 dev br0")
    _ip(f"-n {master} link set br0 up")
    _ip(f"-n {master} link add to-outside type veth peer name {outside(mark)} netns {os.getpid()}")
    _ip(f"-n {master} link set to-outside master br0 up")
    _ip(f"address add {gateway}/24 dev {outside(mark)}")
    _ip(f"link set {outside(mark)} up")
    for name in WORKERS:
        _join(nodes[name], str(master))
    for node in nodes.values():
        # Leads nowhere, but programs that ask for "the address by which I reach the world" get an answer.
        _ip(f"-n {node.namespace} route add default via {gateway}")


def _join(node: Node, master: str) -> None:
    _ip(f"-n {master} link add {node.name} type veth peer name eth0 netns {node.namespace}")
    _ip(f"-n {master} link set {node.name} master br0 up")
    _ip(f"-n {node.namespace} address add {node.address}/24 dev eth0")
    _ip(f"-n {node.namespace} link set eth0 up")


def outside(mark: str) -> str:
    """Name of the machine's own end; at most 15 characters are allowed."""
    return f"textmill-{mark[:6]}"


def remove(nodes: dict[str, Node], mark: str) -> None:
    """Remove namespaces and links, whichever of them there are."""
    there = _ip("netns list").split()
    if f"{outside(mark)}@" in _ip("-o link show"):
        _ip(f"link delete {outside(mark)}")
    for node in nodes.values():
        if node.namespace in there:
            _ip(f"netns delete {node.namespace}")


def files(folder: Path, nodes: dict[str, Node]) -> None:
    """Write what /etc/hosts and /etc/resolv.conf are inside of the namespaces.

    A node's name means 127.0.0.1 there, as on Debian, and no address has a name: so everything announces addresses,
    which programs outside of the namespaces can use too.
    """
    (folder / "hosts").write_text(f"127.0.0.1 localhost {' '.join(nodes)}\n", encoding="utf-8")
    (folder / "resolv.conf").write_text("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n", encoding="utf-8")


def master_names(folder: Path, master: Node) -> Path:
    """Write and return the file of host names for the ResourceManager of the loopback form, for `jdk.net.hosts.file`.

    It replaces loopback addresses in the links that it hands out by this machine's name, where nothing listens: so this
    machine's name is made to mean its own address, and its address to have no name but itself.
    """
    path = folder / "master-names"
    path.write_text(f"{master.address} {master.address}\n{master.address} {socket.gethostname()}\n", encoding="utf-8")
    return path


def _ip(words: str) -> str:
    done = subprocess.run(["ip", *words.split()], capture_output=True, text=True, check=False)
    if done.returncode:
        raise EnvironmentProblem(f"`ip {words}` failed: {done.stderr.strip()}")
    return done.stdout
