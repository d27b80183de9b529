"""House-keeping removes what nothing refers to, and nothing else."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from pipelines import gc, kinds, lease, pins
from pipelines.cli import cli
from textmill import owners

KEYS = {name: name * 64 for name in "abcdef"}
LATER = time.time() + 2 * gc.YOUNG_SECONDS
NOBODY = 4194999


def output(root: Path, key: str, files: str = "manifest.json") -> Path:
    folder = root / "store/text.clean" / KEYS[key][:32]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / files).write_text("{}")
    return folder


def run(root: Path, number: int, keys: str, status: str = "done") -> Path:
    folder = root / "m" / f"2026010{number}-000000-abcd"
    folder.mkdir(parents=True)
    steps = [{"step": "clean", "key": KEYS[key]} for key in keys]
    record = {"run": folder.name, "name": "m", "status": status, "host": "elsewhere", "pid": 1, "steps": steps}
    (folder / "run.json").write_text(json.dumps(record))
    return folder


def version(root: Path, number: int, manifest: str | None = None) -> Path:
    folder = root / "models/m" / str(number)
    folder.mkdir(parents=True)
    told = {"keys": {"clean": KEYS["e"]}, "run": "20260101-000000-abcd", "files": {}}
    (folder / "manifest.json").write_text(json.dumps(told) if manifest is None else manifest)
    (folder.parent / "current.json").write_text(f'{{"version": {number}}}')
    return folder


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for key in "abcdef":
        output(tmp_path, key)
    for number, keys in enumerate(("a", "ab", "c", "d"), 1):
        run(tmp_path, number, keys, "running" if keys == "c" else "done")
    return tmp_path


def names(found: gc.Garbage) -> tuple[str, str]:
    return "".join(folder.name[7] for folder in found.runs), "".join(sorted(folder.name[0] for folder in found.outputs))


def unread(found: gc.Garbage, root: Path) -> dict[str, str]:
    return {one.place.relative_to(root).as_posix(): one.why for one in found.unread}


def test_the_newest_runs_running_ones_and_their_outputs_stay(root: Path) -> None:
    assert names(gc.find(root, 1, now=LATER)) == ("21", "abef")
    assert names(gc.find(root, 3, now=LATER)) == ("1", "ef"), "the third newest run still refers to a"
    gc.find(root, 1, now=LATER).remove()
    assert sorted(folder.name[0] for folder in (root / "store/text.clean").iterdir()) == ["c", "d"]
    assert names(gc.find(root, 1, now=LATER)) == ("", "")


def test_what_a_version_came_from_stays(root: Path) -> None:
    version(root, 1)
    assert names(gc.find(root, 1, now=LATER)) == ("2", "bf")


def test_nothing_of_a_pipeline_that_runs_under_a_lease_is_removed(root: Path) -> None:
    with lease.held(root, "m", "daily"):
        assert names(gc.find(root, 1, now=LATER)) == ("", "ef")
    (root / "m" / lease.FILE).write_text('{"token": "ab')
    found = gc.find(root, 1, now=LATER)
    assert names(found) == ("", "ef") and list(unread(found, root)) == ["m/lease.json"]


def test_young_outputs_and_those_being_built_stay(root: Path) -> None:
    assert gc.find(root, 1).outputs == ()
    building = root / "store/text.clean" / f"{KEYS['f'][:32]}.host.1-abc.part"
    building.mkdir()
    checkpoints = root / "store/text.clean" / f"{KEYS['d'][:32]}.checkpoints"
    checkpoints.mkdir()
    found = gc.find(root, 1, now=LATER)
    assert not {building, checkpoints} & {*found.outputs, *found.left} and found.unread == ()


DAMAGED = {
    "m/20260101-000000-abcd/run.json": ["", '{"run": "2026', "[]", "{}", "null", '{"status": "done", "steps": [1]}'],
    "models/m/1/manifest.json": ["", '{"keys"', "{}", "[]", '{"keys": ["x"], "run": "r"}', '{"keys": {"a": 1}, "run": 2}'],
    "store/pins/host.1-abc.json": ["", "{}", "[]", '{"owner": {}, "keys": [], "versions": [], "runs": []}'],
}


@pytest.mark.parametrize(("file", "content"), [(file, content) for file, all_ in DAMAGED.items() for content in all_])
def test_what_cannot_be_read_keeps_all_that_could_belong_to_it_and_is_named(
    root: Path, file: str, content: str
) -> None:
    version(root, 1)
    (root / file).parent.mkdir(exist_ok=True)
    (root / file).write_text(content)
    found = gc.find(root, 1, now=LATER)
    assert list(unread(found, root)) == [file]
    assert found.outputs == (), "any output may be one that it refers to"
    assert all((root / file).parent not in one.parents and one != (root / file).parent for one in found.runs)
    if file.startswith("models/"):
        assert found.runs == (), "any run may be the one that it was published of"
    told = CliRunner().invoke(cli, ["gc", "--keep", "1", "--root", str(root), "--json"], catch_exceptions=False)
    assert [one["path"] for one in json.loads(told.output)["unread"]] == [str(root / file)]
    assert (root / file).read_text() == content
    told = CliRunner().invoke(cli, ["gc", "--keep", "1", "--root", str(root)], catch_exceptions=False)
    assert f"left {root / file}, and all that could belong to it: can't be read: " in told.output


def test_a_record_that_is_gone_or_of_another_run_keeps_all_outputs(root: Path) -> None:
    first = root / "m/20260101-000000-abcd"
    (first / "spark.log").touch()
    (first / "run.json").rename(first / "run.bak")
    found = gc.find(root, 1, now=LATER)
    assert names(found) == ("2", "") and unread(found, root) == {f"m/{first.name}": "has no run.json"}
    shutil.copy(root / "m/20260102-000000-abcd/run.json", first / "run.json")
    found = gc.find(root, 1, now=LATER)
    assert names(found) == ("2", "") and "it is that of run m/20260102-000000-abcd" in str(unread(found, root))


def test_a_run_whose_folder_got_another_name_keeps_its_outputs(root: Path) -> None:
    (root / "m/20260101-000000-abcd").rename(root / "m/keep me")
    assert names(gc.find(root, 1, now=LATER)) == ("2", "bef")


def test_what_is_no_output_is_left_and_named(root: Path) -> None:
    strange = [root / "store/text.clean" / name for name in ("notes", "a" * 31, f"{'a' * 32}.mine", "x.checkpoints")]
    for folder in (*strange, root / "notes" / "deep"):
        folder.mkdir(parents=True)
    (root / "store/readme.txt").touch()
    found = gc.find(root, 1, now=LATER)
    assert {one.place for one in found.unread} == {*strange, root / "store/readme.txt"}
    assert names(found) == ("21", "abef")
    found.remove()
    assert all(one.place.exists() for one in found.unread) and (root / "notes/deep").is_dir()


def test_nothing_is_removed_through_a_link(root: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = tmp_path_factory.mktemp("outside")
    for name in ("key", f"op/{KEYS['b'][:32]}", "run", "left"):
        (outside / name).mkdir(parents=True)
        (outside / name / "manifest.json").write_text("precious")
    before = sorted(outside.rglob("*"))
    links = {
        root / "store/text.clean" / KEYS["a"][:32]: outside / "key",
        root / "store/text.other": outside / "op",
        root / "m" / "20260101-000000-abcd": outside / "run",
    }
    for link, to in links.items():
        if link.exists():
            shutil.rmtree(link)
        link.symlink_to(to)
    shutil.copy(root / "m/20260102-000000-abcd/run.json", outside / "run")
    left = root / "store/text.clean" / f"{'0' * 32}.{socket.gethostname()}.{NOBODY}-ab.part"
    left.symlink_to(outside / "left")
    gc.find(root, 1, now=LATER).remove()
    shutil.rmtree(root / "m")
    found = gc.find(root, 1, now=LATER)
    assert {root / "store/text.clean" / KEYS["a"][:32], root / "store/text.other"} <= {one.place for one in found.unread}
    found.remove()
    (outside / "run/run.json").unlink()
    assert sorted(outside.rglob("*")) == before and not left.is_symlink()


def test_what_killed_processes_left_is_removed_and_what_lives_is_not(root: Path) -> None:
    places = ["store", "store/text.clean", "store/pins", "models/m", "m", "m/20260104-000000-abcd", "."]
    for folder in places:
        (root / folder).mkdir(parents=True, exist_ok=True)
    dead = [root / folder / f"3.{socket.gethostname()}.{NOBODY}-abc.part" for folder in places]
    dead += [root / "store/text.clean" / f"k.{socket.gethostname()}.{os.getppid()}_1-abc.old"]
    live = [owners.beside(root / folder / "3") for folder in places]
    for file in (*dead, *live):
        file.mkdir()
    (root / "m/20260109-000000-abcd").mkdir()
    found = gc.find(root, 9, now=LATER)
    assert sorted(found.left) == sorted([*dead, root / "m/20260109-000000-abcd"])
    found.remove()
    assert all(file.exists() for file in live) and not any(file.exists() for file in found.left)


PIN = """
import sys, time
from pathlib import Path
from pipelines import pins
with pins.pinned(Path(sys.argv[1]), "test", ["a" * 64], [("m", 1)], ["20260102-000000-abcd"]):
    print("pinned", flush=True)
    time.sleep(60)
"""


def test_what_a_process_pinned_stays_until_it_ends_or_is_killed(root: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", PIN, str(root)], stdout=subprocess.PIPE)
    assert process.stdout is not None and process.stdout.readline() == b"pinned\n"
    assert names(gc.find(root, 1, now=LATER)) == ("1", "ef"), "the run that is pinned keeps its own outputs too"
    assert pins.of(root).versions == {("m", 1)}
    process.kill()
    for _ in range(1000):  # it stays in the table of processes until it is waited for, and is dead all the same
        if pins.of(root) == pins.Pinned():
            break
        time.sleep(0.01)
    assert names(gc.find(root, 1, now=LATER)) == ("21", "abef")
    process.communicate()
    found = gc.find(root, 1, now=LATER)
    assert len(found.left) == 1 and found.left[0].parent.name == pins.FOLDER
    with pins.pinned(root, "test", KEYS.values()):
        assert names(gc.find(root, 1, now=LATER)) == ("21", "")
    assert names(gc.find(root, 1, now=LATER)) == ("21", "abef")


def test_a_pin_of_another_host_lives_by_its_heartbeat(root: Path) -> None:
    with pins.pinned(root, "far away", [KEYS["a"]]) as pin:
        told = kinds.PIN.read(pin.file)  # type: ignore[arg-type]
    told["owner"].update(host="elsewhere", beat=time.time() - pins.DEAD_SECONDS / 2)
    file = root / "store/pins/elsewhere.1-0.json"
    file.write_text(json.dumps(told))
    assert names(gc.find(root, 1, now=LATER)) == ("21", "bef")
    told["owner"]["beat"] -= pins.DEAD_SECONDS
    file.write_text(json.dumps(told))
    found = gc.find(root, 1, now=LATER)
    assert names(found) == ("21", "abef") and found.left == (file,)


def test_who_pins_waits_for_house_keeping_that_goes_on(root: Path) -> None:
    pinned, seen = threading.Event(), list[bool]()

    def pin() -> None:
        with pins.pinned(root, "test", KEYS.values()):
            seen.append((root / "store/text.clean" / KEYS["a"][:32]).exists())
            pinned.set()

    with pins.sweeping(root, "gc") as before:
        thread = threading.Thread(target=pin)
        thread.start()
        assert not pinned.wait(0.5)
        with pytest.raises(lease.Held, match="is held by gc"), pins.sweeping(root, "another"):
            pass
        gc.find(root, 1, before, LATER).remove()
    thread.join(10)
    assert seen == [False], "it sees what house-keeping left, and can't be deceived about it any more"


def test_a_store_that_can_only_be_read_is_read_without_a_pin(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(30, "Read-only file system", "pins")

    monkeypatch.setattr(pins, "write_json", refuse)
    with pins.pinned(root, "serve", reads=True) as pin:
        pin.keep([KEYS["a"]])
    with pytest.raises(OSError, match="Read-only"), pins.pinned(root, "run"):
        pass


def test_a_pipeline_that_is_called_like_a_folder_of_the_root_is_left_alone(root: Path) -> None:
    """Such names are refused now; one of an earlier release may be there, with its runs among the outputs."""
    folder = root / "store/20260101-000000-abcd"
    (folder / "train-logs").mkdir(parents=True)
    for name in ("run.json", "plan.json", "log"):
        (folder / name).write_text("{}")
    (root / "models/strange name").mkdir(parents=True)
    (root / "models/strange name/current.json").write_text('{"version": 1}')
    found = gc.find(root, 1, now=LATER)
    assert found.outputs and not any(folder in (one, *one.parents) for one in found.outputs)
    found.remove()
    assert (folder / "plan.json").exists()
