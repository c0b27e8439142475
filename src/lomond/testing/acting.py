"""Does what a script asks for on a connected socket, in a thread of its own."""

from __future__ import annotations

import math
import selectors
import socket
import ssl
import struct
import threading
from functools import partial
from time import monotonic

from .peer import SILENCE, Action, End, Hear, Pause, Peer, Say, no_action

#: One without a descriptor of its own, which a test that counts them would see.
_Selector = getattr(selectors, "PollSelector", selectors.SelectSelector)
_ABORT = struct.pack("ii", 1, 0)  # SO_LINGER: close by a reset


class TestIsOver(Exception):  # noqa: N818  # no error
    """The test has ended, and nothing more has come: a script is left where it is."""

    __test__ = False  # pytest takes the name for one of its classes


class Over:
    """Whether a test has ended, for the threads of its server: those that wait are woken."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._lock = threading.Lock()
        self._pair: tuple[socket.socket, socket.socket] | None = None  # for those who poll

    def fileno(self) -> int:
        """What can be read from then on."""
        with self._lock:
            if self._pair is None:
                self._pair = socket.socketpair()
                if self._event.is_set():
                    self._pair[1].send(b"!")
            return self._pair[0].fileno()

    def set(self) -> None:
        """The test has ended."""
        with self._lock:
            self._event.set()
            if self._pair is not None:
                self._pair[1].send(b"!")

    def is_set(self) -> bool:
        """Whether it has ended."""
        return self._event.is_set()

    def wait(self, seconds: float) -> bool:
        """Whether it has ended within so many seconds; math.inf is for ever."""
        return self._event.wait(None if seconds == math.inf else seconds)

    def close(self) -> None:
        """Nobody waits any more: it has been set."""
        for end in self._pair or ():
            end.close()


class Acts:
    """A script at its end of a socket.

    Arguments:
        connection: The socket; TLS's too.
        over: Ends what waits. What has come by then is still heard.
        goes_on: Whether the script goes on then, and only pauses end.
        patience: Seconds after which the client is taken for dead that says or takes nothing; None
            for never.

    Attributes:
        is_saying: Whether something was said of which the client has not taken all.
    """

    def __init__(
        self,
        connection: socket.socket,
        over: Over,
        *,
        goes_on: bool = False,
        patience: float | None = None,
    ) -> None:
        self._connection = connection
        self._over = over
        self._goes_on = goes_on
        self._patience = patience
        self._selector: selectors.BaseSelector = _Selector()
        self._event = selectors.EVENT_READ  # that is waited for
        self._is_closed = False
        self.is_saying = False

    def run(self, peer: Peer) -> bool:
        """Do all of it, and tell whether the script has got to its end.

        An OSError in it that the script does not catch is raised.
        """
        self._connection.setblocking(False)
        with self._selector:
            self._selector.register(self._connection, selectors.EVENT_READ)
            if not self._goes_on:
                self._selector.register(self._over, selectors.EVENT_READ)
            try:
                self._run(peer)
            except TestIsOver:
                peer.actions.close()
                return False
        return True

    def _run(self, peer: Peer) -> None:
        action = next(peer.actions, None)
        while action is not None:
            try:
                goes_on = partial(peer.actions.send, self._do(action))
            except OSError as error:
                goes_on = partial(peer.actions.throw, error)
            try:
                action = goes_on()
            except StopIteration:
                return

    def _do(self, action: Action) -> bytes:
        """Perform it; what was heard."""
        match action:
            case Say(data):
                self._say(memoryview(data))
            case Hear(within, most):
                return self._hear(within, most)
            case Pause(seconds):
                if self._over.wait(seconds) and not self._goes_on:
                    raise TestIsOver
            case End(resets):
                self._end(resets)
            case _:
                raise no_action(action)
        return b""

    def _say(self, rest: memoryview) -> None:
        self.is_saying = bool(rest)
        while rest:
            try:
                rest = rest[self._connection.send(rest) :]
            except (BlockingIOError, ssl.SSLWantWriteError):
                self._wait(selectors.EVENT_WRITE, None)
            except ssl.SSLWantReadError:
                self._wait(selectors.EVENT_READ, None)
        self.is_saying = False

    def _hear(self, within: float | None, most: int) -> bytes:
        deadline = None if within is None else monotonic() + within
        while not self._is_closed:
            try:
                return self._connection.recv(most)
            except (BlockingIOError, ssl.SSLWantReadError):
                if not self._wait(selectors.EVENT_READ, deadline):
                    return SILENCE
            except ssl.SSLWantWriteError:
                self._wait(selectors.EVENT_WRITE, None)
        return b""

    def _end(self, resets: bool) -> None:
        if resets:
            self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABORT)
            self._selector.unregister(self._connection)
            self._connection.close()
            self._is_closed = True
        elif not self._is_closed:
            # Of TLS's socket it would also take away what decrypts.
            socket.socket.shutdown(self._connection, socket.SHUT_WR)

    def _wait(self, event: int, deadline: float | None) -> bool:
        """Whether the socket is ready before that moment."""
        if event != self._event:
            self._selector.modify(self._connection, event)
            self._event = event
        until = deadline
        if until is None and self._patience is not None:
            until = monotonic() + self._patience
        while True:
            rest = None if until is None else max(0.0, until - monotonic())
            is_over = self._over.is_set() and not self._goes_on
            ready = [key.fileobj for key, _ in self._selector.select(0.0 if is_over else rest)]
            if self._connection in ready:
                return True
            if until is not None and monotonic() >= until:
                if deadline is None:
                    raise TimeoutError("the client says or takes nothing")
                return False
            if is_over or ready:
                raise TestIsOver
