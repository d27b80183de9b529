"""From weights.npz and model.json to saved_model/, in a process of its own: how every engine's training ends.

python -m models.export FOLDER
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from models.subprocesses import environ
from textmill.errors import TextmillError


def export(folder: Path) -> None:
    """Export the model in `folder`; a fresh process makes the bytes depend on the model alone."""
    command = [sys.executable, "-m", "models.export", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, env=environ(), stdin=subprocess.DEVNULL, check=False)
    if done.returncode:
        tail = "\n".join(done.stderr.splitlines()[-10:])
        raise TextmillError(f"the export of {folder} ended with status {done.returncode}:\n{tail}")


def _export_here(folder: Path) -> None:
    import numpy as np

    from models import catalogue, keras_build

    described = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    length, sizes = described["length"], {"vocabulary": described["vocabulary"], "labels": len(described["labels"])}
    found = catalogue.model(described["model"], described["params"], described["code"], length=length, **sizes)
    model = keras_build.build(found, length, 0, keras_build.tf.Variable(0, trainable=False))
    with np.load(folder / "weights.npz", allow_pickle=False) as weights:
        model.set_weights([weights[name] for name in sorted(weights.files)])
    keras_build.export(model, folder / "saved_model", length)


if __name__ == "__main__":
    _export_here(Path(sys.argv[1]))
