"""What horovodrun is called with, where it puts ranks, and what of the environment it may hand on."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.launchers import ssh
from models.launchers.ssh import Horovodrun


def test_the_command_names_hosts_port_key_and_interfaces() -> None:
    launch = Horovodrun("gpu1:8,gpu2:8", 16, ssh_port=2222, ssh_key="~/.ssh/mill", interfaces=("eth0", "ib0"))
    words = launch.command(["python", "-m", "worker"])
    assert words[0] == "horovodrun" and words[-3:] == ["python", "-m", "worker"]
    given = dict(zip(words, words[1:], strict=False))
    assert (given["-np"], given["-H"], given["-p"], given["-i"]) == ("16", "gpu1:8,gpu2:8", "2222", "~/.ssh/mill")
    assert given["--network-interfaces"] == "eth0,ib0"
    assert "--min-np" not in words


def test_elastic_training_has_a_least_and_a_most() -> None:
    words = Horovodrun("a:2,b:2", 4, min_ranks=2).command(["true"])
    given = dict(zip(words, words[1:], strict=False))
    assert (given["--min-np"], given["--max-np"], given["--elastic-timeout"]) == ("2", "4", "60")


@pytest.mark.parametrize(("hosts", "flags"), [("localhost:2", ["--network-interfaces", "lo"]), ("gpu1:2", [])])
def test_ranks_of_this_machine_talk_over_loopback(hosts: str, flags: list[str]) -> None:
    words = Horovodrun(hosts, 2).command(["true"])
    assert [word for word in words if word in ("--network-interfaces", "lo")] == flags


def test_credentials_are_not_handed_on() -> None:
    given = {"PATH": "/bin", "AWS_SECRET_ACCESS_KEY": "x", "TF_FORCE_GPU": "1", "MY_TOKEN": "x", "NCCL_DEBUG": "INFO"}
    assert set(ssh.handed_on(given)) == {"PATH", "TF_FORCE_GPU", "NCCL_DEBUG"}


def test_a_dry_run_is_what_a_shell_would_run() -> None:
    launch = Horovodrun("a:1,b:1", 2, environment=("TEXTMILL_ALIVE=1",))
    words = shlex.split(launch.dry_run(["python", "-m", "worker", "a job.json"]).replace("\\\n", " "))
    assert words[words.index("horovodrun") :] == launch.command(["python", "-m", "worker", "a job.json"])
    assert "TEXTMILL_ALIVE=1" in words[: words.index("horovodrun")]


@given(st.lists(st.integers(1, 9), min_size=1, max_size=6), st.data())
def test_every_rank_has_a_host_with_room(rooms: list[int], data: st.DataObject) -> None:
    ranks = data.draw(st.integers(1, sum(rooms)))
    hosts = ",".join(f"h{number}:{room}" for number, room in enumerate(rooms))
    slots = Horovodrun(hosts, ranks).slots
    assert [slot.rank for slot in slots] == list(range(ranks))
    taken = [sum(slot.host == f"h{number}" for slot in slots) for number in range(len(rooms))]
    assert all(count <= room for count, room in zip(taken, rooms, strict=True))
    assert [slot.host for slot in slots] == sorted(slot.host for slot in slots)
