"""Options of engine horovod: what does not go together is refused, and what says where decides no result."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from models import engines
from models.engines.horovod_options import Options


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"hosts": "a:1,b"}, "hosts"),
        ({"hosts": "a:0"}, "hosts"),
        ({"hosts": "a:1;rm:1"}, "hosts"),
        ({"hosts": "a:1,b:1", "ranks": 3}, "ranks is 3, and hosts have room for 2"),
        ({"warmup_epochs": 2}, "warmup_epochs is of scale_learning_rate"),
        ({"min_ranks": 1, "scale_learning_rate": True}, "the batch would change"),
        ({"min_ranks": 1, "on": "spark"}, "min_ranks is for `on: hosts`"),
        ({"hosts": "a:1", "on": "spark"}, "the executors are the profile's"),
        ({"fusion": 3}, "fusion"),
    ],
)
def test_what_does_not_fit_is_refused(given: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Options(**given)


def test_where_it_trains_decides_no_result() -> None:
    here, there = {"ranks": 2}, {"hosts": "gpu1:8,gpu2:8", "ssh_port": 2222, "min_ranks": 8, "fusion_mb": 64}
    assert engines.deciding("horovod", here) == engines.deciding("horovod", there)
    assert engines.deciding("horovod", here) != engines.deciding("horovod", {**here, "compression": "fp16"})


def test_the_ranks_decide_where_they_scale_the_batch() -> None:
    two, four = ({"ranks": ranks, "scale_learning_rate": True} for ranks in (2, 4))
    assert engines.deciding("horovod", two) != engines.deciding("horovod", four)


def test_other_engines_options_decide_all() -> None:
    assert engines.deciding("local", {}) == {}


@pytest.mark.parametrize(
    ("given", "hosts", "ranks"),
    [
        ({}, "localhost:1", 1),
        ({"ranks": 4}, "localhost:4", 4),
        ({"hosts": "a:2,b:2"}, "a:2,b:2", 4),
        ({"hosts": "a:2,b:2", "ranks": 3}, "a:2,b:2", 3),
    ],
)
def test_ranks_are_what_the_hosts_have_room_for(given: dict[str, object], hosts: str, ranks: int) -> None:
    launch = Options(**given).launch()
    assert (launch.hosts, launch.ranks) == (hosts, ranks)
