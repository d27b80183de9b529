"""The worker of engine local: python -m models.engines.local_worker JOB, progress as JSON lines on standard output."""

from __future__ import annotations

import sys

from models import catalogue
from models.engines.base import TrainJob
from models.engines.worker import work


def main() -> None:
    """Train the job given as JSON on the command line."""
    job = TrainJob.from_json(sys.argv[1])
    work(lambda report: catalogue.training(job).train(report))


if __name__ == "__main__":
    main()
