"""Stay connected: the events of one connection after another. Performs session/life.py."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Generator, Iterable
from typing import Any, Protocol

from . import options
from .engine import engine
from .events import AnyEvent
from .session.life import Outcome, Policy, life
from .session.requests import Connect, Deliver
from .websocket import WebSocket

__all__ = ["persist"]


class Connectable(Protocol):
    """What `persist` needs of a WebSocket."""

    def connect(self, **options: Any) -> Iterable[AnyEvent]:
        """A new connection, as an iterable of events."""
        ...


class ExitEvent(Protocol):
    """What `persist` needs of an event, like ``threading.Event``."""

    def wait(self, timeout: float) -> bool:
        """Wait at most that many seconds; whether to stop."""
        ...


def persist(
    websocket: Connectable,
    poll: float | None = 5,
    min_wait: float = 5,
    max_wait: float = 30,
    ping_rate: float | None = 30,
    ping_timeout: float | None = None,
    exit_event: ExitEvent | None = None,
    respect_retry_after: bool = True,
    **connect_options: Any,
) -> Generator[AnyEvent, None, None]:
    """The events of a WebSocket that is connected again whenever its connection ends.

    After each connection comes BackOff, and then the wait that it announces: `min_wait` and a
    random part of ``min(max_wait - min_wait, 2 ** retries)`` seconds, where `retries` counts the
    connections since one was Ready.

    Arguments:
        websocket: What to connect.
        poll, ping_rate, ping_timeout: As for `WebSocket.connect`, in seconds. Set
            `ping_timeout` (30, say): without it a dead network is not noticed.
        min_wait: Least seconds to wait (5).
        max_wait: Most seconds to wait (30).
        exit_event: Ends the iteration if its ``wait(seconds)`` returns true; it is only looked at
            between connections, so set it and then close the WebSocket.
        respect_retry_after: Whether a rejection's Retry-After, up to an hour, is the wait (True);
            from the second attempt in a row without Ready, not less than `min_wait`.
        connect_options: Further arguments of `connect`.

    Raises:
        TypeError, ValueError: An argument can't be; at once, not at the first event.

    Example:
        >>> for event in persist(WebSocket("wss://example.org"), ping_timeout=30):  # doctest: +SKIP
        ...     print(event)
    """
    if not callable(getattr(websocket, "connect", None)):
        raise TypeError(f"persist() needs a WebSocket, not {websocket!r}")
    options.check_seconds("min_wait", min_wait)
    options.check_seconds("max_wait", max_wait)
    options.check_flag("respect_retry_after", respect_retry_after)
    if exit_event is None:
        exit_event = threading.Event()
    elif not callable(getattr(exit_event, "wait", None)):
        raise TypeError(f"exit_event must have wait(seconds), not {exit_event!r}")
    policy = Policy(min_wait, max_wait, respect_retry_after)
    timing = {"poll": poll, "ping_rate": ping_rate, "ping_timeout": ping_timeout}
    _check(websocket, timing, connect_options)
    return _perform(websocket, timing | connect_options, exit_event, policy)


def _check(websocket: Connectable, timing: dict[str, Any], connect_options: dict[str, Any]) -> None:
    """Raise where `connect` would, at the first event."""
    if getattr(type(websocket), "connect", None) is not WebSocket.connect:
        connect_options = {}  # whose connect may take more
    unknown = ", ".join(sorted(connect_options.keys() - {"auto_pong", "close_timeout"}))
    if unknown:
        raise TypeError(f"persist() has no argument {unknown}")
    options.Timing(**timing, **connect_options)


def _perform(
    websocket: Connectable, timing: dict[str, Any], exit_event: ExitEvent, policy: Policy
) -> Generator[AnyEvent, None, None]:
    script = life(engine, policy, random.random)
    answer: Outcome | bool | None = None
    while True:
        try:
            request = script.send(answer)
        except StopIteration:
            return
        if isinstance(request, Connect):
            answer = yield from _connect(websocket, timing)
        elif isinstance(request, Deliver):
            yield request.event
            answer = None
        else:
            answer = bool(exit_event.wait(request.seconds))


def _connect(websocket: Connectable, timing: dict[str, Any]) -> Generator[AnyEvent, None, Outcome]:
    """One connection; closed at once when the iteration is left."""
    was_ready, asked = False, None
    stream = iter(websocket.connect(**timing))
    try:
        for event in stream:
            if event.name == "ready":
                was_ready = True
            elif event.name == "rejected":
                asked = event.response.get("retry-after")
            yield event
    finally:
        close = getattr(stream, "close", None)
        if close is not None:
            close()
    return Outcome(was_ready, asked, time.time())
