"""Who reaches TensorFlow's own server in the process of a rank: the ranks of the training.

TensorFlow listens on all addresses, asks nobody for a name, and does what it is asked to, which can be to read and write
files. It can't be given a token. But the kernel drops packets before TensorFlow sees them, by a filter on the listening
socket, for which nobody needs a privilege. Let in are the hosts of the other ranks, and of this host the sockets that the
kernel says are of this user. Whoever else connects waits in vain.

The first packet of a connection from this host is dropped too, as its socket is not listed yet; TCP sends it again
after a second.
"""

from __future__ import annotations

import ctypes
import fcntl
import ipaddress
import os
import socket
import struct
import sys
import threading
import time
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress

HOSTS = "TEXTMILL_PEERS"
"""The variable by which a rank's process gets the addresses of the other ranks' hosts."""
_SIOCGIFADDR = 0x8915
_SO_ATTACH_FILTER, _SO_DETACH_FILTER = 26, 27
# Of the kernel's classic packet filters; jumps count the instructions to skip where the values are equal, or are not.
_BYTE, _WORD, _HALF, _AND, _EQUAL, _RETURN = 0x30, 0x20, 0x28, 0x54, 0x15, 0x06
_IP_HEADER = 0x100000000 - 0x100000
_SOURCE, _SOURCE_PORT, _ALL, _NOTHING = _IP_HEADER + 12, 0, 0xFFFFFFFF, 0
_MOST = 4096
_FIRST_SECONDS, _OPEN_SECONDS, _START_SECONDS = 0.002, 600.0, 30.0
_LOOK_SECONDS, _LATER_SECONDS = 0.1, 0.5

Socket = tuple[str, int]


def addresses() -> list[str]:
    """The IPv4 address of each of this host's interfaces, but for loopback."""
    found = set()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        for _, name in socket.if_nameindex():
            with suppress(OSError):  # an interface without one
                told = fcntl.ioctl(asking, _SIOCGIFADDR, struct.pack("256s", name.encode()[:15]))
                found.add(socket.inet_ntoa(told[20:24]))
    return sorted(address for address in found if not address.startswith("127."))


def guard(port: int, user: int | None = None) -> threading.Thread:
    """Watch over `port` from when this process listens there until it ends; `user`: whose sockets are let in."""
    hosts = [host for host in os.environ.get(HOSTS, "").split(",") if host]
    thread = threading.Thread(target=_guard, args=(port, hosts, os.getuid() if user is None else user), daemon=True)
    thread.start()
    return thread


def _guard(port: int, hosts: list[str], user: int) -> None:
    doors: list[int] = []
    try:
        doors += _opened(port)
        _attach(doors, program(hosts, ()))
        _watch(port, hosts, user, doors)
    except (OSError, ValueError) as error:  # as where there is no /proc
        print(f"port {port} of TensorFlow is open to everybody: {error}", file=sys.stderr, flush=True)
        for door in doors:
            with suppress(OSError):
                _detach(door)


def _opened(port: int) -> list[int]:
    """The sockets of this process that listen at a port, waited for; none after a time."""
    until = time.monotonic() + _OPEN_SECONDS
    while not (found := list(_listening(port))) and time.monotonic() < until:
        time.sleep(_FIRST_SECONDS)
    return found


def _watch(port: int, hosts: list[str], user: int, doors: list[int]) -> None:
    """Keep the filters of `doors`, to which others at this port may be added, as the user's sockets come and go."""
    begun, before = time.monotonic(), set[Socket]()
    while doors:
        looked = time.monotonic()
        starts = looked - begun < _START_SECONDS
        now = list(_listening(port)) if starts else [door for door in doors if _listens(door, port)]
        own = set(_own(port, user))
        if own != before or now != doors:
            _attach(now, program(hosts, own))
            before, doors[:] = own, now
        # On a host with many connections looking takes a while: it is to take no more than a twentieth of a core.
        time.sleep(max(_LOOK_SECONDS if starts else _LATER_SECONDS, 20 * (time.monotonic() - looked)))


def program(hosts: Collection[str], sockets: Collection[Socket]) -> bytes:
    """The filter's instructions: lets packets of IPv4 in that come from these hosts or sockets, and no others.

    Raises ValueError for more than the kernel takes.
    """
    steps = [(_BYTE, 0, 0, _IP_HEADER), (_AND, 0, 0, 0xF0), (_EQUAL, 1, 0, 0x40), (_RETURN, 0, 0, _NOTHING)]
    steps.append((_WORD, 0, 0, _SOURCE))
    for host in sorted(hosts):
        steps += [(_EQUAL, 0, 1, int(ipaddress.IPv4Address(host))), (_RETURN, 0, 0, _ALL)]
    for address, port in sorted(sockets):
        steps += [(_WORD, 0, 0, _SOURCE), (_EQUAL, 0, 3, int(ipaddress.IPv4Address(address)))]
        steps += [(_HALF, 0, 0, _SOURCE_PORT), (_EQUAL, 0, 1, port), (_RETURN, 0, 0, _ALL)]
    steps.append((_RETURN, 0, 0, _NOTHING))
    if len(steps) > _MOST:
        raise ValueError(f"{len(hosts)} hosts and {len(sockets)} connections are more than a packet filter takes")
    return b"".join(struct.pack("HBBI", *step) for step in steps)


def _own(port: int, user: int) -> Iterator[Socket]:
    """The sockets of a user on this host that are, or want to be, connected to a port of this host."""
    for file in ("/proc/net/tcp", "/proc/net/tcp6"):
        with suppress(FileNotFoundError), open(file, encoding="ascii") as lines:
            next(lines)
            for line in lines:
                words = line.split()
                if int(words[2].rpartition(":")[2], 16) == port and int(words[7]) == user:
                    yield from _ipv4(words[1])


def _ipv4(word: str) -> Iterable[Socket]:
    """An address as the kernel writes it: words of 4 bytes, each in the order of this machine; none for IPv6 itself."""
    digits, _, port = word.partition(":")
    whole = b"".join(struct.pack("=I", int(digits[at : at + 8], 16)) for at in range(0, len(digits), 8))
    if len(whole) == 16 and not whole.startswith(bytes(10) + b"\xff\xff"):
        return ()
    return ((str(ipaddress.IPv4Address(whole[-4:])), int(port, 16)),)


def _listening(port: int) -> Iterator[int]:
    for name in os.listdir("/proc/self/fd"):
        if _listens(int(name), port):
            yield int(name)


def _listens(descriptor: int, port: int) -> bool:
    try:
        opened = socket.socket(fileno=descriptor)
    except OSError:
        return False  # no socket, or closed since
    try:
        is_tcp = opened.family in (socket.AF_INET, socket.AF_INET6) and opened.type == socket.SOCK_STREAM
        listens = is_tcp and opened.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN) == 1
        return bool(listens and opened.getsockname()[1] == port)
    except OSError:
        return False
    finally:
        opened.detach()


def _attach(doors: Iterable[int], instructions: bytes) -> None:
    held = ctypes.create_string_buffer(instructions, len(instructions))
    given = struct.pack("HL", len(instructions) // 8, ctypes.addressof(held))
    for door in doors:
        _set(door, _SO_ATTACH_FILTER, given)


def _detach(door: int) -> None:
    _set(door, _SO_DETACH_FILTER, struct.pack("i", 0))


def _set(door: int, option: int, value: bytes) -> None:
    opened = socket.socket(fileno=door)
    try:
        opened.setsockopt(socket.SOL_SOCKET, option, value)
    finally:
        opened.detach()
