"""Engine horovod over ssh on two hosts: it learns what the local engine learns, and says which host lost its rank."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from models import engines
from models.engines.base import TrainJob
from tests.e2e.engines import cases
from tests.e2e.engines.hosts import PORT, SSHD, Hosts, running

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.skipif(not engines.probe("horovod").available, reason=engines.probe("horovod").reason),
    pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces are made by root"),
    pytest.mark.skipif(not SSHD.exists(), reason="no sshd: apt-get install openssh-server"),
]
RANK = "models.engines.horovod_rank"
PROGRAM = """
import json, sys
from models.engines import engine
from models.engines.base import TrainJob
from textmill.errors import TextmillError

def say(**message):
    print(json.dumps(message), flush=True)

job = TrainJob.from_json(sys.argv[1])
try:
    say(stats=engine("horovod").train(job, lambda progress: say(epoch=progress.epoch)).as_dict())
except TextmillError as error:
    say(error=str(error))
"""


@pytest.fixture(scope="module")
def hosts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hosts]:
    with running(tmp_path_factory.mktemp("cluster") / "hosts") as found:
        yield found


def job(hosts: Hosts, tensors: Path, folder: Path, *, options: dict[str, Any] | None = None, **more: object) -> TrainJob:
    where = {"hosts": "host1:1,host2:1", "ssh_port": PORT, "ssh_key": str(hosts.key), "threads": 1}
    return cases.job(tensors, folder, options={**where, **(options or {})}, **more)


def train(hosts: Hosts, given: TrainJob, each: Callable[[int], None] = lambda epoch: None) -> dict[str, Any]:
    """What engine horovod says at its end; `each` is called with the epoch as often as it reports."""
    program = hosts.on_head(sys.executable, "-c", PROGRAM, given.to_json())
    last: dict[str, Any] = {}
    for line in program.stdout or ():
        last = json.loads(line)
        if "epoch" in last:
            each(last["epoch"])
    assert program.wait() == 0, (hosts.folder / "master.log").read_text()
    return last


def accuracy(given: TrainJob) -> float:
    history = json.loads((given.out / "history.json").read_text(encoding="utf-8"))
    return float(history["epochs"][history["best_epoch"] - 1]["val_accuracy"])


def killer(hosts: Hosts, name: str, when: Callable[[int], bool], killed: list[float]) -> Callable[[int], None]:
    def kill(epoch: int) -> None:
        if not killed and when(epoch):
            (rank,) = hosts.processes(name, RANK)
            rank.kill()
            killed.append(time.monotonic())

    return kill


def test_two_hosts_learn_what_one_machine_does(hosts: Hosts, tensors: Path, tmp_path: Path) -> None:
    apart = job(hosts, tensors, tmp_path / "apart", epochs=16, patience=16)
    said = train(hosts, apart)
    steps = -(-1600 // apart.batch) * 16
    assert said["stats"]["steps"] == [steps, steps], said
    alone = replace(cases.job(tensors, tmp_path / "alone", epochs=16, patience=16), threads=1)
    engines.engine("local").train(alone, lambda progress: None)
    assert abs(accuracy(apart) - accuracy(alone)) <= 0.01
    assert accuracy(apart) > 0.95


def test_a_killed_rank_is_named_with_its_host(hosts: Hosts, tensors: Path, tmp_path: Path) -> None:
    killed: list[float] = []
    lost = job(hosts, tensors, tmp_path, epochs=500, patience=500, resume=False)
    said = train(hosts, lost, killer(hosts, "host2", lambda epoch: True, killed))
    assert time.monotonic() - killed[0] < 10
    assert said["error"].startswith("rank 1 on host2 ended with signal SIGKILL; its log "), said
    wait_until_empty(hosts)


def test_elastic_training_goes_on_with_the_host_that_is_left(hosts: Hosts, tensors: Path, tmp_path: Path) -> None:
    killed: list[float] = []
    going = job(hosts, tensors, tmp_path, epochs=12, patience=12, options={"min_ranks": 1})
    said = train(hosts, going, killer(hosts, "host2", lambda epoch: epoch > 2, killed))
    assert killed and "stats" in said, said
    history = json.loads((going.out / "history.json").read_text(encoding="utf-8"))
    assert (said["stats"]["restarts"], history["ranks"]) == (1, 1)
    assert len(history["epochs"]) == 12 and said["stats"]["resumed_from_epoch"] >= 2
    wait_until_empty(hosts)


def wait_until_empty(hosts: Hosts) -> None:
    until = time.monotonic() + 10
    while any(hosts.processes(name, RANK) for name in ("host1", "host2")):
        assert time.monotonic() < until, "a rank outlived its training"
        time.sleep(0.2)
