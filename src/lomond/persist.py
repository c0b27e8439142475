"""Stay connected: the events of one connection after another. Performs session/life.py."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Generator, Iterable
from typing import Any, NamedTuple, Protocol

from . import options
from .engine import engine
from .events import AnyEvent, Rejected
from .session.life import Outcome, Policy, life
from .session.requests import Connect, Deliver
from .websocket import WebSocket

__all__ = ["persist"]

Final = Iterable[int] | Callable[[Rejected], object]


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
    *,
    final: Final = (),
    max_attempts: int | None = None,
    max_time: float | None = None,
    stable_after: float = 0,
    full_jitter: bool = False,
    watch_exit: bool = False,
    on_ready: Callable[[Any], object] | None = None,
    **connect_options: Any,
) -> Generator[AnyEvent, None, None]:
    """The events of a WebSocket that is connected again whenever its connection ends.

    After each connection comes BackOff, and then the wait that it announces: `min_wait` and a
    random part of ``min(max_wait - min_wait, 2 ** retries)`` seconds, where `retries` counts the
    connections since one was stable; after a rejection with a status of 400 to 499, `max_wait`.
    Nothing is sent again: what was not confirmed when a connection ended, BackOff says.

    Arguments:
        websocket: What to connect.
        poll, ping_rate, ping_timeout: As for `WebSocket.connect`, in seconds. Set
            `ping_timeout` (30, say): without it a dead network is not noticed.
        min_wait: Least seconds to wait (5).
        max_wait: Most seconds to wait (30).
        exit_event: Ends the iteration if its ``wait(seconds)`` returns true; it is only looked at
            between connections, so set it and then close the WebSocket, or see `watch_exit`.
        respect_retry_after: Whether a rejection's Retry-After, up to an hour, is the wait (True);
            from the second attempt in a row that was not stable, not less than `min_wait`.
        final: Statuses (like ``{401, 403}``) after whose rejection the iteration ends; or a
            callable that is given the Rejected event and tells.
        max_attempts: After so many attempts in a row that were not stable the iteration ends.
        max_time: So many seconds after the last stable connection (or the start), no further
            attempt is made, and the iteration ends.
        stable_after: A connection that was Ready for so many seconds is stable: attempts are
            counted anew. 0: as soon as it is Ready; 30 keeps a server that accepts and hangs up at
            once from being hammered.
        full_jitter: Whether the whole wait is random (False), for many clients of one server.
        watch_exit: Whether `exit_event`'s ``is_set()`` is also asked before each event; the
            WebSocket is then closed, and the iteration ends when the connection has.
        on_ready: Called with the WebSocket on each Ready, before that event is handed out: the
            place to subscribe again. What it raises comes out of the loop.
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
    options.check_count("max_attempts", max_attempts, none="no limit")
    options.check_seconds("max_time", max_time, none="no limit")
    options.check_seconds("stable_after", stable_after)
    options.check_flag("full_jitter", full_jitter)
    options.check_flag("watch_exit", watch_exit)
    if exit_event is None:
        exit_event = threading.Event()
    elif not callable(getattr(exit_event, "wait", None)):
        raise TypeError(f"exit_event must have wait(seconds), not {exit_event!r}")
    if watch_exit and not callable(getattr(exit_event, "is_set", None)):
        raise TypeError(f"with watch_exit, exit_event must have is_set(), not {exit_event!r}")
    if on_ready is not None and not callable(on_ready):
        raise TypeError(f"on_ready must be callable, not {on_ready!r}")
    policy = Policy(
        min_wait, max_wait, respect_retry_after, max_attempts, max_time, stable_after, full_jitter
    )
    timing = {"poll": poll, "ping_rate": ping_rate, "ping_timeout": ping_timeout}
    _check(websocket, timing, connect_options)
    is_set: Callable[[], bool] = exit_event.is_set if watch_exit else _never  # type: ignore[attr-defined]  # checked above
    watch = _Watch(_tells_final(final), is_set, on_ready)
    return _perform(websocket, timing | connect_options, exit_event, policy, watch)


class _Watch(NamedTuple):
    """What is looked at while connected."""

    is_final: Callable[[Rejected], object]
    is_exit: Callable[[], object]
    on_ready: Callable[[Any], object] | None


def _never() -> bool:
    return False


def _tells_final(final: Final) -> Callable[[Rejected], object]:
    if callable(final):
        return final
    if not isinstance(final, Iterable) or isinstance(final, (str, bytes)):
        raise TypeError(f"final must be statuses, like {{401, 403}}, or a callable, not {final!r}")
    statuses = frozenset(final)
    for status in statuses:
        options.check_range("a status of final", status, 100, 599)
    return lambda rejected: rejected.response.status_code in statuses


def _check(websocket: Connectable, timing: dict[str, Any], connect_options: dict[str, Any]) -> None:
    """Raise where `connect` would, at the first event."""
    if getattr(type(websocket), "connect", None) is not WebSocket.connect:
        connect_options = {}  # whose connect may take more
    unknown = ", ".join(sorted(connect_options.keys() - {"auto_pong", "close_timeout"}))
    if unknown:
        raise TypeError(f"persist() has no argument {unknown}")
    options.Timing(**timing, **connect_options)


def _perform(
    websocket: Connectable,
    timing: dict[str, Any],
    exit_event: ExitEvent,
    policy: Policy,
    watch: _Watch,
) -> Generator[AnyEvent, None, None]:
    script = life(engine, policy, random.random)
    answer: Outcome | bool | None = None
    while True:
        try:
            request = script.send(answer)
        except StopIteration:
            return
        if isinstance(request, Connect):
            answer = yield from _connect(websocket, timing, watch)
        elif isinstance(request, Deliver):
            yield request.event
            answer = None
        else:
            answer = bool(exit_event.wait(request.seconds))


def _connect(
    websocket: Connectable, timing: dict[str, Any], watch: _Watch
) -> Generator[AnyEvent, None, Outcome]:
    """One connection; closed at once when the iteration is left."""
    found: dict[str, Any] = {"began": time.monotonic()}
    stream = iter(websocket.connect(**timing))
    try:
        for event in stream:
            if not found.get("is_final") and watch.is_exit():
                found["is_final"] = True
                close: Any = getattr(websocket, "close", _never)
                close()
            if event.name == "ready":
                found["ready_at"] = time.monotonic()
                if watch.on_ready is not None:
                    watch.on_ready(websocket)
            elif event.name == "rejected":
                found["status"] = event.response.status_code
                found["retry_after"] = event.response.get("retry-after")
                found["is_final"] = bool(found.get("is_final") or watch.is_final(event))
                found["reason"] = event.reason
            elif event.name == "connect_fail":
                found["reason"] = event.reason
            elif event.name == "disconnected":
                found.setdefault("reason", event.reason)
                found["unconfirmed"] = getattr(event, "unconfirmed", 0)
            yield event
    finally:
        end = getattr(stream, "close", None)
        if end is not None:
            end()
    return Outcome(**found, ended=time.monotonic(), wall=time.time())
