"""By which interface and address the hosts of a Horovod training reach each other."""

from __future__ import annotations

import socket
from collections.abc import Mapping, Sequence

from textmill.errors import EnvironmentProblem


def addresses() -> dict[str, list[str]]:
    """IPv4 addresses of this host by network interface, those of loopback left out."""
    import psutil

    by_name = {name: [one.address for one in found if one.family == socket.AF_INET]
               for name, found in psutil.net_if_addrs().items()}  # fmt: skip
    return {name: found for name, found in by_name.items() if any(not one.startswith("127.") for one in found)}


def towards(others: Mapping[str, Sequence[str]], own: Mapping[str, Sequence[str]]) -> tuple[str, str]:
    """The interface, and its address, by which this host reaches one of another host's addresses."""
    for address in (address for found in others.values() for address in found):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.connect((address, 9))  # nothing is sent: the system only picks the route
            except OSError:
                continue
            here = probe.getsockname()[0]
        if name := next((name for name, found in own.items() if here in found and here != address), None):
            return name, here
    raise EnvironmentProblem(f"{socket.gethostname()} ({dict(own)}) has no route to any of {dict(others)}")


def refuse_loopback(environ: Mapping[str, str]) -> None:
    """Raises EnvironmentProblem where Gloo joins several hosts and this one's name stands for loopback to itself.

    Debian writes such a line into /etc/hosts. Horovod 0.28.1 passes the interface on to its first Gloo context alone;
    that of a set of ranks takes the address of the host's name, and the other hosts would wait for it for ever.
    `environ` is what the launcher gave the rank.
    """
    several = environ.get("HOROVOD_SIZE") != environ.get("HOROVOD_LOCAL_SIZE")
    if not several or "HOROVOD_GLOO_RENDEZVOUS_ADDR" not in environ:
        return
    name = socket.gethostname()
    try:
        found = socket.gethostbyname(name)
    except OSError as error:
        found = f"nothing ({error})"
    if found.startswith(("127.", "nothing")):
        address = next(iter(addresses().get(environ.get("HOROVOD_GLOO_IFACE", ""), ())), "ITS-ADDRESS")
        raise EnvironmentProblem(
            f"{name} is {found} to itself, and no other host can reach that: write `{address} {name}` into its /etc/hosts"
        )
