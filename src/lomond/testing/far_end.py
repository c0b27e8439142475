"""The far end of a connection in a pretend world: a socket, and the script that speaks there."""

from __future__ import annotations

import contextlib
import math
import socket
import weakref
from functools import partial
from typing import TYPE_CHECKING, Any

from .peer import SILENCE, End, Hear, Pause, Peer, Say, no_action
from .stuck import frame_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from .clock import PretendClock
    from .peer import Talk

_NOW = getattr(socket, "MSG_DONTWAIT", 0)
_READ_SIZE = 64 * 1024  # bytes


class FarEnd:
    """One connection of the world, which goes on whenever `serve` is called.

    Arguments:
        clock: By which the script pauses.
        talk: The script. Where it ends, this end hangs up.
        url: Where the program wanted to go, for people.

    Attributes:
        goes_on_at: When the script goes on whatever comes; None where it waits for bytes.
        is_over: The script has ended.
        peer: What the script speaks through.
    """

    def __init__(self, clock: PretendClock, talk: Callable[[Peer], Talk], url: str) -> None:
        self.peer = Peer(talk)
        self.url = url
        self.goes_on_at: float | None = None
        self.is_over = False
        self._clock = clock
        self._said = 0  # bytes of what is being said
        theirs, self._sock = socket.socketpair()
        theirs.setblocking(False)
        self._sock.setblocking(False)
        self._theirs: socket.socket | None = theirs  # until the program has it, which may drop it
        self._near = weakref.ref(theirs)
        self._action: Any = None
        try:
            self._step(partial(next, self.peer.actions))
        except BaseException:
            theirs.close()
            self._sock.close()
            raise

    def take(self) -> socket.socket:
        """The near end, for the program; once."""
        sock, self._theirs = self._theirs, None
        assert sock is not None
        return sock

    def is_of(self, sock: socket.socket) -> bool:
        """Whether that is the near end."""
        return self._near() is sock

    def serve(self) -> None:
        """Have the script go on up to where it waits. Raises what that raises."""
        while not self.is_over:
            try:
                heard = self._do(self._action)
                if heard is None:
                    return
                step = partial(self.peer.actions.send, heard)
            except OSError as error:  # the program has gone, which is for the script to handle
                step = partial(self.peer.actions.throw, error)
            self._step(step)

    def hang_up(self) -> None:
        """Go no further; what was not read does not make that a reset."""
        self._leave()
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_WR)
            while self._sock.recv(_READ_SIZE):
                pass
        self._sock.close()

    def close(self) -> None:
        """Go no further, and have the script leave its blocks. Raises what these raise."""
        self.hang_up()
        self.peer.actions.close()

    def place(self) -> FrameType | None:
        """The frame in which the script waits: the innermost that is not of this package."""
        return frame_of(self.peer.actions)

    def waits_for(self) -> str:
        """What the script waits for, in words."""
        match self._action:
            case Hear():
                return "to hear something"
            case Say():
                return "until what it says is read"
            case _:
                return "for ever" if self.goes_on_at is None else "for its time"

    def _step(self, step: Callable[[], Any]) -> None:
        try:
            self._action = step()
        except (OSError, StopIteration):
            self.hang_up()

    def _leave(self) -> None:
        self.is_over = True
        self.goes_on_at = None

    def _do(self, action: Any) -> bytes | None:
        """Do what the script asks for; what was heard, or None where it has to wait for that."""
        match action:
            case Hear(within, most):
                return self._hear(within, most)
            case Say(data):
                return self._say(data)
            case Pause(seconds):
                return b"" if self._has_passed(seconds) else None
            case End(resets):
                if resets:
                    self._reset()
                else:
                    self._sock.shutdown(socket.SHUT_WR)
                return b""
            case _:
                raise no_action(action)

    def _hear(self, within: float | None, most: int) -> bytes | None:
        try:
            data = self._sock.recv(most)
        except BlockingIOError:
            if within is None or not self._has_passed(within):
                return None
            return SILENCE
        self.goes_on_at = None
        return data

    def _say(self, data: bytes) -> bytes | None:
        try:
            while self._said < len(data):
                self._said += self._sock.send(memoryview(data)[self._said :])
        except BlockingIOError:
            return None
        except OSError:
            self._said = 0
            raise
        self._said = 0
        return b""

    def _has_passed(self, seconds: float) -> bool:
        """Whether so much time has passed since it was first asked for."""
        if seconds == math.inf:
            return False
        if self.goes_on_at is None:
            self.goes_on_at = self._clock.now + seconds
        if self._clock.now < self.goes_on_at:
            return False
        self.goes_on_at = None
        return True

    def _reset(self) -> None:
        """Hang up with something unread, of which the system makes a reset."""
        near = self._near()
        with contextlib.suppress(OSError):  # there is something, or the program has gone
            if near is not None:
                near.send(b"\0", _NOW)
        self._leave()
        self._sock.close()
