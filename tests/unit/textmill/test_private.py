"""Nothing is removed through a link, and no cache is where another user could have put one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from textmill import places, transfer
from textmill.errors import EnvironmentProblem


def test_nothing_is_removed_through_a_link(tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    (outside / "deep/key").mkdir(parents=True)
    (outside / "deep/key/file").write_text("precious")
    (root / "op").mkdir(parents=True)
    (root / "op/key").symlink_to(outside / "deep/key")
    (root / "linked").symlink_to(outside / "deep")
    with pytest.raises(OSError, match="linked is a link, and nothing is removed through one"):
        places.remove(root / "linked" / "key", root)
    places.remove(root / "op/key", root)
    assert not (root / "op/key").is_symlink() and (outside / "deep/key/file").read_text() == "precious"
    (root / "op/with").mkdir()
    (root / "op/with/inner").symlink_to(outside)
    places.remove(root / "op/with", root)
    places.remove(root / "op/gone", root)
    places.remove(root / "no/such", root)
    assert list((root / "op").iterdir()) == [] and (outside / "deep/key/file").exists()


def test_a_cache_is_this_users_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TEXTMILL_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    assert transfer.cache() == tmp_path / "caches/textmill" and transfer.cache().stat().st_mode & 0o777 == 0o700
    transfer.cache().chmod(0o777)
    with pytest.raises(EnvironmentProblem, match="can be written by other users"):
        transfer.cache()


def test_without_a_home_it_is_in_the_folder_for_temporary_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.delenv("TEXTMILL_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert transfer.cache() == tmp_path / f"textmill-{os.getuid()}"


@pytest.mark.skipif(os.getuid() != 0, reason="needs root, to act for another user")
@pytest.mark.parametrize("trap", ["folder", "link"])
def test_a_folder_or_link_of_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trap: str) -> None:
    mine = tmp_path / "mine"
    mine.mkdir(mode=0o700)
    theirs = tmp_path / "theirs"
    if trap == "link":
        theirs.symlink_to(mine)
    else:
        theirs.mkdir()
    os.chown(theirs, 65534, 65534, follow_symlinks=False)
    monkeypatch.setenv("TEXTMILL_CACHE", str(theirs))
    with pytest.raises(EnvironmentProblem, match="belongs to another user"):
        transfer.cache()
