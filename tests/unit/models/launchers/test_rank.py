"""How a rank finds its number, its host's network and the others; no Horovod is needed for it."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

import pytest

from models.launchers.rank import Meeting, Placed, addresses, named, number, towards
from textmill.errors import EnvironmentProblem


def test_hosts_are_filled_one_after_the_other() -> None:
    every = [Placed(rank, 6, 3).environ() for rank in range(6)]
    numbers = [[one[f"HOROVOD_{name}"] for name in ("RANK", "LOCAL_RANK", "CROSS_RANK")] for one in every]
    assert numbers == [["0", "0", "0"], ["1", "1", "0"], ["2", "2", "0"], ["3", "0", "1"], ["4", "1", "1"], ["5", "2", "1"]]
    assert {(one["HOROVOD_SIZE"], one["HOROVOD_LOCAL_SIZE"], one["HOROVOD_CROSS_SIZE"]) for one in every} == {("6", "3", "2")}
    assert len({one["HOROVOD_HOSTNAME"] for one in every}) == 2


def test_a_peer_is_on_another_host() -> None:
    assert [Placed(rank, 4, 2).peer for rank in range(4)] == [2, 2, 0, 0]
    assert [Placed(rank, 2, 2).peer for rank in range(2)] == [None, None]


def test_the_interface_is_the_one_of_the_route() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("127.0.0.1", 9))
    own = {"eth0": ["192.0.2.7"], "lo": ["127.0.0.1"]}
    assert towards({"lo": ["127.0.0.2"]}, own) == ("lo", "127.0.0.1")
    with pytest.raises(EnvironmentProblem, match="has no route to any of"):
        towards({"lo": ["127.0.0.2"]}, {"eth0": ["192.0.2.7"]})
    assert all(not address.startswith("127.") for found in addresses().values() for address in found)


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
    with pytest.raises(EnvironmentProblem, match=f"gpu1 is {told} to itself.*`192.0.2.7 gpu1` into its /etc/hosts"):
        named("192.0.2.7")


def test_ranks_meet_by_files(tmp_path: Path) -> None:
    one, other = (Meeting(tmp_path / "meeting", Placed(rank, 2, 1)) for rank in range(2))
    later = threading.Timer(0.3, one.tell, ("rendezvous", ["192.0.2.1", 5]))
    later.start()
    assert other.hear("rendezvous", 0, 10) == ["192.0.2.1", 5]
    with pytest.raises(EnvironmentProblem, match=r"rank 0 waited 0 s in vain for rank 1 .*do all hosts see that folder"):
        one.hear("rendezvous", 1, 0.2)


def test_the_number_is_the_launchers() -> None:
    slurm = {"SLURM_PROCID": "3", "SLURM_LOCALID": "1"}
    assert number(slurm, 2) == 3
    # mpirun in an allocation of Slurm: the numbers of Slurm are those of mpirun's own daemons.
    assert number({**slurm, "OMPI_COMM_WORLD_RANK": "0", "OMPI_COMM_WORLD_LOCAL_RANK": "0"}, 2) == 0
    with pytest.raises(EnvironmentProblem, match=r"rank 3 is number 1 of its host and should be 3: .* 4 on each"):
        number(slurm, 4)
    with pytest.raises(EnvironmentProblem, match="give the rank's number by --rank"):
        number({}, 1)
