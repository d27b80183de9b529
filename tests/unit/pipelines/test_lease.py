"""One at a time, whoever dies."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipelines import lease
from textmill import places

HOLD = """
import sys, time
from pathlib import Path
from pipelines import lease
with lease.held(Path(sys.argv[1]), "m", "the first"):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holding(tmp_path: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def test_a_second_process_is_refused_and_told_of_the_first(holding: subprocess.Popen[str], tmp_path: Path) -> None:
    with (
        pytest.raises(lease.Held, match=rf"the first \(process {holding.pid} on "),
        lease.held(tmp_path, "m", "second"),
    ):
        pass
    with lease.held(tmp_path, "another", "second"):
        assert str(lease.holder(tmp_path, "another")).startswith("second")


def test_a_killed_owner_is_replaced_at_once(holding: subprocess.Popen[str], tmp_path: Path) -> None:
    os.kill(holding.pid, signal.SIGKILL)
    holding.wait()
    assert lease.holder(tmp_path, "m") is None
    with lease.held(tmp_path, "m", "second") as mine:
        mine.check()
    assert not (tmp_path / "m" / lease.FILE).exists()


def test_an_owner_on_another_host_lives_by_its_heartbeat(tmp_path: Path) -> None:
    file = tmp_path / "m" / lease.FILE
    with lease.held(tmp_path, "m", "far away"):
        owner = json.loads(file.read_text())
    owner.update(host="elsewhere", beat=time.time() - lease.DEAD_SECONDS / 2)
    file.write_text(json.dumps(owner))
    with pytest.raises(lease.Held, match="far away .* on elsewhere"), lease.held(tmp_path, "m", "second"):
        pass
    owner.update(beat=time.time() - 2 * lease.DEAD_SECONDS)
    file.write_text(json.dumps(owner))
    with lease.held(tmp_path, "m", "second") as mine:
        mine.check()


def test_an_owner_that_was_taken_for_dead_notices(tmp_path: Path) -> None:
    with lease.held(tmp_path, "m", "slow") as mine:
        other = lease.Owner.here("quick")
        (tmp_path / "m" / lease.FILE).write_text(json.dumps(other.__dict__))
        mine.beat()
        with pytest.raises(lease.Held, match="was lost to quick"):
            mine.check()
    assert (tmp_path / "m" / lease.FILE).exists(), "another's lease is not given back"


def test_in_an_object_store_too_one_at_a_time(tmp_path: Path) -> None:
    root = places.place(f"memory://{tmp_path.name}/runs")
    with lease.held(root, "m", "first") as mine:
        mine.beat()
        mine.check()
        with pytest.raises(lease.Held, match="held by first"), lease.held(root, "m", "second"):
            pass
    assert lease.holder(root, "m") is None


def test_the_heartbeat_is_written(tmp_path: Path) -> None:
    with lease.held(tmp_path, "m", "x") as mine:
        before = json.loads(mine.file.read_text())["beat"]
        mine.beat()
        assert json.loads(mine.file.read_text())["beat"] > before


@pytest.mark.parametrize("content", ["", '{"token": "a', "{}", "[1]", "[" * 5000])
def test_a_cut_lease_is_held_until_its_owner_must_have_written_it_anew(tmp_path: Path, content: str) -> None:
    file = tmp_path / "m" / lease.FILE
    file.parent.mkdir()
    file.write_text(content)
    assert lease.holder(tmp_path, "m") is not None
    with (
        pytest.raises(lease.Held, match="lease.json is damaged.*or once you remove it"),
        lease.held(tmp_path, "m", "me"),
    ):
        pass
    long_ago = time.time() - 2 * lease.DEAD_SECONDS
    os.utime(file, (long_ago, long_ago))
    assert lease.holder(tmp_path, "m") is None
    with lease.held(tmp_path, "m", "me") as mine:
        mine.check()


def test_an_owner_whose_lease_is_cut_writes_it_anew_and_gives_it_back(tmp_path: Path) -> None:
    with lease.held(tmp_path, "m", "me") as mine:
        mine.file.write_text('{"tok')
        mine.check()
        assert str(lease.holder(tmp_path, "m")).startswith("me (process")
        mine.file.write_text("")
    assert not mine.file.exists()
