"""data_full.json of clinc150 as train.csv, valid.csv and test.csv: python scripts/clinc150.py DATA_FULL_JSON FOLDER."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

_FILES = {"train": "train.csv", "val": "valid.csv", "test": "test.csv"}


def convert(source: Path, folder: Path) -> dict[str, int]:
    """Write the rows in scope, columns text and intent; the number of rows by file is returned."""
    found = json.loads(source.read_text(encoding="utf-8"))
    folder.mkdir(parents=True, exist_ok=True)
    for part, name in _FILES.items():
        with (folder / name).open("w", encoding="utf-8", newline="") as stream:
            csv.writer(stream).writerows([("text", "intent"), *found[part]])
    return {name: len(found[part]) for part, name in _FILES.items()}


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: python scripts/clinc150.py DATA_FULL_JSON FOLDER")
    for name, rows in convert(Path(sys.argv[1]), Path(sys.argv[2])).items():
        print(f"{name} {rows:,} rows")
