"""The one place that sees all that a connection says and hears, and tells whoever listens of it.

Theory of operation. Whoever notes something may hold any lock: an entry is only put in line. It is
told by whoever comes by next with no lock held: who asks for the events, before the next one is
handed out, and who sends, behind that. One thread tells at a time, so that listeners have all of it
in order. A connection to which nobody listens has no journal, and goes by none of this.
"""

from __future__ import annotations

import itertools
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from ..protocol.events import Poll
from ..system.clock import monotonic, time
from ..system.holding import abandon, is_mine
from ..system.lock import Lock

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..ending import Ending
    from ..protocol.events import AnyEvent

_numbers = itertools.count(1)
#: Events that the connection's own frames tell of already.
_FRAMES = frozenset(
    {"text", "binary", "text_part", "binary_part", "ping", "pong", "closing", "closed"}
)
_LONG = 1000  # entries in line
_PATIENCE = (
    1.0  # seconds; who makes it longer waits no longer, for a listener may wait for that one
)
_ENDS = frozenset({"connect_fail", "disconnected"})


class Entry(NamedTuple):
    """One thing that a connection said, heard or did."""

    connection: int  #: its number in this process, 1 for the first that somebody listens to
    url: str | None  #: as it was asked for, secrets included; None where it was not asked for yet
    moment: float  #: monotonic seconds
    wall: float  #: seconds since the epoch
    direction: str  #: "in", "out", or "here": what this side does, and hands out
    op: str  #: what it is: of a frame, or the name of an event, or a stage of opening
    #: text: str; part of a message: its event; other frames and heads: bytes; response: Response;
    #: else the event
    value: Any
    compress: bool = False  #: whether an extension may compress it, on its way out


class Journal:
    """What one connection says and hears, for those who listen.

    Arguments:
        listeners: Each is given every `Entry`, outside of every lock, by one thread at a time.
        url: What is asked for; None where that is not known yet.
        has_frames: Whether they want to know of frames and heads.
        has_bytes: Whether they want to know of what the system reads and writes.

    Attributes:
        number: Of the connection, in this process.
        url: As given; set when it was asked for.
    """

    __slots__ = ("_entries", "_is_over", "_is_telling", "_listeners", "_turn", "has_bytes",
                 "has_frames", "number", "url")  # fmt: skip

    def __init__(
        self,
        listeners: Sequence[Callable[[Entry], object]],
        url: str | None,
        has_frames: bool,
        has_bytes: bool,
    ) -> None:
        self.number = next(_numbers)
        self.url = url
        self.has_frames = has_frames
        self.has_bytes = has_bytes
        self._listeners = list(listeners)
        self._entries: deque[Entry] = deque()
        self._turn: Any = Lock()
        self._is_telling = False
        self._is_over = False  # its ending was told

    def tells(self, kind: type) -> bool:
        """Whether a listener of that kind is told."""
        return any(isinstance(listener, kind) for listener in self._listeners)

    def join(self, listener: Callable[[Entry], object]) -> None:
        """Tell one more of what follows."""
        self._listeners.append(listener)

    def note(self, direction: str, op: str, value: Any, compress: bool = False) -> None:
        """Put something in line. Any lock may be held."""
        moment, wall = monotonic(), time()
        entry = Entry(self.number, self.url, moment, wall, direction, op, value, compress)
        self._entries.append(entry)

    def event(self, event: AnyEvent) -> None:
        """Tell all that is in line, and this event behind it, which is about to be handed out.

        Frames told of themselves when they came. What the clock alone says is not told.
        """
        if event.name not in _FRAMES and type(event) is not Poll:
            self.note("here", event.name, event)
            self._is_over = self._is_over or event.name in _ENDS
        self.tell()

    def left(self, ending: Ending | None) -> None:
        """Tell how it ended, where nobody was handed that."""
        if ending is not None and not self._is_over:
            self._is_over = True
            self.note("here", "left", ending)
        self.tell()

    def tell(self) -> None:
        """Tell all that is in line, unless another thread does. No lock is held.

        Where another one does, and the line is long, this one waits for that a while.

        What a listener itself makes a connection say is told when it is done.
        """
        turn = self._turn
        while self._entries:
            if is_mine(turn):
                if self._is_telling:
                    return
                abandon(turn)  # this thread was interrupted before it began
            if not turn.acquire(False):
                # A listener that blocks keeps back those who would make the line ever longer.
                is_long = len(self._entries) > _LONG
                if not (is_long and turn.acquire(True, _PATIENCE)):
                    return
            try:
                self._is_telling = True
                while self._entries:  # which one thread alone takes from
                    self._hand_out(self._entries.popleft())
            finally:
                self._is_telling = False
                turn.release()

    def _hand_out(self, entry: Entry) -> None:
        if entry.op == "text" and isinstance(entry.value, bytes):
            entry = entry._replace(value=entry.value.decode())
        for listener in tuple(self._listeners):
            try:
                listener(entry)
            except Exception:
                import logging

                self._listeners.remove(listener)
                said = "%r failed, and is told no more of connection %d"
                with suppress(Exception):  # of a handler of the log, which may be what failed
                    logging.getLogger("lomond").exception(said, listener, self.number)
