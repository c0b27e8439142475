"""Runs the script of a hostile case on a real socket of 127.0.0.1, in a thread.

What a script can do under its bytes (`Below`), besides what peer.py has:

    wait            until the client is gone, without reading
    urgent          `data` as TCP's urgent data
    raw             `data`, past TLS
    part            the first `size` bytes of the TLS record of `data`
    broken          the TLS record of `data` with a wrong bit
    twice           the TLS record of `data`, and again
    dribble         the TLS record of `data`, byte by byte
    notify          TLS's close_notify
    alert           a fatal alert, as TLS sends it when it can't read something
    hello           the first `size` bytes of the server's half of the TLS handshake
"""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import struct
import threading
import time
from types import TracebackType

from lomond.testing.peer import End, Hear, Pause, Peer, Say

from .case import Action, Below, Case

_TIMEOUT = 10.0
_SMALL_BUFFER = 4096  # bytes
_ABORT = struct.pack("ii", 1, 0)  # SO_LINGER: close by a reset


class HostileServer:
    """Listens as long as the context lasts, and serves one connection after the other.

    Arguments:
        case: What it does.
        context: For TLS; None for none.

    Attributes:
        port: Where it listens.
        heard: All that the last client said.
    """

    def __init__(self, case: Case, context: ssl.SSLContext | None = None) -> None:
        self.heard = b""
        self._case = case
        self._context = context
        self._listener = socket.socket()
        if case.never_reads:
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SMALL_BUFFER)
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen()
        self.port: int = self._listener.getsockname()[1]
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._accept, daemon=True)

    def __enter__(self) -> HostileServer:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._is_over.set()
        with contextlib.suppress(OSError):  # a last connection wakes the accepting thread
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        self._thread.join(_TIMEOUT)
        self._listener.close()

    def _accept(self) -> None:
        while not self._is_over.is_set():  # else nobody may listen any more
            connection, _ = self._listener.accept()
            with connection:
                if self._is_over.is_set():
                    return
                connection.settimeout(_TIMEOUT)
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                with contextlib.suppress(OSError):  # the client has gone
                    self._serve(connection)

    def _serve(self, connection: socket.socket) -> None:
        stream = _Stream(connection, self._context, self._is_over)
        try:
            with contextlib.suppress(OSError):
                if self._context is not None and self._case.speaks_tls:
                    stream.shake_hands()
                peer = Peer(self._case.talk)
                action = next(peer.actions, None)
                while action is not None:
                    try:
                        action = peer.actions.send(stream.do(action))
                    except StopIteration:
                        break
            while stream.hear():
                pass
        finally:
            self.heard = bytes(stream.heard)


class _Stream:
    """The server's end of a connection, perhaps with TLS over it."""

    def __init__(
        self, sock: socket.socket, context: ssl.SSLContext | None, is_over: threading.Event
    ) -> None:
        self.heard = bytearray()
        self._sock = sock
        self._is_over = is_over
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls: ssl.SSLObject | None = None
        if context is not None:
            self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)

    def do(self, action: Action) -> bytes:
        """Perform it; what was heard."""
        match action:
            case Say(data):
                self._write(self._record(data))
            case Hear():
                return self.hear()
            case Pause(seconds):
                self._pause(seconds)
            case End(resets):
                if resets:
                    self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABORT)
                    self._sock.close()
                else:
                    self._sock.shutdown(socket.SHUT_WR)
            case Below(what, data, size):
                self._do_below(what, data, size)
        return b""

    def shake_hands(self) -> None:
        """TLS's handshake."""
        assert self._tls is not None
        while True:
            try:
                self._tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                self._write(self._outgoing.read())
                if not self._fill():
                    raise ConnectionError from None
        self._write(self._outgoing.read())

    def hear(self) -> bytes:
        """What comes next; empty at the end."""
        if self._tls is None or not self._tls.version():
            data = self._sock.recv(65536)
            self.heard += data
            return data
        while True:
            try:
                data = self._tls.read(65536)
            except ssl.SSLWantReadError:
                if self._fill():
                    continue
                return b""
            except ssl.SSLZeroReturnError:
                return b""
            self.heard += data
            return data

    def _fill(self) -> bytes:
        data = self._sock.recv(65536)
        self._incoming.write(data)
        return data

    def _write(self, data: bytes) -> None:
        self._sock.sendall(data)

    def _record(self, data: bytes) -> bytes:
        if self._tls is None or not self._tls.version():
            return data
        self._tls.write(data)
        return self._outgoing.read()

    def _pause(self, seconds: float) -> None:
        """A pause; it ends when the client resets the connection."""
        watch = select.poll()
        watch.register(self._sock, 0)  # errors and hang-ups only
        if watch.poll(seconds * 1000):
            raise ConnectionError

    def _do_below(self, what: str, data: bytes, size: int) -> None:
        match what:
            case "wait":
                self._is_over.wait(_TIMEOUT)
            case "urgent":
                self._sock.send(data, socket.MSG_OOB)
            case "raw":
                self._write(data)
            case "part":
                self._write(self._record(data)[:size])
            case "broken":
                record = bytearray(self._record(data))
                record[-1] ^= 1
                self._write(bytes(record))
            case "twice":
                self._write(self._record(data) * 2)
            case "dribble":
                for byte in self._record(data):
                    self._write(bytes((byte,)))
                    time.sleep(0.001)
            case "notify":
                assert self._tls is not None
                with contextlib.suppress(ssl.SSLWantReadError):
                    self._tls.unwrap()
                self._write(self._outgoing.read())
            case "alert":
                assert self._tls is not None
                self._incoming.write(b"\x17\x03\x03\x00\x20" + bytes(32))
                with contextlib.suppress(ssl.SSLError):
                    while True:
                        self._tls.read(65536)
                self._write(self._outgoing.read())
            case "hello":
                assert self._tls is not None
                self._fill()
                with contextlib.suppress(ssl.SSLWantReadError):
                    self._tls.do_handshake()
                self._write(self._outgoing.read()[:size])
            case _:
                raise ValueError(what)
