"""Bundles: folders that are sent elsewhere with a manifest of checksums, which arrives last."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from typing_extensions import NotRequired, TypedDict

from textmill import places
from textmill.errors import CheckFailed, InputError, TextmillError, Unreadable
from textmill.places import Place
from textmill.stored import OPEN, Count, Kind, Name, Sha256, sealed
from textmill.targets import Described, Target

MANIFEST = "manifest.json"
_NAMED = 20


class _File(TypedDict):
    __pydantic_config__ = OPEN
    bytes: Count
    sha256: Sha256


class _Manifest(TypedDict):
    __pydantic_config__ = OPEN
    name: NotRequired[str]
    run: NotRequired[str]
    train: NotRequired[str]
    ranks: NotRequired[Count]
    files: dict[Name, _File]


_MANIFEST: Kind[dict[str, Any]] = Kind(_Manifest, "export again: files that are whole are not sent again")


@dataclass(frozen=True)
class Content:
    """A file of a bundle: where it is now, its size in bytes and its SHA-256."""

    source: Place
    size: int
    sha256: str

    @classmethod
    def of(cls, source: Place) -> Content:
        """A file that is to be read for its checksum."""
        return cls(source, places.info(source).size, places.checksum(source))


@dataclass(frozen=True)
class Sent:
    """How a transfer went."""

    files: int
    """Of the bundle, those that were there already included."""
    bytes: int
    sent_files: int
    sent_bytes: int
    seconds: float
    """Of copying alone."""

    @property
    def rate(self) -> float:
        """Bytes per second."""
        return self.sent_bytes / self.seconds if self.seconds else 0.0


def send(
    files: Mapping[str, Content], about: Mapping[str, Any], to: Target, advanced: Callable[[int, int], None]
) -> Sent:
    """Make `to` the bundle of these files: what is there already, whole, stays; the rest is copied and then verified.

    The manifest is removed before anything changes and written when all is right, so that nobody takes half a bundle
    for one. `advanced` hears the bytes copied and those to be copied. Raises TextmillError, naming the files, where
    something is not right after the copy.
    """
    described = {name: {"bytes": file.size, "sha256": file.sha256} for name, file in files.items()}
    manifest = {**about, "files": described}
    before = _before(to)
    missing = to.wrong(described)
    old = set(before.get("files", ())) - set(files)
    if not missing and before == manifest:
        return Sent(len(files), sum(file.size for file in files.values()), 0, 0, 0.0)
    to.remove([*sorted(old), MANIFEST])
    seconds = _copy({name: files[name] for name in missing}, to, advanced)
    if wrong := to.wrong({name: described[name] for name in missing}):
        raise TextmillError(f"{to} is not what was sent: {_told(wrong)}; export again to send those files again")
    _write(to, manifest)
    total = sum(files[name].size for name in missing)
    return Sent(len(files), sum(file.size for file in files.values()), len(missing), total, seconds)


def _copy(files: Mapping[str, Content], to: Target, advanced: Callable[[int, int], None]) -> float:
    total, done, started = sum(file.size for file in files.values()), 0, time.monotonic()

    def moved(size: int) -> None:
        nonlocal done
        done += size
        advanced(done, total)

    if files:
        to.put({name: file.source for name, file in files.items()}, moved)
    return time.monotonic() - started


def _write(to: Target, manifest: Mapping[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, MANIFEST)
        file.write_text(json.dumps(sealed(manifest), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        to.put({MANIFEST: file}, lambda size: None)


def manifest_of(bundle: Target) -> dict[str, Any] | None:
    """What the manifest says; None where there is none. Raises Unreadable for a damaged one."""
    content = bundle.read(MANIFEST)
    return None if content is None else _MANIFEST.parse(content, f"{bundle}/{MANIFEST}")


def _before(bundle: Target) -> dict[str, Any]:
    """What is known of a bundle that is to be sent again: of a damaged manifest nothing."""
    try:
        return manifest_of(bundle) or {}
    except Unreadable:
        return {}


def verify(bundle: Target) -> dict[str, Any]:
    """The manifest of a whole bundle.

    Raises InputError where there is no manifest, Unreadable for a damaged one, CheckFailed where files are not those of the manifest: it names each.
    """
    manifest = manifest_of(bundle)
    if manifest is None:
        raise InputError(f"{bundle} has no whole {MANIFEST}: no bundle was sent there, or not all of one; export again")
    files: Described = manifest["files"]
    if wrong := bundle.wrong(files):
        raise CheckFailed(f"{bundle} is damaged: {_told(wrong)}")
    return manifest


def _told(wrong: Mapping[str, str]) -> str:
    named = [f"{name} {problem}" for name, problem in sorted(wrong.items())]
    more = [f"and {len(named) - _NAMED} more"] if len(named) > _NAMED else []
    return "".join(f"\n    {line}" for line in [*named[:_NAMED], *more])
