"""Local paths and URIs behave the same."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from models.checkpoint import Checkpoint
from pipelines import contents, inputs, runs
from pipelines.digests import Digests
from pipelines.model import Input
from textmill import places, transfer
from textmill.errors import EnvironmentProblem, InputError
from textmill.places import Place


@pytest.fixture(params=["local", "memory"])
def root(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    if request.param == "local":
        yield tmp_path
        return
    remote = places.place(f"memory://places-{uuid.uuid4().hex}")
    remote.mkdir(parents=True)
    yield remote
    remote.fs.rm(remote.path, recursive=True)


def put(root: Place, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(json.dumps({"text": name, "label": "x"}).encode())


def test_a_place_is_named_by_its_text(root: Place) -> None:
    assert places.place(str(root)) == root
    assert str(places.place(str(root / "a b#c%20"))) == str(root / "a b#c%20")


def test_a_file_uri_is_a_local_path(tmp_path: Path) -> None:
    assert places.place(f"file://{tmp_path}/a") == tmp_path / "a"


def test_an_unknown_scheme_is_an_input_error() -> None:
    with pytest.raises(InputError, match="foo://x/y: unknown scheme foo://"):
        places.place("foo://x/y")


def test_a_missing_package_is_named_with_what_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    import fsspec

    def missing(scheme: str) -> None:
        raise ImportError(scheme)

    monkeypatch.setattr(fsspec, "get_filesystem_class", missing)
    with pytest.raises(EnvironmentProblem, match=r"pip install 'textmill\[s3\]'"):
        places.place("s3://bucket/x")


def test_a_service_that_does_not_answer_is_named_in_bounded_time(monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    from upath import UPath

    monkeypatch.setattr(places, "_ANSWER_SECONDS", 0.05)
    monkeypatch.setattr(UPath, "exists", lambda self: threading.Event().wait(5))
    with pytest.raises(EnvironmentProblem, match="memory://silent: no answer within"):
        places.place("memory://silent/x")


def test_spark_is_given_a_scheme_always(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert places.spark_uri(Path("a b")) == f"file://{tmp_path}/a b"
    assert places.spark_uri(places.place("memory://x/a")).startswith("memory://")


def test_a_file_is_replaced_whole_or_not_at_all(root: Place) -> None:
    places.write_bytes(root / "a", b"one")
    places.write_bytes(root / "a", b"two")
    with pytest.raises(RuntimeError), places.replacing(root / "a") as stream:
        stream.write(b"half")
        raise RuntimeError
    assert (root / "a").read_bytes() == b"two"


def test_files_are_found_by_folder_and_pattern_without_hidden_ones(root: Place) -> None:
    shown = ("dt=1/a.jsonl", "dt=1/b.jsonl", "dt=2/a.jsonl")
    put(root, *shown, "dt=1/_SUCCESS", "dt=1/.b.crc", "_temporary/0/a.jsonl", "other.txt")

    def found(path: str) -> list[str]:
        return [file.relative_to(root).as_posix() for file in inputs.find(f"{root}/{path}")]

    assert found("dt=1") == ["dt=1/a.jsonl", "dt=1/b.jsonl"]
    assert found("dt=1/*") == ["dt=1/a.jsonl", "dt=1/b.jsonl"]
    assert found("dt=*/a.jsonl") == ["dt=1/a.jsonl", "dt=2/a.jsonl"]
    assert found("dt=*") == list(shown)
    assert found("other.txt") == ["other.txt"]
    with pytest.raises(inputs.Unfit, match="there is no file"):
        found("dt=3")


def test_columns_are_read_from_files_anywhere(root: Place) -> None:
    import gzip

    put(root, "a.jsonl")
    (root / "a.csv.gz").write_bytes(gzip.compress("text,label\n가,나\n".encode()))
    for name, format in (("a.jsonl", "jsonl"), ("a.csv.gz", "csv")):
        found = contents.look(inputs.find(f"{root}/{name}"), Input(path="", format=format))  # type: ignore[arg-type]
        assert found.columns == ["text", "label"]


def test_digests_are_the_same_anywhere_and_are_remembered(root: Place, tmp_path: Path) -> None:
    put(root, *[f"many/{number}" for number in range(60)])
    put(tmp_path / "here", *[f"many/{number}" for number in range(60)])
    digests = Digests(root / "memo.json")
    of_root = digests.of(inputs.find(f"{root}/many"))
    here = Digests(tmp_path / "none").of(inputs.find(f"{tmp_path}/here/many"))
    assert sorted((file.name, digest) for file, digest in of_root.items()) == sorted(
        (file.name, digest) for file, digest in here.items()
    )
    digests.save()
    (root / "many" / "7").write_bytes(b"another")
    again = Digests(root / "memo.json").of(inputs.find(f"{root}/many"))
    assert {file.name for file in again if again[file] != of_root[file]} == {"7"}


def test_an_output_is_copied_once_and_anew_when_it_is_rebuilt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEXTMILL_CACHE", str(tmp_path / "cache"))
    folder = places.place(f"memory://copied-{uuid.uuid4().hex}/model")
    put(folder, "saved_model/a", "manifest.json")
    copy = transfer.local_copy(folder)
    assert (copy / "saved_model/a").read_bytes() == (folder / "saved_model" / "a").read_bytes()
    assert transfer.local_copy(folder) == copy
    (folder / "manifest.json").write_bytes(b"{}")
    assert transfer.local_copy(folder) != copy


def test_what_a_program_writes_locally_comes_to_the_folder_unless_it_fails(root: Place) -> None:
    with transfer.filling(root) as folder:
        put(folder, "saved_model/variables/v", "weights.npz")
    assert list(places.files(root)) == ["saved_model/variables/v", "weights.npz"]


def test_a_checkpoint_is_kept_anywhere(root: Place) -> None:
    checkpoint = Checkpoint(root / "latest.npz", {"job": 1})
    assert checkpoint.load() is None
    checkpoint.save([np.arange(3)], [], [np.ones(2)], [{"epoch": 1}])
    state = checkpoint.load()
    assert state is not None and state.weights[0].tolist() == [0, 1, 2] and state.epochs == [{"epoch": 1}]
    assert Checkpoint(root / "latest.npz", {"job": 2}).load() is None


def test_run_records_and_logs_are_kept_anywhere(root: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEXTMILL_CACHE", str(tmp_path / "cache"))
    run = runs.Run.start(root, "small", date="2026-01-01")
    (run.local / "spark.log").write_text("said")
    run.finish("done")
    assert [record["status"] for record in runs.records(root)] == ["done"]
    assert runs.find(root, "last") == runs.find(root, run.record["run"][:12])
    assert places.place(run.record["log"]).read_text() == "said"
    with pytest.raises(InputError, match="there is no run '2000'"):
        runs.find(root, "2000")


ODD = "my project [v2] {a} #1 100% 한글 'q' \"q\" & ;?*"


def test_what_exists_as_it_stands_is_that_file(root: Place) -> None:
    put(root, "[최종] 라벨링.csv", "최 라벨링.csv", f"{ODD}/a.csv", f"{ODD}/[b]/1.csv", f"{ODD}/b/2.csv", "v/3.csv")

    def found(path: str) -> list[str]:
        return [file.relative_to(root).as_posix() for file in inputs.find(f"{root}/{path}")]

    assert found("[최종] 라벨링.csv") == ["[최종] 라벨링.csv"]
    assert found(ODD) == [f"{ODD}/[b]/1.csv", f"{ODD}/a.csv", f"{ODD}/b/2.csv"]
    assert found(f"{ODD}/*.csv") == [f"{ODD}/a.csv"]
    assert found(f"{ODD}/[b]/*") == [f"{ODD}/[b]/1.csv"]
    assert found("[uv]/?.csv") == ["v/3.csv"]


def test_linked_folders_are_followed_once_and_links_to_nothing_named(tmp_path: Path) -> None:
    put(tmp_path, "in/2024/a.jsonl", "elsewhere/b.jsonl", "elsewhere/.c.jsonl")
    (tmp_path / "in/latest").symlink_to("2024")
    (tmp_path / "in/more").symlink_to("../elsewhere")
    (tmp_path / "elsewhere/back").symlink_to("../in")
    (tmp_path / "in/one.jsonl").symlink_to("../elsewhere/b.jsonl")
    names = ["2024/a.jsonl", "more/b.jsonl", "one.jsonl"]
    assert [str(file) for file in inputs.find(str(tmp_path / "in"))] == [f"{tmp_path}/in/{name}" for name in names]
    (tmp_path / "in/gone.jsonl").symlink_to("nowhere")
    with pytest.raises(inputs.Unfit, match="in/gone.jsonl is a link to nowhere, which is not there"):
        inputs.find(str(tmp_path / "in"))


def test_a_colon_in_a_file_name_is_refused(tmp_path: Path) -> None:
    put(tmp_path, "in:1/10:30.jsonl", "in:2/a.jsonl")
    assert len(inputs.find(str(tmp_path / "in:2"))) == 1
    with pytest.raises(inputs.Unfit, match="in:1/10:30.jsonl': Hadoop reads no file with a colon in its name"):
        inputs.find(str(tmp_path / "in:1"))
    put(tmp_path, "[in]:3/a.jsonl")
    with pytest.raises(inputs.Unfit, match=r"Spark reads no path that has a colon and one of"):
        inputs.find(str(tmp_path / "[in]:3"))
    assert "HDFS allows no colon" in places.unreadable(places.named("hdfs://nn:8020/runs/10:30"))
    assert not places.unreadable(places.named("hdfs://nn:8020/runs"))


def test_tensorflow_is_given_paths_without_signs_of_patterns(tmp_path: Path) -> None:
    put(tmp_path, "[v2]/a", "b/a")
    with transfer.plain(tmp_path / "[v2]") as path:
        assert not set(path) & set("*?[]\\")
        assert Path(path, "a").read_bytes() == (tmp_path / "[v2]/a").read_bytes()
    with transfer.plain(tmp_path / "b") as path:
        assert path == str(tmp_path / "b")
