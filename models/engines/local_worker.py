"""The worker of engine local: python -m models.engines.local_worker JOB, progress as JSON lines on standard output."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from typing import Any

from models.engines.base import Progress, TrainJob
from models.trainer import Trainer

_REPORT_SECONDS = 0.5


def main() -> None:
    """Train the job given as JSON on the command line."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    job = TrainJob.from_json(sys.argv[1])
    last = 0.0

    def report(progress: Progress) -> None:
        nonlocal last
        if time.monotonic() - last > _REPORT_SECONDS:
            last = time.monotonic()
            _say(progress=progress.__dict__)

    _say(done=Trainer(job).train(report))


def _end_with_parent() -> None:
    while os.read(0, 1024):  # not sys.stdin, whose lock this thread would hold as the interpreter ends
        pass
    os._exit(1)


def _say(**message: Any) -> None:
    print(json.dumps(message), flush=True)


if __name__ == "__main__":
    main()
