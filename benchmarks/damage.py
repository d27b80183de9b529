"""Damages every JSON file of a finished root in seven ways and calls every verb on each: none may end in a traceback.

python -m benchmarks.damage [--quick] [--folder FOLDER] [--workers 2] [--only PATTERN]

The root is made by real runs (`damage_root.py`): two dates with a training, a sweep and a search, two versions, a
bundle, a sweep that was killed. Each file is emptied, cut in half, given one flipped bit with size and time as they
were, `{}`, `[]`, its keys with values of other kinds, and 5,000 levels of nesting. Each verb then has to end with exit
0, 1 or 2 and to leave every file where it is; verbs that write get a fresh copy of the root each. Verbs run in this
process, by the program's entry point. What is left out: where a verb would start Spark or load TensorFlow it is
refused, so `run`, `daily`, `score`, `export` and `serve` are tried up to that point. With --folder the root is kept
there and used again. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import fnmatch
import io
import json
import os
import random
import shutil
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.damage_root import DATES, NAME, make

_SHOWN = 20
QUICK = ("empty", "flipped", "other")


def _empty(content: bytes, dice: random.Random) -> bytes:
    return b""


def _cut(content: bytes, dice: random.Random) -> bytes:
    return content[: len(content) // 2]


def _flipped(content: bytes, dice: random.Random) -> bytes:
    at = dice.randrange(max(1, len(content)))
    return content[:at] + bytes([content[at] ^ (1 << dice.randrange(7))]) + content[at + 1 :]


def _other(content: bytes, dice: random.Random) -> bytes:
    """The same keys, for its checksum, with other values: half a character, a number of 400 digits, NaN."""
    values = (None, -1, "\ud800", float("nan"), 10**400, [], {}, "", True)

    def other(value: Any) -> Any:
        if isinstance(value, dict) and value:
            return {key: other(one) for key, one in value.items() if key != "checksum"}
        if isinstance(value, list) and value:
            return [other(one) for one in value]
        return dice.choice(values) if dice.random() < 0.5 else value

    return "\n".join(json.dumps(other(json.loads(text))) for text in _texts(content)).encode()


def _texts(content: bytes) -> list[str]:
    try:
        json.loads(content)
    except ValueError:
        return [line for line in content.decode().splitlines() if line]
    return [content.decode()]


DAMAGES: Mapping[str, Callable[[bytes, random.Random], bytes]] = {
    "empty": _empty,
    "cut": _cut,
    "flipped": _flipped,
    "{}": lambda content, dice: b"{}",
    "[]": lambda content, dice: b"[]",
    "other": _other,
    "deep": lambda content, dice: b"[" * 5000,
}


def reading(first: str, last: str) -> list[list[str]]:
    """Verbs that write nothing but what they remember; `first` and `last` are runs."""
    dated = ["shop.yaml", "--date", DATES[-1]]
    return [
        ["check", *dated], ["plan", *dated], ["why", "shop.yaml", "train.m", "--date", DATES[-1]],
        ["peek", "shop.yaml", f"clean@{DATES[0]}", "--date", DATES[-1]], ["peek", "shop.yaml", "evaluate.m", "--date", DATES[-1]],
        ["runs"], ["runs", "--json"], ["runs", NAME, "--html", "../runs.html"],
        ["show"], ["show", first], ["show", last, "--json"], ["show", last, "--step", "tensors"],
        ["show", last, "--step", f"clean@{DATES[0]}"],
        ["board"], ["board", NAME, "--json"], ["board", NAME, "--html", "../board.html"],
        ["compare", f"{first}:m", "m"], ["versions"], ["versions", NAME, "--json"],
        ["score", NAME, f"days/{DATES[0]}.jsonl", "../scored"],
        ["score", last, f"days/{DATES[0]}.jsonl", "../scored", "--train", "m"],
        ["serve", NAME, "--port", "0"], ["export", last, "../bundle", "--train", "m", "--dry-run"],
        ["export", "--verify", "bundle"], ["gc", "--dry-run", "--keep", "1"], ["schedule", "show", "shop.yaml"],
        ["verify", last], ["verify", NAME], ["verify", "--all", "--json"],
    ]  # fmt: skip


def writing(last: str) -> list[list[str]]:
    """Verbs that write."""
    more = ["--set", "sweep.small.epochs=300", "--set", "sweep.small.stop.patience=300"]
    return [
        ["promote", last, "--train", "m", "--force"], ["promote", "--train", "m", "--if", "accuracy > 0"],
        ["rollback", NAME], ["rollback", NAME, "--to", "1"], ["gc", "--keep", "1"],
        ["run", "shop.yaml", "--date", DATES[-1]], ["run", "shop.yaml", "--date", DATES[-1], "--only", "sweep.small", *more],
        ["daily", "shop.yaml", "--date", DATES[-1]], ["backfill", "shop.yaml", "--since", DATES[0], "--until", DATES[0], "--json"],
    ]  # fmt: skip


@dataclass
class Outcome:
    """What calls came to."""

    exits: Counter[str] = field(default_factory=Counter)
    tracebacks: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)

    def add(self, other: Outcome) -> None:
        """Count another's too."""
        self.exits += other.exits
        self.tracebacks += other.tracebacks
        self.lost += other.lost


@dataclass
class Copies:
    """A folder in which the project of a finished root is put again and again, as links to one whole copy."""

    folder: Path
    removable: frozenset[str] = frozenset()
    """What gc removes of a whole root."""

    @property
    def project(self) -> Path:
        """Where the project is, always at the same place: paths are remembered."""
        return self.folder / "project"

    @classmethod
    def of(cls, made: Path, folder: Path) -> Copies:
        """Copy a project that was made elsewhere, and let it be read once where it is now."""
        found = cls(folder)
        shutil.copytree(made, found.project)
        os.chdir(found.project)
        call(["verify", "--all"])
        found.project.rename(folder / "whole")
        found.reset()
        before = set(found.files())
        call(["gc", "--keep", "1"])
        return cls(folder, frozenset(before - set(found.files())))

    def reset(self) -> None:
        """The project as it was made."""
        os.chdir(self.folder)
        shutil.rmtree(self.project, ignore_errors=True)
        shutil.copytree(self.folder / "whole", self.project, copy_function=os.link)
        os.chdir(self.project)

    def files(self) -> dict[str, tuple[int, int, int]]:
        """All files of the root, with what changes when they are written."""
        stats = {str(file): file.stat() for file in Path("runs").rglob("*") if file.is_file()}
        return {name: (stat.st_ino, stat.st_size, stat.st_mtime_ns) for name, stat in stats.items()}

    def damage(self, name: str, content: bytes) -> None:
        """Give a file another content; what it is linked to stays."""
        (self.project / name).unlink()
        (self.project / name).write_bytes(content)

    def rot(self, name: str, content: bytes) -> None:
        """Give the file that all copies share another content in place, and its time again, as a disk does."""
        file = self.folder / "whole" / name
        stat = file.stat()
        file.write_bytes(content)
        os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def call(words: list[str]) -> tuple[int | None, str]:
    """The exit status of a verb, None where it ended otherwise; and all it said."""
    from pipelines.cli import main

    said, before = io.StringIO(), sys.argv
    sys.argv = ["textmill", *words]
    try:
        with redirect_stdout(said), redirect_stderr(said):
            main()
    except SystemExit as ended:
        return (ended.code if isinstance(ended.code, int) else 1), said.getvalue()
    except BaseException:
        return None, said.getvalue() + traceback.format_exc()
    finally:
        sys.argv = before
    return 0, said.getvalue()


def refuse(put: Callable[[Any, str, Any], None] = setattr) -> None:
    """From here on this process starts neither Spark nor TensorFlow; `put` replaces an attribute of a module."""
    from models import scoring
    from spark_jobs import session
    from textmill.errors import TextmillError

    def refused(*given: object, **named: object) -> Any:
        raise TextmillError("this benchmark starts neither Spark nor TensorFlow")

    put(session, "start", refused)
    put(scoring, "load", refused)


def attempt(copies: Copies, name: str, damage: str, seed: int, verbs: Collection[str] = ()) -> Outcome:
    """Damage one file in one way and call every verb, or those named."""
    content = (copies.folder / "whole" / name).read_bytes()
    harmed = DAMAGES[damage](content, random.Random(f"{name} {damage} {seed}"))
    if damage != "flipped":
        return _verbs(copies, f"{name} {damage}", lambda: copies.damage(name, harmed), verbs)
    copies.rot(name, harmed)
    try:
        return _verbs(copies, f"{name} {damage}", lambda: None, verbs)
    finally:
        copies.rot(name, content)


def _verbs(copies: Copies, what: str, put: Callable[[], None], verbs: Collection[str]) -> Outcome:
    first, last = (run.name for run in sorted((copies.folder / "whole/runs" / NAME).glob("2*-*"))[:2])
    found = Outcome()
    copies.reset()
    put()
    for words in _chosen(reading(first, last), verbs):
        found.add(_called(copies, words, what, writes=False))
    for words in _chosen(writing(last), verbs):
        copies.reset()
        put()
        found.add(_called(copies, words, what, writes=True))
    return found


def _chosen(calls: list[list[str]], verbs: Collection[str]) -> list[list[str]]:
    """Of each verb named one call; all where none is."""
    return list({words[0]: words for words in calls if words[0] in verbs}.values()) if verbs else calls


def _called(copies: Copies, words: list[str], what: str, writes: bool) -> Outcome:
    before = copies.files()
    status, said = call(words)
    os.chdir(copies.project)
    after, told = copies.files(), f"{what}: textmill {' '.join(words)}"
    found = Outcome(Counter([str(status)]))
    if status not in (0, 1, 2) or "Traceback (most recent call last)" in said:
        found.tracebacks.append(f"{told} → {status}\n{said[-3000:]}")
    allowed = copies.removable if words[0] == "gc" and writes else ()
    gone = [file for file in before if file not in after and not _passing(file) and file not in allowed]
    changed = (
        []
        if writes
        else [file for file in before if after.get(file, before[file]) != before[file] and not _passing(file)]
    )
    found.lost += [f"{told}: {file} is gone" for file in gone] + [f"{told}: {file} was written" for file in changed]
    return found


def _passing(file: str) -> bool:
    """What comes and goes: leases, the memory of digests, what a killed process left."""
    return Path(file).name in ("lease.json", "lease.guard", "digests.json") or ".part" in file


_copies: Copies | None = None


def _begin(made: str, seed: int) -> None:
    global _copies
    refuse()
    _copies = Copies.of(Path(made), Path(tempfile.mkdtemp(dir=Path(made).parent)))


def _task(given: tuple[str, str], seed: int) -> tuple[str, str, Outcome]:
    assert _copies is not None
    return *given, attempt(_copies, *given, seed)


def tasks(made: Path, quick: bool, only: str) -> list[tuple[str, str]]:
    """Each file with each damage; in a hurry one file of each name and kind, and three damages."""
    files = [file.relative_to(made) for file in sorted(made.glob("**/*.json*")) if "days" not in file.parts]
    kinds = {(file.parts[:3] if file.parts[1] == "store" else file.parts[:1], file.name): str(file) for file in files}
    names = list(kinds.values()) if quick else [str(file) for file in files]
    damages = QUICK if quick else tuple(DAMAGES)
    return [(name, damage) for name in names if fnmatch.fnmatch(name, only) for damage in damages]


def measure(made: Path, given: list[tuple[str, str]], workers: int, seed: int) -> Iterator[tuple[str, str, Outcome]]:
    """What every verb came to on each damage."""
    with ProcessPoolExecutor(workers, initializer=_begin, initargs=(str(made), seed)) as pool:
        yield from pool.map(partial(_task, seed=seed), given)


def report(found: list[tuple[str, str, Outcome]], seconds: float) -> dict[str, Any]:
    """Print a table for people; the figures."""
    print(f"{'damage':<10}{'files':>7}{'calls':>8}{'exit 0':>8}{'exit 1':>8}{'exit 2':>8}{'tracebacks':>12}{'lost':>6}")
    total = Outcome()
    for damage in dict.fromkeys(damage for _, damage, _ in found):
        of_damage = Outcome()
        for outcome in (outcome for _, other, outcome in found if other == damage):
            of_damage.add(outcome)
        files = sum(other == damage for _, other, _ in found)
        exits = "".join(f"{of_damage.exits[code]:>8,}" for code in ("0", "1", "2"))
        print(
            f"{damage:<10}{files:>7,}{of_damage.exits.total():>8,}{exits}{len(of_damage.tracebacks):>12}{len(of_damage.lost):>6}"
        )
        total.add(of_damage)
    for line in [*total.tracebacks[:_SHOWN], *total.lost[:_SHOWN]]:
        print(line, file=sys.stderr)
    return {"files": len({name for name, _, _ in found}), "calls": total.exits.total(), "tracebacks": len(total.tracebacks),
            "lost": len(total.lost), "seconds": round(seconds, 1), "load_1m": round(os.getloadavg()[0], 2)}  # fmt: skip


def main() -> None:
    """Make a root, or use one that is there; damage it and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="no sweep and no search, one file of each kind, 3 damages")
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--only", default="*", help="files that match this pattern alone")
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        made = (given.folder or Path(scratch, "made")).absolute()
        if not made.exists():
            make(made, given.quick)
        shutil.copytree(made, Path(scratch, "root"))
        started = time.monotonic()
        found = list(measure(Path(scratch, "root"), tasks(made, given.quick, given.only), given.workers, given.seed))
        figures = report(found, time.monotonic() - started)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
