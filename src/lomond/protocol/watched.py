"""A connection that tells somebody of every frame: after it was parsed, before it is masked.

One of its own, so that the way of a message costs nothing more where nobody listens.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from . import frames
from .connection import Connection
from .events import Binary, BinaryPart, Pong, Text, TextPart
from .loading import Loading
from .output import Output

if TYPE_CHECKING:
    from ..options import Limits
    from ..payloads import Loads
    from .events import AnyEvent
    from .output import MaskingKeys

    class Listening(Protocol):
        """Who is told."""

        def note(self, direction: str, op: str, value: object, compress: bool = False) -> None:
            """Remember what was said ("out") or heard ("in"); any lock may be held."""
            ...

        def tell(self) -> None:
            """Tell others of it; none is held."""
            ...


_OUT = {
    frames.TEXT: "text",
    frames.BINARY: "binary",
    frames.CLOSE: "close",
    frames.PING: "ping",
    frames.PONG: "pong",
}

_UPGRADES = b"GET "  # RFC 6455 section 4.1: the method of the request must be that


class WatchedOutput(Output):
    """What one connection has to write, and who is told of it.

    Arguments:
        keys: Masking keys.
        listening: Who is told.
    """

    __slots__ = ("_listening",)

    def __init__(self, keys: MaskingKeys, listening: Listening) -> None:
        super().__init__(keys)
        self._listening = listening

    def put(self, opcode: int, payload: bytes, compress: bool = False) -> None:
        """Queue a frame, as every output does."""
        self._listening.note("out", _OUT[opcode], payload, compress)
        Output.put(self, opcode, payload, compress)

    def fragment(self, payload: bytes, is_last: bool) -> None:
        """Queue the next bytes of a message, as every output does."""
        offset = self.offset
        Output.fragment(self, payload, is_last)
        part: TextPart | BinaryPart
        if self._is_text:
            part = TextPart(payload.decode(), offset, offset == 0, is_last)
        else:
            part = BinaryPart(payload, offset, offset == 0, is_last)
        self._listening.note("out", part.name, part)

    def ask(self, request: bytes) -> None:
        """Queue a request, as every output does. What a proxy is told may be a password alone."""
        if request.startswith(_UPGRADES):
            self._listening.note("out", "request", request)
        Output.ask(self, request)


class Watched(Loading):
    """A connection, and who is told of what it says and hears.

    Arguments:
        limits, keys, auto_pong: As for every connection.
        loads: Decodes a text; None for json's.
        listening: Who is told.
    """

    __slots__ = ("_listening",)

    def __init__(
        self,
        limits: Limits,
        keys: MaskingKeys,
        auto_pong: bool,
        loads: Loads | None,
        listening: Listening,
    ) -> None:
        super().__init__(limits, keys, auto_pong, loads)
        self.output = WatchedOutput(keys, listening)
        self._listening = listening

    def short_message(self) -> Text | Binary | None:
        """The next event if that is a short message, as every connection gives it."""
        event = Loading.short_message(self)
        if event is not None:
            self._note(event)
            self._listening.tell()  # whoever asks holds no lock
        return event

    def next_event(self) -> AnyEvent | None:
        """The next event, or None, as every connection gives it."""
        event = Loading.next_event(self)
        if event is not None:
            self._note(event)
        return event

    def _note(self, event: AnyEvent) -> None:
        if isinstance(event, Text):
            self._listening.note("in", "text", event.text)
        elif isinstance(event, Binary | Pong):
            self._listening.note("in", event.name, event.data)
        elif isinstance(event, TextPart | BinaryPart):
            self._listening.note("in", event.name, event)

    def _control(self, opcode: int, payload: bytes) -> AnyEvent:
        # Before what answers it is said.
        if opcode != frames.PONG:
            self._listening.note("in", _OUT[opcode], payload)
        return Connection._control(self, opcode, payload)
