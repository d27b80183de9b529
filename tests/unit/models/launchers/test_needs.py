"""What is missing to launch is said before anything runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.launchers import needs
from models.launchers.slurm import Slurm


def path_with(folder: Path, *programs: str) -> str:
    for name in programs:
        program = folder / name
        program.write_text("#!/bin/sh\n", encoding="utf-8")
        program.chmod(0o755)
    return str(folder)


def test_a_scheduler_needs_its_own_program_here_or_ssh_and_rsync_for_a_host(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slurm, far = Slurm(kind="slurm"), "gpu1:/shared"
    monkeypatch.setenv("PATH", str(tmp_path))
    assert needs.of_scheduler(slurm, "/shared") == "sbatch not found on the PATH"
    assert needs.of_scheduler(slurm, far) == "ssh and rsync not found on the PATH"
    monkeypatch.setenv("PATH", path_with(tmp_path, "sbatch", "ssh", "rsync"))
    assert needs.of_scheduler(slurm, "/shared") == needs.of_scheduler(slurm, far) == ""


def test_hosts_need_ssh_and_an_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert needs.of_hosts(["localhost", "127.0.0.1"]) == ""
    assert needs.of_hosts(["localhost", "127.0.0.2"]) == "ssh not found on the PATH"
    monkeypatch.setenv("PATH", path_with(tmp_path, "ssh"))
    assert needs.of_hosts(["127.0.0.2"]) == ""
    assert needs.of_hosts(["gpu1.invalid"]).startswith("no address is known of gpu1.invalid: ")


def test_a_name_of_the_ssh_configuration_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = Path(path_with(tmp_path, "ssh"), "ssh")
    program.write_text("#!/bin/sh\necho user me\necho hostname 127.0.0.3\n", encoding="utf-8")
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    assert needs.of_hosts(["gpu1.invalid"]) == ""
