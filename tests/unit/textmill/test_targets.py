"""What ssh is started with, and which hosts are none."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from textmill.errors import InputError
from textmill.targets import Folder, Host, target

SSH = """#!/bin/bash
# An ssh to this machine that takes words before `--` for options, as ssh does.
[ "$1" = -- ] || { echo "no --: $*" >&2; exit 9; }
cd "$(dirname "$0")" && exec sh -c "$3"
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "ssh").write_text(SSH)
    (tmp_path / "ssh").chmod(0o755)
    monkeypatch.setenv("RSYNC_RSH", str(tmp_path / "ssh"))
    return tmp_path


@pytest.mark.parametrize("name", ["a host's $HOME; folder", "`touch x`", "{a} [b] *", "\\n", "한 글"])
def test_another_host_reads_files_and_starts_programs_as_meant(name: str, here: Path) -> None:
    (here / "there" / name).mkdir(parents=True)
    (here / "there" / name / "-job.json").write_text("{}")
    to = target(f"gpu1:{here}/there/{name}")
    assert isinstance(to, Host) and to.read("-job.json") == b"{}" and to.read("nothing") is None
    assert to.run(["sh", "-c", 'pwd; echo "$1"', "x", "a b; c"]) == f"{here}/there/{name}\na b; c\n"
    assert sorted(os.listdir(here)) == ["ssh", "there"]


@pytest.mark.parametrize(
    "text",
    ["-oProxyCommand=touch x:/b", "me@-x:/b", "@host:/b", "-@h:/b", "a b:/c", "$(id):/b", "h`id`:/b", "h;id:/b",
     "h\n:/b", "h:/b\nc", "h:-b", "h:", "[::1;x]:/b", "h'x:/b"],
)  # fmt: skip
def test_what_is_no_host_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        target(text)


@pytest.mark.parametrize("text", ["gpu1:/b", "me@gpu-1.lan:b c", "svc_x$@h:/b", "[::1]:/b", "me@[fe80::1%eth0]:/b", "알파:/b"])
def test_hosts_are_hosts(text: str) -> None:
    found = target(text)
    assert isinstance(found, Host) and str(found) == text


@pytest.mark.parametrize("text", ["/a:b", "./-x:/b", "a/b:c", "-x/y"])
def test_folders_are_folders(text: str) -> None:
    assert isinstance(target(text), Folder)
