"""A server that stands until it is stopped: a script for each connection, and what went wrong.

For people who try something: `serve` of serving.py is what a test wants.
"""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import threading
import traceback
from collections.abc import Callable
from itertools import count
from time import monotonic
from typing import TYPE_CHECKING

from ..response import escaped
from .accepting import Acceptor
from .acting import Acts, Over
from .conversation import Left
from .peer import Peer, Talk

if TYPE_CHECKING:
    from types import TracebackType

_HERE = os.path.dirname(os.path.dirname(__file__))
_PATIENCE = 10.0  # seconds, for TLS; a script waits as long as it takes, maybe for a person
_GOODBYE = 2.0  # seconds, for a client to take a close frame and to hang up
_DROPPED = 65536  # bytes at once, of what it says meanwhile
_GOING_AWAY, _FAILED = (1001, "the server ends"), (1011, "the server's script failed")


class Standing:
    """Serves whoever connects, each in a thread of its own.

    Arguments:
        script: Gives the script of the next connection, which is one of peer.py; and what it has
            to say of that once the connection is over, in sentences.
        tell: Is given what went wrong, a line each, by the threads.
        ended: Is called behind each connection.
        host, port: Where to listen; 0 for a free port.
        context: TLS's; None for none.

    Attributes:
        url: Where it listens.
        has_failed: Whether a script has.

    Raises:
        OSError: Nobody can listen there.
    """

    def __init__(
        self,
        script: Callable[[], tuple[Callable[[Peer], Talk], Callable[[], list[str]]]],
        tell: Callable[[str], object],
        ended: Callable[[], object],
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        context: ssl.SSLContext | None = None,
    ) -> None:
        self._script = script
        self._tell = tell
        self._ended = ended
        self._context = context
        self._over = Over()
        self._greeting: set[socket.socket] = set()  # TLS is not through yet
        self._lock = threading.Lock()
        self._numbers = count(1)
        self._acceptor = Acceptor(self._serve, host=host, port=port)
        shown = f"[{host}]" if ":" in host else host
        self.url = f"{'ws' if context is None else 'wss'}://{shown}:{self._acceptor.address[1]}/"
        self.has_failed = False

    def __enter__(self) -> Standing:
        self._acceptor.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()  # each thread says goodbye
        for connection in self._greeting.copy():  # but those that wait for TLS
            with contextlib.suppress(OSError):
                socket.socket.shutdown(connection, socket.SHUT_RDWR)
        if self._acceptor.stop(2 * _GOODBYE + 1):
            self._over.close()

    def _serve(self, connection: socket.socket) -> None:
        try:
            number = next(self._numbers)
            if self._context is not None:
                try:
                    connection = self._secured(connection, self._context)
                except OSError as error:
                    if not self._over.is_set():
                        self._say(number, [f"TLS failed: {error}"])
                    return
            with self._lock:
                talk, remarks = self._script()
            with connection:
                self._converse(connection, number, talk, remarks)
        finally:
            self._ended()

    def _secured(self, connection: socket.socket, context: ssl.SSLContext) -> ssl.SSLSocket:
        """TLS with a client. Raises OSError where that fails, or all ends."""
        connection.settimeout(_PATIENCE)
        secured = context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        self._greeting.add(secured)
        try:
            if self._over.is_set():
                raise OSError("the server ends")
            secured.do_handshake()
        except BaseException:
            secured.close()
            raise
        finally:
            self._greeting.discard(secured)
        return secured

    def _converse(
        self,
        connection: socket.socket,
        number: int,
        talk: Callable[[Peer], Talk],
        remarks: Callable[[], list[str]],
    ) -> None:
        peer = Peer(talk)
        acts = Acts(connection, self._over)
        try:
            if acts.run(peer):
                self._fail(number, remarks())
                return
            said = _GOING_AWAY
        except OSError:  # the client has gone
            self._fail(number, remarks())
            return
        except Left:  # who goes is free to go
            return
        except Exception as failure:
            self._fail(number, [told(failure)])
            said = _FAILED
        if not acts.is_saying and peer.farewell is not None:
            _take_leave(connection, peer.farewell(*said))

    def _fail(self, number: int, sentences: list[str]) -> None:
        if sentences:
            self.has_failed = True
            self._say(number, sentences)

    def _say(self, number: int, sentences: list[str]) -> None:
        with self._lock:
            for sentence in sentences:
                self._tell(f"connection {number}: {escaped(sentence)}")


def told(failure: Exception) -> str:
    """What a script has raised, in a line: where in it, and what."""
    words = str(failure)
    frames = traceback.extract_tb(failure.__traceback__)
    own = [frame for frame in frames if not frame.filename.startswith(_HERE)]
    if not own:
        return words or repr(failure)
    place = f"{os.path.basename(own[-1].filename)}:{own[-1].lineno}"
    if words.startswith(f"{place} "):  # of a step
        return words
    return f"{place}: {type(failure).__name__}: {words or own[-1].line}"


def _take_leave(connection: socket.socket, frame: bytes) -> None:
    """Say the frame, and wait a moment until the client hangs up."""
    if not frame:
        return
    connection.settimeout(_GOODBYE)
    connection.sendall(frame)
    socket.socket.shutdown(connection, socket.SHUT_WR)  # TLS's own takes away what decrypts
    until = monotonic() + _GOODBYE
    while connection.recv(_DROPPED) and monotonic() < until:
        pass
