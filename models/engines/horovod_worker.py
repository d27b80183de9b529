"""One rank of engine horovod: python -m models.engines.horovod_worker JOB.json, started by whatever launches ranks.

JOB.json holds a TrainJob; relative paths in it start at its folder. Rank 0 says how far it is on standard output, as
the JSON lines of models.engines.worker. The rank itself is a process of its own, and its parent, this one, says how it
ended where that was not well: {"lost": {"rank", "host", "status", "peer", "tail"}}, `peer` where the rank itself only
lost another one. With TEXTMILL_ALIVE=1 in the environment every rank gives a sign of life each second, and its last.

Exit status 0: weights.npz, model.json, history.json and saved_model/ are in the job's `out`. 75: another rank was lost.
128 + n: signal n.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections import deque
from typing import Any

from models.engines.base import named
from models.engines.watch import Watch
from models.engines.worker import say
from models.subprocesses import end, environ, started

PEER_LOST = 75
"""Exit status of a rank whose own work was well, as sysexits.h has it for failures that may pass."""
ALIVE = "TEXTMILL_ALIVE"
_TAIL = 20


def watched(job: str) -> int:
    """Run this process's rank of the job in a process of its own; its exit status, 128 + n for signal n."""
    command = [sys.executable, "-m", "models.engines.horovod_rank", job]
    # The rank ends when its standard input does, so it never outlives this process, however that ends.
    pipes = dict.fromkeys(("stdout", "stderr"), subprocess.PIPE)
    process = started(command, env=environ(), **pipes)
    tail: deque[str] = deque(maxlen=_TAIL)
    try:
        status = Watch(process, lambda **message: _tell(tail, message)).until_it_ends()
    finally:
        end(process)
    if status == 0:
        _tell(tail, {"ended": rank()})
    else:
        say(lost={"rank": rank(), "host": socket.gethostname(), "status": named(status), "peer": status == PEER_LOST,
                  "tail": list(tail)})  # fmt: skip
    return 128 - status if (status or 0) < 0 else status or 0


def rank() -> int:
    """The number that the launcher has given this process; elastic training may give it another later."""
    known = (os.environ.get(name) for name in ("HOROVOD_RANK", "OMPI_COMM_WORLD_RANK", "PMI_RANK", "SLURM_PROCID"))
    return int(next((number for number in known if number is not None), 0))


def _tell(tail: deque[str], message: dict[str, Any]) -> None:
    if "log" in message:
        tail.append(message["log"])
        print(message["log"], file=sys.stderr, flush=True)
    elif not {"alive", "ended"} & message.keys() or os.environ.get(ALIVE) == "1":
        say(**message)


if __name__ == "__main__":
    sys.exit(watched(sys.argv[1]))
