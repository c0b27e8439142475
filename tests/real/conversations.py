"""One connection, told event by event: a test says which event must come next."""

from typing import TypeVar

import pytest

from lomond import WebSocket
from lomond.events import (
    Closed,
    Closing,
    Connected,
    ConnectFail,
    Connecting,
    Disconnected,
    Event,
    Poll,
    Ready,
)

EventType = TypeVar("EventType", bound=Event)


class Conversation:
    """Iterates a connection in the pace of a test.

    Attributes:
        websocket: The client, to send with.
        connected: The event before the server's answer.
        ready: The event that opened the connection.
        trace: All events so far, shown when a test fails.
    """

    connected: Connected
    ready: Ready

    def __init__(self, websocket: WebSocket) -> None:
        self.websocket = websocket
        self.trace: list[Event] = []
        # No pings of our own: they would bring a Pong that no test asked for.
        self._events = websocket.connect(ping_rate=0, close_timeout=10.0)

    def begin(self) -> None:
        """Wait until the connection is ready."""
        self.expect(Connecting)
        self.connected = self.expect(Connected)
        self.ready = self.expect(Ready)

    def expect(self, kind: type[EventType]) -> EventType:
        """Return the next event that is no Poll; it must be of this kind."""
        event = self.next_event()
        if not isinstance(event, kind):
            pytest.fail(f"expected {kind.__name__}, got {event!r} at the end of {self.trace!r}")
        return event

    def next_event(self) -> Event | None:
        """Return the next event that is no Poll, None after the last."""
        for event in self._events:
            self.trace.append(event)
            if not isinstance(event, Poll):
                return event
        return None

    def close(self) -> Closed:
        """Close as a client does; the server must answer and the connection end in order."""
        self.websocket.close()
        closed = self.expect(Closed)
        self._expect_graceful_end()
        return closed

    def expect_close(self) -> Closing:
        """Wait for the server's close frame; the connection must then end in order."""
        closing = self.expect(Closing)
        self._expect_graceful_end()
        return closing

    def _expect_graceful_end(self) -> None:
        disconnected = self.expect(Disconnected)
        assert disconnected.graceful, self.trace
        assert self.next_event() is None, self.trace


def failure_of(websocket: WebSocket) -> ConnectFail:
    """The event of a connection that can't be made."""
    connecting, failure = websocket.connect()
    assert isinstance(connecting, Connecting)
    assert isinstance(failure, ConnectFail), failure
    return failure
