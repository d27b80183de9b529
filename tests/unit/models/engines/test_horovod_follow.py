"""What is made of the lines that horovodrun passes on."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from models.engines.base import Progress
from models.engines.horovod_follow import Follow
from tests.e2e.engines import cases


@pytest.fixture
def seen() -> list[Progress]:
    return []


@pytest.fixture
def follow(tmp_path: Path, seen: list[Progress]) -> Follow:
    return Follow(cases.job(tmp_path, tmp_path), {0: "gpu1", 1: "gpu2"}, seen.append)


def said(rank: int, **message: object) -> str:
    return f"[{rank}]<stdout>:{json.dumps(message)}\n"


def lost(rank: int, status: str, peer: bool) -> dict[str, object]:
    return {"rank": rank, "host": f"gpu{rank + 1}", "status": status, "peer": peer, "tail": ["last words"]}


def test_progress_and_the_end_are_heard(follow: Follow, seen: list[Progress]) -> None:
    follow.take(said(0, progress={"epoch": 1, "epochs": 2, "step": 3, "steps": 4, "loss": 0.5, "records_per_s": 9.0}))
    follow.take(said(0, done={"steps": [4, 4]}))
    assert seen == [Progress(1, 2, 3, 4, 0.5, 9.0)]
    assert follow.done == {"steps": [4, 4]} and follow.first() is None


def test_the_rank_that_was_lost_is_named_before_those_that_lost_it(follow: Follow) -> None:
    follow.take(said(0, lost=lost(0, "exit status 75", True)))
    follow.take(said(1, lost=lost(1, "signal SIGKILL", False)))
    first = follow.first()
    assert first is not None
    assert str(first.error(Path("x.log"))) == (
        "rank 1 on gpu2 ended with signal SIGKILL; its log x.log ends:\n    last words"
    )


def test_a_host_that_is_gone_is_named_from_what_horovodrun_says(follow: Follow) -> None:
    follow.take("[1]<stderr>:reading shards\n")
    follow.take(said(0, lost=lost(0, "exit status 75", True)))
    follow.take("Process 1 exit with status code 137.\n")
    follow.take("Process 0 exit with status code 75.\n")
    first = follow.first()
    assert first is not None
    assert (first.rank, first.host, first.status, first.tail) == (1, "gpu2", "signal SIGKILL", ["reading shards"])


def test_a_rank_that_falls_silent_is_lost(follow: Follow) -> None:
    follow.take(said(0, alive=True))
    follow.take(said(1, alive=True))
    assert follow.silent(5) == []
    follow.heard[1] = time.monotonic() - 9
    (quiet,) = follow.silent(5)
    follow.take(said(1, ended=1))
    assert follow.silent(5) == []
    assert (quiet.rank, quiet.host, quiet.status) == (1, "gpu2", "no sign of life for 9 s")


def test_lines_that_are_no_messages_go_to_the_ranks_log(follow: Follow) -> None:
    follow.take("[1]<stdout>:{not json\n")
    follow.take("[1]<stderr>:a warning\n")
    assert follow.log(1).read_text() == "{not json\na warning\n"
