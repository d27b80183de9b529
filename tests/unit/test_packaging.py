"""setup.py, requirements.lock and the scripts agree with each other; nothing is built or downloaded."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import setuptools
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

import textmill

ROOT = Path(__file__).resolve().parents[2]
LOCKED_EXTRAS = tuple("local test bench tensorflowonspark bigdl hdfs s3 s3test yarn sklearn serve sweep mlflow".split())


@pytest.fixture(scope="module")
def described() -> dict[str, Any]:
    """The arguments that setup.py gives to setuptools."""
    source = (ROOT / "setup.py").read_text(encoding="utf-8")
    with mock.patch.object(setuptools, "setup") as called, pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)  # find_packages looks into the working directory, which is the checkout in every build
        exec(compile(source, ROOT / "setup.py", "exec"), {"__name__": "__main__", "__file__": str(ROOT / "setup.py")})
    return dict(called.call_args.kwargs)


@pytest.fixture(scope="module")
def lock() -> str:
    return (ROOT / "requirements.lock").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def pins(lock: str) -> dict[str, str]:
    """Version of every distribution in requirements.lock."""
    found = re.findall(r"^([a-z0-9][a-z0-9.-]*)==(\S+)", lock, re.MULTILINE)
    assert len(found) == len(dict(found))
    return dict(found)


def test_version_is_that_of_the_package(described: dict[str, Any]) -> None:
    assert (described["name"], described["version"]) == ("textmill", textmill.__version__)


def test_every_package_ships_and_nothing_else(described: dict[str, Any]) -> None:
    ours = ("textmill", "pipelines", "spark_jobs", "models", "spark_sklearn")
    in_tree = {path.parent.relative_to(ROOT) for name in ours for path in (ROOT / name).rglob("__init__.py")}
    assert set(described["packages"]) == {".".join(path.parts) for path in in_tree}


def test_no_folder_of_modules_lacks_its_init() -> None:
    """find_packages would leave it out of the wheel without a word."""
    ours = ("textmill", "pipelines", "spark_jobs", "models", "spark_sklearn")
    folders = {path.parent for name in ours for path in (ROOT / name).rglob("*.py")}
    assert [str(folder) for folder in folders if not (folder / "__init__.py").is_file()] == []


def test_data_files_inside_packages_ship(described: dict[str, Any]) -> None:
    patterns = described["package_data"][""]
    shipped = {path for name in described["packages"] for pattern in patterns for path in _package(name).glob(pattern)}
    wanted = {path for name in described["packages"] for path in _package(name).rglob("*") if path.suffix in DATA}
    assert wanted - shipped == set()


DATA = {".html", ".j2", ".css", ".js", ".svg", ".json", ".properties"}


def _package(name: str) -> Path:
    return ROOT.joinpath(*name.split("."))


def test_extras(described: dict[str, Any]) -> None:
    assert set(described["extras_require"]) == {*LOCKED_EXTRAS, "horovod"}


def test_the_core_needs_no_engine(described: dict[str, Any]) -> None:
    core = {Requirement(line).name for line in described["install_requires"]}
    assert core.isdisjoint({"tensorflow", "tensorflow-cpu", "tf-keras", "tensorflowonspark", "horovod", "keras"})


def test_command(described: dict[str, Any]) -> None:
    assert described["entry_points"] == {"console_scripts": ["textmill = pipelines.cli:main"]}


def test_the_lock_pins_every_requirement(described: dict[str, Any], pins: dict[str, str]) -> None:
    extras = [line for extra in LOCKED_EXTRAS for line in described["extras_require"][extra]]
    wanted = [Requirement(line) for line in (*described["install_requires"], *extras)]
    unmet = {str(one) for one in wanted if not _fits(one.specifier, pins.get(canonicalize_name(one.name)))}
    assert unmet == set(), "run scripts/setup.sh --lock"


def test_the_lock_holds_what_builds_the_package(pins: dict[str, str]) -> None:
    import tomllib

    build = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["build-system"]["requires"]
    assert all(_fits(Requirement(line).specifier, pins.get(Requirement(line).name)) for line in build)


def _fits(wanted: SpecifierSet, pinned: str | None) -> bool:
    return pinned is not None and wanted.contains(pinned, prereleases=True)


def test_the_lock_has_one_tensorflow(pins: dict[str, str]) -> None:
    """tensorflow and tensorflow-cpu overwrite each other's files."""
    assert "tensorflow" not in pins


def test_every_pin_has_hashes(lock: str, pins: dict[str, str]) -> None:
    hashed = re.findall(r"^([a-z0-9][a-z0-9.-]*)==\S+ \\\n    --hash=sha256:[0-9a-f]{64}", lock, re.MULTILINE)
    assert set(hashed) == set(pins)


def test_the_lock_names_no_place(lock: str) -> None:
    """Whoever installs chooses the registry; a path would hold on one machine only."""
    for forbidden in ("://", "index-url", "find-links", "trusted-host", " @ ", "file:", "-e "):
        assert forbidden not in lock
    assert not re.search(r"(^|[\s=])/", lock, re.MULTILINE)


@pytest.mark.parametrize("script", ["scripts/setup.sh", ".ci/run"])
def test_script_is_bash(script: str) -> None:
    assert subprocess.run(["bash", "-n", ROOT / script], capture_output=True, timeout=20, check=False).stderr == b""
    assert (ROOT / script).stat().st_mode & 0o111, "is not executable"


def test_setup_locks_the_same_extras() -> None:
    script = (ROOT / "scripts/setup.sh").read_text(encoding="utf-8")
    named = re.search(r"^OFFERED='(.*)'$", script, re.MULTILINE)
    assert named is not None
    assert sorted(["local", "test", *named[1].split()]) == sorted(LOCKED_EXTRAS)


@pytest.mark.parametrize("words", [["--with"], ["--with", "spam"], ["--wiht", "bench"], ["--with", "bench,spam"]])
def test_setup_refuses_what_it_does_not_know(words: list[str]) -> None:
    done = subprocess.run([ROOT / "scripts/setup.sh", *words], capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 2
    assert done.stderr
