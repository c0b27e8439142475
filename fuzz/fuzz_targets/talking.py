"""One connection is given a stream, and everything that can be seen of it is noted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lomond.errors import WebSocketClosing
from lomond.options import Limits
from lomond.protocol.connection import Connection
from lomond.protocol.output import MaskingKeys
from lomond.testing.alone import counting_bytes

from .wire import CLOSE, PING, PONG, Written, close_code, written

ENDS = ("closing", "closed", "protocol_error")
_WALL = 1.0
_ONE_MORE = b"\x81\x05after"


class Heard:
    """What became of a stream.

    Attributes:
        events: All of them.
        frames: What was written.
        state: Of the connection, at the end.
    """

    def __init__(self, events: list[Any], frames: list[Written], state: str) -> None:
        self.events = events
        self.frames = frames
        self.state = state

    def codes(self) -> list[int | None]:
        """Those of the events that have one."""
        return [event.code for event in self.events if event.name in ENDS]

    def story(self) -> list[str]:
        """What must be the same in any split."""
        told = [describe(event) for event in self.events]
        frames = [f"{f.opcode} {f.payload!r}" for f in self.frames if f.opcode != CLOSE]
        return [*told, *frames, self.state]


def describe(event: Any) -> str:
    """An event in words; of a violation only that it was one, for its words tell of the split."""
    if event.name == "protocol_error":
        return "protocol_error"
    return f"{event.name} {[getattr(event, name) for name in event.__match_args__]}"


def hear(
    chunks: list[bytes],
    limits: Limits,
    *,
    auto_pong: bool = True,
    extensions: Sequence[Any] = (),
    has_short_ways: bool = False,
) -> Heard:
    """Give the chunks to a connection, and check what holds whatever they are.

    Arguments:
        chunks: The stream.
        limits, auto_pong: Of the connection.
        extensions: Of the connection; one that compresses, or none.
        has_short_ways: Whether to go the ways of a session that has nothing due.
    """
    connection = Connection(limits, MaskingKeys(counting_bytes()), auto_pong)
    connection.opened(extensions)
    if has_short_ways:
        connection.due = float("inf")
        connection.shorten()
    events: list[Any] = []
    output = b""
    for chunk in chunks:
        _give(connection, chunk, has_short_ways)
        while (event := _next(connection, has_short_ways)) is not None:
            _check_size(event, limits)
            events.append(event)
        output += connection.output.take()
    frames = written(output, bool(extensions))
    assert len(events) <= 1 + sum(map(len, chunks)) // 2, "events from nothing"
    _check_pongs(events, frames, auto_pong)
    _check_end(connection, events, frames)
    return Heard(events, frames, str(connection.state))


def _give(connection: Any, chunk: bytes, has_short_ways: bool) -> None:
    if not has_short_ways:
        connection.receive(chunk, _WALL)
        return
    room = connection.room()
    if room is not None:
        is_enough = len(room) >= len(chunk)
        if is_enough:
            room[: len(chunk)] = chunk
        room.release()
        if is_enough:
            connection.filled(len(chunk), _WALL)
            return
    if connection.is_hungry():
        connection.take(chunk, _WALL)
    else:
        connection.receive(chunk, _WALL)


def _next(connection: Any, has_short_ways: bool) -> Any:
    if has_short_ways and (event := connection.short_message()) is not None:
        return event
    event = connection.next_event()
    if event is None and has_short_ways and connection.is_hungry():
        connection.let_go()
    return event


def _check_size(event: Any, limits: Limits) -> None:
    most = limits.max_message_size
    if most is not None and event.name in ("text", "binary"):
        data = event.text.encode() if event.name == "text" else event.data
        assert len(data) <= most, "a message above max_message_size"


def _check_pongs(events: list[Any], frames: list[Written], auto_pong: bool) -> None:
    pings = [event.data for event in events if event.name == "ping"]
    pongs = [frame.payload for frame in frames if frame.opcode == PONG]
    assert pongs == (pings if auto_pong else []), "not one pong for each ping"
    assert all(frame.opcode in (PONG, CLOSE) for frame in frames), "frames that nobody sent"
    assert not any(frame.opcode == PING for frame in frames)


def _check_end(connection: Any, events: list[Any], frames: list[Written]) -> None:
    names = [event.name for event in events]
    assert not any(name in ENDS for name in names[:-1]), "an event after the end"
    if not names or names[-1] not in ENDS:
        assert connection.state == "open"
        assert not frames or frames[-1].opcode != CLOSE, "a close frame without a reason"
        return
    last = events[-1]
    code = close_code(frames)
    assert code == last.code, f"close code {code} where the event says {last.code}"
    if last.name == "protocol_error":
        assert code in (1002, 1007, 1009), f"close code {code} for a violation"
        assert connection.violation is not None
    assert connection.state == "closed"
    connection.receive(_ONE_MORE, _WALL)
    assert connection.next_event() is None, "an event after the end"
    try:
        connection.send(1, b"late", True)
    except WebSocketClosing:
        pass
    else:
        raise AssertionError("a message may be sent after the end")
    assert not connection.close(1000, "again")
    assert connection.output.take() == b"", "bytes after the close frame"
