"""What the records under a root hold, each as its reader needs it, and what to do about a damaged one.

What is required is what no reader can do without; other keys are of the type given here, or absent as in records of
earlier heads.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field
from typing_extensions import NotRequired, TypedDict  # of Python's own, pydantic takes those of 3.12 and later

from textmill.stored import OPEN, Count, Figure, Kind, Name, Sha256


def _date(text: str) -> str:
    dt.date.fromisoformat(text)
    return text


def _moment(text: str) -> str:
    dt.datetime.fromisoformat(text)
    return text


def _measured(given: dict[str, float]) -> dict[str, float]:
    if missing := {"rows", "accuracy", "macro_f1"} - given.keys():
        raise ValueError(f"lacks {', '.join(sorted(missing))}")
    return given


def _take(given: list[Any]) -> list[Any]:
    role, parts, node, key = given
    if not all(isinstance(one, str) for one in (role, node, key, *parts)) or not isinstance(parts, list):
        raise ValueError("is not [role, [part, …], step, key]")
    return given


def _remembered(given: list[Any]) -> list[Any]:
    size, stamp, digest = given
    if not isinstance(size, int) or not isinstance(stamp, str) or not isinstance(digest, str):
        raise ValueError("is not [size, stamp, SHA-256]")
    return given


def _version(given: list[Any]) -> list[Any]:
    name, number = given
    if not isinstance(name, str) or not isinstance(number, int):
        raise ValueError("is not [name, number]")
    return given


Date = Annotated[str, AfterValidator(_date)]
Moment = Annotated[str, AfterValidator(_moment)]
Key = Annotated[str, Field(pattern="^[0-9a-zA-Z]{64}$")]
_Process = Annotated[int, Field(gt=0, lt=2**31)]
Scores = dict[str, Figure]
"""As promotion.figures gives them, those of sets too."""
Measured = Annotated[Scores, AfterValidator(_measured)]


class _Step(TypedDict):
    __pydantic_config__ = OPEN
    step: str
    key: Key
    op: NotRequired[Name]
    action: NotRequired[str]
    why: NotRequired[str]
    output: NotRequired[str]
    status: NotRequired[str]
    seconds: NotRequired[Figure]
    rows: NotRequired[dict[str, Count]]
    note: NotRequired[str]
    warnings: NotRequired[list[str]]


class _Promotion(TypedDict):
    __pydantic_config__ = OPEN
    promoted: NotRequired[bool]
    version: NotRequired[int | None]
    why: NotRequired[str]


class _Run(TypedDict):
    __pydantic_config__ = OPEN
    run: str
    name: str
    status: Literal["running", "done", "failed", "interrupted"]
    steps: list[_Step]
    date: NotRequired[Date]
    dates: NotRequired[dict[str, list[str]]]
    started: NotRequired[Moment]
    finished: NotRequired[Moment | None]
    seconds: NotRequired[Figure | None]
    pid: NotRequired[_Process]
    host: NotRequired[str]
    error: NotRequired[str | None]
    log: NotRequired[str]
    report: NotRequired[str | None]
    command: NotRequired[str]
    definition: NotRequired[str]
    profile: NotRequired[str]
    metrics: NotRequired[dict[str, Measured]]
    promotion: NotRequired[_Promotion]
    drift: NotRequired[dict[str, Any]]


class _Because(TypedDict):
    __pydantic_config__ = OPEN
    op: Name
    version: int
    params: dict[str, Any]
    takes: list[Annotated[list[Any], AfterValidator(_take)]]
    files: dict[str, str]
    jar: str


class _File(TypedDict):
    __pydantic_config__ = OPEN
    sha256: Sha256
    bytes: Count


class _Part(TypedDict):
    __pydantic_config__ = OPEN
    files: list[Name]
    rows: Count
    schema: dict[str, Any]


class _Stats(TypedDict):
    __pydantic_config__ = OPEN
    reasons: NotRequired[dict[str, Count]]
    warnings: NotRequired[list[str]]
    parts: NotRequired[dict[str, dict[str, Any]]]


class _Output(TypedDict):
    __pydantic_config__ = OPEN
    step: str
    op: str
    key: Key
    because: dict[str, Any]
    parts: dict[str, _Part]
    files: dict[Name, _File]
    stats: _Stats
    seconds: Figure
    finished: str


class _VersionFile(TypedDict):
    __pydantic_config__ = OPEN
    sha256: Sha256
    bytes: NotRequired[Count]


class _Version(TypedDict):
    __pydantic_config__ = OPEN
    run: str
    files: dict[Name, _VersionFile]
    name: NotRequired[str]
    version: NotRequired[int]
    why: NotRequired[str]
    published: NotRequired[str]
    date: NotRequired[str]
    definition: NotRequired[str]
    train: NotRequired[str]
    keys: NotRequired[dict[str, Key]]
    metrics: NotRequired[Scores]


class _Remembered(TypedDict):
    __pydantic_config__ = OPEN
    date: str
    digests: dict[Name, Sha256]


class _Current(TypedDict):
    __pydantic_config__ = OPEN
    version: Annotated[int, Field(gt=0)]
    since: NotRequired[str]
    newest: NotRequired[Count]
    history: NotRequired[list[int]]
    promoted: NotRequired[dict[str, _Remembered | None]]


class _Owner(TypedDict):
    __pydantic_config__ = OPEN
    token: str
    what: str
    host: str
    pid: _Process
    born: str
    since: str
    beat: Figure


class _Pin(TypedDict):
    __pydantic_config__ = OPEN
    owner: _Owner
    keys: list[str]
    runs: list[str]
    versions: list[Annotated[list[Any], AfterValidator(_version)]]


class _Metrics(TypedDict):
    __pydantic_config__ = OPEN
    rows: Count
    accuracy: Figure
    macro_f1: Figure
    sets: NotRequired[dict[str, Scores]]


class _History(TypedDict):
    __pydantic_config__ = OPEN
    epochs: list[dict[str, Any]]
    best_epoch: int


class _Model(TypedDict):
    __pydantic_config__ = OPEN
    model: str
    params: dict[str, Any]


class _Tensors(TypedDict):
    __pydantic_config__ = OPEN
    length: Count
    truncate: str
    vocabulary: NotRequired[dict[str, Any]]


_REMADE = "run the definition again: it makes what is damaged again (`textmill verify` names all of it)"
_PUBLISHED = "`textmill rollback NAME` goes back to a whole version, `textmill promote RUN` publishes a new one"
RUN: Kind[dict[str, Any]] = Kind(
    _Run, "its outputs are kept and other runs go on: run its definition again, or remove the run's folder"
)
PLAN: Kind[dict[str, dict[str, Any]]] = Kind(
    dict[str, _Because], "run the definition again: a new run has a plan of its own"
)
OUTPUT: Kind[dict[str, Any]] = Kind(_Output, _REMADE)
STATS: Kind[dict[str, dict[str, Any]]] = Kind(dict[str, dict[str, Any]])
VERSION: Kind[dict[str, Any]] = Kind(_Version, _PUBLISHED)
CURRENT: Kind[dict[str, Any]] = Kind(_Current, "say which version is in use: textmill rollback NAME --to VERSION")
LEASE: Kind[dict[str, Any]] = Kind(_Owner)
PIN: Kind[dict[str, Any]] = Kind(_Pin, "remove it, knowing that nothing runs")
MEMO: Kind[dict[str, list[Any]]] = Kind(dict[str, Annotated[list[Any], AfterValidator(_remembered)]])
METRICS: Kind[dict[str, Any]] = Kind(_Metrics, _REMADE)
HISTORY: Kind[dict[str, Any]] = Kind(_History, _REMADE)
MODEL: Kind[dict[str, Any]] = Kind(_Model, _PUBLISHED)
TENSORS: Kind[dict[str, Any]] = Kind(_Tensors, _REMADE)
OBJECT: Kind[dict[str, Any]] = Kind(dict[str, Any], _REMADE)
