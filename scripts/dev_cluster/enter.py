"""Becomes a program on a node: `ip netns exec … unshare --uts --mount python3 enter.py FOLDER NAME PROGRAM ARGUMENT…`.

A file of its own that imports nothing of the project: it runs before the node's daemon, six times at each start.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys


def main(folder: str, name: str, *program: str) -> None:
    """Give this mount namespace the node's files, this UTS namespace its name, and turn into the program."""
    for file in ("hosts", "resolv.conf"):
        subprocess.run(["mount", "--bind", f"{folder}/{file}", os.path.realpath(f"/etc/{file}")], check=True)
    socket.sethostname(name)
    os.execv(program[0], program)


if __name__ == "__main__":
    main(*sys.argv[1:])
