"""Events that wait to be handed out, and how much of them may."""

from __future__ import annotations

import sys
from collections import deque
from typing import TYPE_CHECKING, Any, cast

from ..protocol import events as _events

if TYPE_CHECKING:
    from ..protocol.events import AnyEvent

MOST_EVENTS = 16
MOST_BYTES = 64 * 1024  # beside the newest event
EVENT = 128  # bytes of an event without its data, at least
_TEXT: type = _events.Text
_BINARY: type = _events.Binary
_TEXT_PART: type = _events.TextPart
_BINARY_PART: type = _events.BinaryPart
_REPLY: type = _events.Reply


class Held:
    """Events that came while the program was about something else: the oldest first.

    Attributes:
        events: These.
    """

    __slots__ = ("_size", "events")

    def __init__(self) -> None:
        self.events: deque[AnyEvent] = deque()
        self._size = 0  # bytes of their data

    def put(self, event: AnyEvent) -> None:
        """Keep an event behind the others."""
        self.events.append(event)
        self._size += size_of(event)

    def put_back(self, event: AnyEvent) -> None:
        """Keep one before them."""
        self.events.appendleft(event)
        self._size += size_of(event)

    def take(self) -> AnyEvent | None:
        """The next one, or None."""
        if not self.events:
            return None
        event = self.events.popleft()
        self._size -= size_of(event)
        return event

    def may_grow(self, most: int) -> bool:
        """Whether another one may be kept: as many as wait for a task, or so many bytes."""
        count = len(self.events)
        if count < MOST_EVENTS and self._size < MOST_BYTES:
            return True
        return self._size + EVENT * count < most


def size_of(event: AnyEvent) -> int:
    """Bytes that the data of an event takes."""
    kind: type = type(event)
    if kind is _REPLY:
        return size_of(cast("Any", event).message)
    if kind is _TEXT or kind is _TEXT_PART:
        text = cast("str", event.text)  # type: ignore[union-attr]  # of each twin its own class
        return sys.getsizeof(text, 4 * len(text))  # PyPy, which never says, has it as UTF-8
    is_binary = kind is _BINARY or kind is _BINARY_PART
    return len(event.data) if is_binary else 0  # type: ignore[union-attr]  # as above
