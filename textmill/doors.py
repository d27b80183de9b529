"""Ports that only those come in at who know a token: every port that textmill's own programs of a training listen on.

The one who listens and the one who comes have the token from their common driver, through Spark. It is never sent:

    listens → comes   32 random bytes
    comes → listens   32 random bytes, a MAC of 32 bytes, the length of the greeting in 4, the greeting
    listens → comes   a MAC of 32 bytes

The MACs are HMAC-SHA-256 with the token, over who speaks, both ends' random bytes and the greeting: what was heard
cannot be said again. Nothing is read that is longer than this, and nothing is parsed before the MAC is compared. Who is
not through in time is hung up on. After that a connection is trusted, and neither encrypted nor protected against
somebody who changes packets on their way.
"""

from __future__ import annotations

import hmac
import json
import secrets
import selectors
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from textmill.lines import parsed

_RANDOM = _MAC = 32
_LENGTH = 4
_ANSWER = _RANDOM + _MAC + _LENGTH
_LONGEST_GREETING = 1 << 12
_PATIENCE_SECONDS = 10.0
_WAITING = 256
"""Connections not through yet; beyond that the oldest of the address with most of them is hung up on."""
_LOOK_SECONDS = 0.5
_TRIES = 5
"""Who comes may be hung up on by a door that is besieged."""
_AGAIN_SECONDS = 0.2

Welcome = Callable[[socket.socket, dict[str, Any]], None]


def token_for(token: str, door: str) -> str:
    """A token of its own for one door: what is said at another can't be said there."""
    return hmac.digest(token.encode(), f"door {door}".encode(), "sha256").hex()


def _mac(token: str, who: bytes, listener: bytes, caller: bytes, greeting: bytes = b"") -> bytes:
    return hmac.digest(token.encode(), who + listener + caller + greeting, "sha256")


@dataclass
class _Caller:
    """A connection that is not through yet."""

    connection: socket.socket
    address: str
    since: float = field(default_factory=time.monotonic)
    challenge: bytes = field(default_factory=lambda: secrets.token_bytes(_RANDOM))
    heard: bytes = b""

    def listen(self, token: str) -> bytes | None:
        """Take in what has arrived; the greeting once all of it is there and was said by one who knows the token.

        Raises ValueError where it was not, and OSError where they hung up.
        """
        wanted = _ANSWER + self._greeting_bytes()
        piece = self.connection.recv(wanted - len(self.heard))
        if not piece:
            raise ConnectionError("hung up")
        self.heard += piece
        if len(self.heard) < _ANSWER or len(self.heard) < _ANSWER + self._greeting_bytes():
            return None
        mac, greeting = self.heard[_RANDOM : _RANDOM + _MAC], self.heard[_ANSWER:]
        if not hmac.compare_digest(mac, _mac(token, b"comes", self.challenge, self.heard[:_RANDOM], greeting)):
            raise ValueError("a stranger")
        return greeting

    def _greeting_bytes(self) -> int:
        length = int.from_bytes(self.heard[_RANDOM + _MAC : _ANSWER], "big") if len(self.heard) >= _ANSWER else 0
        if length > _LONGEST_GREETING:
            raise ValueError("a greeting without end")
        return length

    def proof(self, token: str) -> bytes:
        """What shows the other end that this one knows the token too."""
        return _mac(token, b"listens", self.challenge, self.heard[:_RANDOM])


class Door:
    """Listens on `host` in a thread of its own, which no caller can hold up.

    Whoever knows the token is handed to `welcome` in that thread, as a blocking connection and the greeting; `welcome`
    raises ValueError, or any other error, for one that it does not want.
    """

    def __init__(self, host: str, token: str, welcome: Welcome, patience: float = _PATIENCE_SECONDS) -> None:
        self._token, self._welcome, self._patience = token, welcome, patience
        self._socket = socket.create_server((host, 0))
        self._socket.setblocking(False)
        self.address: tuple[str, int] = (host, self._socket.getsockname()[1])
        """Where to come to."""
        self._closing, closing = socket.socketpair()
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._socket, selectors.EVENT_READ)
        self._selector.register(closing, selectors.EVENT_READ, closing)
        self._callers: dict[socket.socket, _Caller] = {}
        self._thread = threading.Thread(target=self._serve, name=f"door {self.address[1]}", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Let nobody in any more; connections handed over stay."""
        self._closing.close()
        self._thread.join()

    def _serve(self) -> None:
        open_ = True
        while open_:
            for key, _ in self._selector.select(_LOOK_SECONDS):
                if key.fileobj is self._socket:
                    self._accept()
                elif isinstance(key.data, _Caller):
                    self._hear(key.data)
                else:
                    open_ = False
            late = time.monotonic() - self._patience
            for caller in [each for each in self._callers.values() if each.since < late]:
                self._hang_up(caller)
        for key in list(self._selector.get_map().values()):
            key.fileobj.close()  # type: ignore[union-attr]
        self._selector.close()

    def _accept(self) -> None:
        try:
            connection, address = self._socket.accept()
        except OSError:  # gone again, or no descriptors left
            time.sleep(0.01)
            return
        connection.setblocking(False)
        caller = self._callers[connection] = _Caller(connection, address[0])
        self._selector.register(connection, selectors.EVENT_READ, caller)
        if len(self._callers) > _WAITING:
            ((crowd, _),) = Counter(each.address for each in self._callers.values()).most_common(1)
            self._hang_up(next(each for each in self._callers.values() if each.address == crowd))
        with suppress(OSError):  # told by its end of the connection
            connection.sendall(caller.challenge)

    def _hear(self, caller: _Caller) -> None:
        if caller.connection not in self._callers:
            return  # hung up on since
        try:
            greeting = caller.listen(self._token)
            if greeting is not None:
                self._let_in(caller, parsed(greeting))
        except BlockingIOError:
            pass
        except Exception:  # whatever it is, the door stays open for others
            self._hang_up(caller)

    def _let_in(self, caller: _Caller, greeting: dict[str, Any]) -> None:
        caller.connection.sendall(caller.proof(self._token))
        self._forget(caller)
        caller.connection.setblocking(True)
        self._welcome(caller.connection, greeting)

    def _hang_up(self, caller: _Caller) -> None:
        if caller.connection in self._callers:
            self._forget(caller)
        caller.connection.close()

    def _forget(self, caller: _Caller) -> None:
        del self._callers[caller.connection]
        self._selector.unregister(caller.connection)


def knock(address: tuple[str, int], token: str, greeting: Mapping[str, Any], seconds: float = 60.0) -> socket.socket:
    """A blocking connection to a door, both ends of which know the token.

    Raises OSError: a ConnectionError where the other end hangs up, as on one with another token, or does not know the
    token itself; TimeoutError where it does not answer within `seconds`.
    """
    until = time.monotonic() + seconds
    for left in reversed(range(_TRIES)):
        try:
            return _knocked(address, token, json.dumps(greeting).encode(), until)
        except ConnectionError:
            if not left or time.monotonic() + _AGAIN_SECONDS > until:
                raise
            time.sleep(_AGAIN_SECONDS)
    raise AssertionError("the last try raises or returns")


def _knocked(address: tuple[str, int], token: str, greeting: bytes, until: float) -> socket.socket:
    connection = socket.create_connection(address, max(0.1, until - time.monotonic()))
    try:
        challenge, own = _exactly(connection, _RANDOM, until), secrets.token_bytes(_RANDOM)
        mac = _mac(token, b"comes", challenge, own, greeting)
        connection.sendall(own + mac + len(greeting).to_bytes(_LENGTH, "big") + greeting)
        if not hmac.compare_digest(_exactly(connection, _MAC, until), _mac(token, b"listens", challenge, own)):
            raise ConnectionError(f"{address[0]}:{address[1]} does not know the token of this training")
    except BaseException:
        connection.close()
        raise
    connection.settimeout(None)
    return connection


def _exactly(connection: socket.socket, count: int, until: float) -> bytes:
    found = b""
    while len(found) < count:
        connection.settimeout(max(0.1, until - time.monotonic()))
        piece = connection.recv(count - len(found))
        if not piece:
            raise ConnectionError("hung up on, as one is without the token of this training")
        found += piece
    return found
