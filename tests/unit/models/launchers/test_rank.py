"""How a rank finds its number and the others; no Horovod is needed for it."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from models.launchers.rank import Meeting, Placed, number
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
