"""How hosts of a training find the way to each other."""

from __future__ import annotations

import socket

import pytest

from models.launchers import network
from textmill.errors import EnvironmentProblem


def test_the_interface_is_the_one_of_the_route() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("127.0.0.1", 9))
    own = {"eth0": ["192.0.2.7"], "lo": ["127.0.0.1"]}
    assert network.towards({"lo": ["127.0.0.2"]}, own) == ("lo", "127.0.0.1")
    with pytest.raises(EnvironmentProblem, match="has no route to any of"):
        network.towards({"lo": ["127.0.0.2"]}, {"eth0": ["192.0.2.7"]})
    assert all(not address.startswith("127.") for found in network.addresses().values() for address in found)


@pytest.mark.parametrize("found, told", [("127.0.1.1", "127.0.1.1"), (None, r"nothing \(unknown\)")])
def test_a_name_that_only_its_own_host_can_reach_is_refused(
    monkeypatch: pytest.MonkeyPatch, found: str | None, told: str
) -> None:
    def resolve(name: str) -> str:
        if found is None:
            raise socket.gaierror("unknown")
        return found

    monkeypatch.setattr(socket, "gethostname", lambda: "gpu1")
    monkeypatch.setattr(socket, "gethostbyname", resolve)
    monkeypatch.setattr(network, "addresses", lambda: {"eth0": ["192.0.2.7"]})
    given = {"HOROVOD_SIZE": "4", "HOROVOD_LOCAL_SIZE": "2", "HOROVOD_GLOO_RENDEZVOUS_ADDR": "192.0.2.7"}
    with pytest.raises(EnvironmentProblem, match=f"gpu1 is {told} to itself.*`192.0.2.7 gpu1` into its /etc/hosts"):
        network.refuse_loopback({**given, "HOROVOD_GLOO_IFACE": "eth0"})
    network.refuse_loopback({**given, "HOROVOD_LOCAL_SIZE": "4"})  # one host
    network.refuse_loopback({"HOROVOD_SIZE": "4", "HOROVOD_LOCAL_SIZE": "2"})  # MPI
