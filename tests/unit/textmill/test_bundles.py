"""Bundles are sent whole, once, and what is wrong with one is told file by file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from upath import UPath

from textmill.bundles import MANIFEST, Content, Sent, send, verify
from textmill.errors import CheckFailed, InputError, Unreadable
from textmill.places import Place
from textmill.targets import Folder, Host, Moved, Target, target

ABOUT = {"train": "bigru", "ranks": 2}


@pytest.fixture(params=["path", "memory"])
def to(request: pytest.FixtureRequest, tmp_path: Path) -> Folder:
    """A local folder, and one of a store that is reached by fsspec."""
    return Folder(tmp_path / "to" if request.param == "path" else UPath(f"memory://{tmp_path.name}/to"))


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Content]:
    (tmp_path / "from").mkdir()
    written = {"job.json": b"{}", "tensors/train/00000.tfrecord": b"one" * 999, "tensors/train/00001.tfrecord": b"two"}
    found = {}
    for number, (name, content) in enumerate(written.items()):
        (tmp_path / "from" / str(number)).write_bytes(content)
        found[name] = Content.of(tmp_path / "from" / str(number))
    return found


def sent(files: Mapping[str, Content], to: Target, about: Mapping[str, object] = ABOUT) -> Sent:
    return send(files, about, to, lambda done, total: None)


def test_what_is_sent_is_whole_and_is_not_sent_again(files: dict[str, Content], to: Folder) -> None:
    heard: list[tuple[int, int]] = []
    first = send(files, ABOUT, to, lambda done, total: heard.append((done, total)))
    assert (first.files, first.sent_files, first.sent_bytes) == (3, 3, 2 + 2997 + 3)
    assert heard[-1] == (3002, 3002)
    manifest = verify(to)
    assert manifest["ranks"] == 2 and set(manifest["files"]) == set(files)
    assert (to.place / "tensors/train/00001.tfrecord").read_bytes() == b"two"
    again = sent(files, to)
    assert (again.sent_files, again.bytes) == (0, 3002)


def test_only_what_is_not_right_is_sent_again(files: dict[str, Content], to: Folder) -> None:
    sent(files, to)
    (to.place / "job.json").write_bytes(b"[]")
    (to.place / "tensors/train/00001.tfrecord").unlink()
    with pytest.raises(CheckFailed) as failed:
        verify(to)
    assert str(failed.value).splitlines()[1:] == [
        "    job.json has changed (its checksum differs)", "    tensors/train/00001.tfrecord is missing"
    ]  # fmt: skip
    assert sent(files, to).sent_files == 2
    verify(to)


class Cut(Folder):
    """A folder to which the connection breaks after the first file."""

    def put(self, files: Mapping[str, Place], moved: Moved) -> None:
        super().put(dict(list(files.items())[:1]), moved)
        raise OSError("connection lost")


def test_half_a_bundle_is_none_and_is_completed(files: dict[str, Content], to: Folder) -> None:
    with pytest.raises(OSError, match="connection lost"):
        sent(files, Cut(to.place))
    with pytest.raises(InputError, match=r"has no whole manifest\.json: no bundle was sent there, or not all of one"):
        verify(to)
    assert sent(files, to).sent_files == 2
    verify(to)


def test_another_bundle_in_its_place_loses_what_it_does_not_have(files: dict[str, Content], to: Folder) -> None:
    sent(files, to)
    (to.place / "out").mkdir(parents=True, exist_ok=True)
    (to.place / "out" / "weights.npz").write_bytes(b"trained there")
    fewer = {name: content for name, content in files.items() if not name.endswith("1.tfrecord")}
    with pytest.raises(OSError, match="connection lost"):
        sent({**fewer, "new": files["job.json"]}, Cut(to.place))
    assert to.read(MANIFEST) is None
    assert sent({**fewer, "new": files["job.json"]}, to).sent_files == 0
    assert not (to.place / "tensors/train/00001.tfrecord").exists()
    assert (to.place / "out" / "weights.npz").read_bytes() == b"trained there"


def test_a_change_on_the_way_is_noticed(files: dict[str, Content], to: Folder) -> None:
    lie = {**files, "job.json": Content(files["job.json"].source, 2, "0" * 64)}
    with pytest.raises(Exception, match=r"job\.json has changed"):
        sent(lie, to)
    assert to.read(MANIFEST) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("gpu1:/data/b/", Host("gpu1", "/data/b")),
        ("me@gpu1:bundles/b", Host("me@gpu1", "bundles/b")),
        ("[fe80::1]:/b", Host("[fe80::1]", "/b")),
        ("bundles/a:b", Folder(Path("bundles/a:b").absolute())),
        ("memory://x/b", Folder(UPath("memory://x/b"))),
    ],
)
def test_targets_are_told_apart_as_rsync_does(text: str, expected: Target) -> None:
    assert str(target(text)) == str(expected)
    assert type(target(text)) is type(expected)


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b'{"files": {"a', b'{"files": {"../a": {"bytes": 1}}}', b"[" * 5000])
def test_a_damaged_manifest_is_named_and_the_bundle_is_sent_again(
    files: dict[str, Content], to: Folder, content: bytes
) -> None:
    sent(files, to)
    (to.place / MANIFEST).write_bytes(content)
    with pytest.raises(Unreadable, match="manifest.json is damaged: .*export again"):
        verify(to)
    assert sent(files, to).sent_files == 0
    assert set(verify(to)["files"]) == set(files)
