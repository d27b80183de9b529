"""Raw shop-chat corpora of any size for benchmarks: populated from the seed templates, then made as untidy as real chat."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from pipelines import dictionaries
from pipelines.model import EntityFile
from spark_jobs import templates
from spark_jobs.base import Entity
from textmill.errors import Problem

CONF = Path(__file__).resolve().parent.parent / "conf"
_NOISE = (
    "",
    "",
    "",
    "",
    " ",
    "  ㅠㅠ",
    "!!",
    " ㅋㅋㅋ",
    "~",
    " 010-1234-5678",
    " 20260110-1234567",
    "\u200b",
    "！",
    "…",
)


def entities() -> Mapping[str, Entity]:
    """The dictionaries of the quickstart definition."""
    given = yaml.safe_load((CONF / "intent_ko.yaml").read_text(encoding="utf-8"))["entities"]
    found = {}
    for name, described in given.items():
        described = {**described, "path": str(CONF / described["path"])}
        found[name] = dictionaries.load(name, EntityFile.model_validate(described), Problem("", name, ""))
    return found


def write(folder: Path, records: int, files: int = 4, seed: int = 1) -> list[Path]:
    """`records` JSON lines {text, intent} in `files` files; about one in ten is a repetition of an earlier one."""
    paths = [folder / f"chats-{number:02d}.jsonl" for number in range(files)]
    made = utterances(seed)
    for number, path in enumerate(paths):
        share = records // files + (number < records % files)
        with path.open("w", encoding="utf-8") as stream:
            for _, record in zip(range(share), made, strict=False):
                stream.write(json.dumps(record, ensure_ascii=False) + "\n")
    return paths


def utterances(seed: int) -> Iterator[dict[str, Any]]:
    """Endless untidy utterances with their intents."""
    dice, lists = random.Random(seed), entities()
    parsed = templates.parse(CONF / "templates/intent_ko.txt", lists)
    recent: list[dict[str, Any]] = []
    while True:
        if recent and dice.random() < 0.1:
            yield dice.choice(recent)
            continue
        template = dice.choice(parsed)
        text = "".join(_piece(piece, lists, dice) for piece in template.pieces) + dice.choice(_NOISE)
        record = {"text": text, "intent": template.label}
        recent = recent[-999:] + [record] if dice.random() < 0.05 else recent
        yield record


def _piece(piece: Mapping[str, Any], lists: Mapping[str, Entity], dice: random.Random) -> str:
    if "text" in piece:
        return str(piece["text"])
    if "choice" in piece:
        return str(dice.choice(piece["choice"]))
    if "entity" in piece:
        return dice.choice(lists[piece["entity"]].values)
    return str(piece["particle"]).partition("/")[0]
