"""Targets on another host, over a real sshd and a real rsync."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e import sshd
from textmill.bundles import MANIFEST, Content, Sent, send, verify
from textmill.errors import CheckFailed, EnvironmentProblem, InputError
from textmill.targets import Host, Target, target

pytestmark = pytest.mark.skipif(bool(sshd.missing()), reason=f"not installed: {', '.join(sshd.missing())}")


@pytest.fixture(scope="module")
def ssh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with sshd.running(tmp_path_factory.mktemp("sshd")) as command:
        yield command


@pytest.fixture
def to(ssh: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Target:
    """A folder whose name a shell would take apart."""
    monkeypatch.setenv("RSYNC_RSH", ssh)
    return target(f"127.0.0.1:{tmp_path}/a host's $HOME; folder")


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Content]:
    (tmp_path / "from").mkdir()
    written = {"job.json": b"{}", "tensors/train/00000.tfrecord": b"one" * 9999, "tensors/train/00001.tfrecord": b"two"}
    found = {}
    for number, (name, content) in enumerate(written.items()):
        (tmp_path / "from" / str(number)).write_bytes(content)
        found[name] = Content.of(tmp_path / "from" / str(number))
    return found


def sent(files: dict[str, Content], to: Target) -> Sent:
    return send(files, {"ranks": 2}, to, lambda done, total: None)


def test_what_is_sent_is_whole_and_is_not_sent_again(files: dict[str, Content], to: Host) -> None:
    with pytest.raises(InputError, match="no bundle was sent there"):
        verify(to)
    heard: list[tuple[int, int]] = []
    first = send(files, {"ranks": 2}, to, lambda done, total: heard.append((done, total)))
    assert (first.sent_files, first.sent_bytes, heard[-1]) == (3, 30_002, (30_002, 30_002))
    assert verify(to)["ranks"] == 2
    assert Path(to.path, "tensors/train/00001.tfrecord").read_bytes() == b"two"
    assert sent(files, to).sent_files == 0


def test_damage_that_keeps_size_and_time_is_found(files: dict[str, Content], to: Host) -> None:
    sent(files, to)
    shard = Path(to.path, "tensors/train/00000.tfrecord")
    times = shard.stat()
    shard.write_bytes(b"One" + shard.read_bytes()[3:])
    os.utime(shard, ns=(times.st_atime_ns, times.st_mtime_ns))
    Path(to.path, "job.json").unlink()
    with pytest.raises(CheckFailed) as failed:
        verify(to)
    assert str(failed.value).splitlines()[1:] == [
        "    job.json is missing", "    tensors/train/00000.tfrecord has changed (its checksum differs)"
    ]  # fmt: skip
    assert sent(files, to).sent_files == 2
    assert shard.read_bytes() == b"one" * 9999
    verify(to)


def test_another_bundle_in_its_place_loses_what_it_does_not_have(files: dict[str, Content], to: Host) -> None:
    sent(files, to)
    sent({name: content for name, content in files.items() if not name.endswith("1.tfrecord")}, to)
    assert not Path(to.path, "tensors/train/00001.tfrecord").exists()
    assert set(verify(to)["files"]) == {"job.json", "tensors/train/00000.tfrecord"}


def test_programs_run_there_and_files_come_back(files: dict[str, Content], to: Host, tmp_path: Path) -> None:
    sent(files, to)
    assert to.run(["sh", "-c", 'pwd && echo "$0" >&1', "a b; c"]) == f"{to.path}\na b; c\n"
    with pytest.raises(EnvironmentProblem, match=r"false in 127\.0\.0\.1:.* ended with status 1"):
        to.run(["false"])
    to.get("tensors", tmp_path / "back")
    assert (tmp_path / "back/train/00001.tfrecord").read_bytes() == b"two"
    assert to.read("nothing") is None and to.read(MANIFEST)


def test_a_followed_file_is_read_from_its_start_as_it_grows(to: Host, files: dict[str, Content]) -> None:
    from models.launchers.slurm import Slurm

    sent(files, to)
    stream = to.start(Slurm().stream("7"))
    log = Path(to.path, "launch/slurm-7.log")
    log.parent.mkdir()
    with log.open("a") as writing:
        for text in ("first\n", "second\n"):
            writing.write(text)
            writing.flush()
            assert stream.stdout is not None and stream.stdout.readline() == text.encode()
    stream.kill()
    stream.wait()
    time.sleep(3)  # tail looks once a second whether the session is there
    assert not [name for name in os.listdir("/proc") if name.isdigit() and str(log).encode() in _command(name)]


def _command(process: str) -> bytes:
    try:
        return Path("/proc", process, "cmdline").read_bytes() + os.readlink(f"/proc/{process}/cwd").encode()
    except OSError:
        return b""


def test_a_host_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RSYNC_RSH", "ssh -F none -p 1 -o BatchMode=yes")
    with pytest.raises(EnvironmentProblem, match=r"127\.0\.0\.1:/never: ssh: connect to host 127\.0\.0\.1 port 1"):
        verify(target("127.0.0.1:/never"))
