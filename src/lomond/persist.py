"""Stay connected: the events of one connection after another. Performs session/life.py.

In which way is waited, and connected, says a `Way`; the rules are the same for every door.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Generator, Iterable
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar, cast

from . import options
from .door import Door
from .engine import engine
from .events import AnyEvent, Rejected
from .io.noticing import LOOK, Look, Notice, is_async
from .io.waiting import Need
from .session.life import Outcome, Policy, life
from .session.requests import Connect, Deliver

if TYPE_CHECKING:
    from .io.performing import Driving

__all__ = ["persist"]

_MIN_WAIT = 5.0  # seconds

Final = Iterable[int] | Callable[[Rejected], object]
Stream_co = TypeVar("Stream_co", covariant=True)
Items = Generator[Any, None, None]


class Connectable(Protocol[Stream_co]):
    """What `persist` needs of a WebSocket."""

    def connect(self, **options: Any) -> Stream_co:
        """A new connection, as an iterable of events."""
        ...


class ExitEvent(Protocol):
    """What `persist` needs of an event, like ``threading.Event`` or ``asyncio.Event``."""

    def is_set(self) -> bool:
        """Whether to stop."""
        ...


class Way(Protocol):
    """How one kind of WebSocket connects, closes, and waits for the next attempt."""

    def notice(self, exit_event: Any) -> Notice:
        """What will be known of the exit event."""
        ...

    def connect(self, timing: dict[str, Any], look: Look | None) -> Iterable[AnyEvent | Need]:
        """A new connection: its events, and between them what to wait for."""
        ...

    def forget_look(self, look: Look | None) -> None:
        """No connection is to take this look any more."""
        ...

    def close(self) -> object:
        """Close the connection."""
        ...

    def sleep(self, seconds: float, exit_event: Any, notice: Notice) -> Generator[Need, None, bool]:
        """Let so much time pass; whether the exit event was set."""
        ...


def persist(
    websocket: Connectable[Stream_co],
    poll: float | None = 5,
    min_wait: float | None = None,
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
    _stay: Callable[[Callable[[Way], Items]], Any] | None = None,
    **connect_options: Any,
) -> Stream_co:
    """The events of a WebSocket that is connected again whenever its connection ends.

    After each connection comes BackOff, and then the wait that it announces: `min_wait` and a
    random part of ``min(max_wait - min_wait, 2 ** retries)`` seconds, where `retries` counts the
    connections since one was stable; after a rejection with a status of 400 to 499, `max_wait`.
    Nothing is sent again: what was not confirmed when a connection ended, BackOff says. What each
    connection needs, like subscriptions, is sent in the handler of its Ready.

    Arguments:
        websocket: What to connect: a WebSocket, or an AsyncWebSocket, for which the events are to
            be iterated with ``async for``.
        poll, ping_rate, ping_timeout: As for `WebSocket.connect`, in seconds. Set
            `ping_timeout` (30, say): without it a dead network is not noticed.
        min_wait: Least seconds to wait (5, or `max_wait` if only that is given, and is less).
        max_wait: Most seconds to wait (30); one below `min_wait` counts as that.
        exit_event: Ends the iteration, at once where that waits to connect again, if its
            ``wait(seconds)`` returns true (for an AsyncWebSocket: at once if it is an
            ``asyncio.Event``, else its ``is_set()`` is asked ten times a second). It is only
            looked at between connections, so set it and then close the WebSocket, or see
            `watch_exit`.
        respect_retry_after: Whether a rejection's Retry-After, up to an hour, is the wait (True);
            from the second attempt in a row that was not stable, not less than `min_wait`.
        final: Statuses (like ``{401, 403}``) after whose rejection the iteration ends; or a
            callable that is given the Rejected event and tells. What it raises comes out of the
            loop.
        max_attempts: After so many attempts in a row that were not stable the iteration ends.
        max_time: So many seconds after the last stable connection (or the start), no further
            attempt is made, and the iteration ends.
        stable_after: A connection that was Ready for so many seconds is stable: attempts are
            counted anew. 0: as soon as it is Ready; 30 keeps a server that accepts and hangs up at
            once from being hammered.
        full_jitter: Whether every wait is random as a whole, from 0 on (False), for many clients
            of one server; where a Retry-After is obeyed, what would be waited without it is added.
        watch_exit: Whether `exit_event` is also looked at while connecting and connected (False):
            ten times a second, and before each event; an ``asyncio.Event`` of an AsyncWebSocket
            acts at once. The WebSocket is then closed, and the iteration ends when the connection
            has. What is iterated by a thread wakes ten times a second for it.
        connect_options: Further arguments of `connect`.

    Raises:
        TypeError, ValueError: An argument can't be; at once, not at the first event.

    Example:
        >>> websocket = WebSocket("wss://example.org")
        >>> for event in persist(websocket, ping_timeout=30):  # doctest: +SKIP
        ...     if event.name == "ready":
        ...         websocket.send_text("subscribe")
        ...     print(event)
    """
    if not callable(getattr(websocket, "connect", None)):
        raise TypeError(f"persist() needs a WebSocket, not {websocket!r}")
    options.check_seconds("max_wait", max_wait)
    if min_wait is None:
        min_wait = min(_MIN_WAIT, max_wait)
    options.check_seconds("min_wait", min_wait)
    options.check_flag("respect_retry_after", respect_retry_after)
    options.check_count("max_attempts", max_attempts, none="no limit")
    options.check_seconds("max_time", max_time, none="no limit")
    options.check_seconds("stable_after", stable_after)
    options.check_flag("full_jitter", full_jitter)
    options.check_flag("watch_exit", watch_exit)
    if exit_event is not None and not callable(getattr(exit_event, "wait", None)):
        raise TypeError(f"exit_event must have wait(seconds), not {exit_event!r}")
    stay = _stay or getattr(websocket, "_stay", None)
    if stay is None and exit_event is not None and is_async(getattr(exit_event, "wait", None)):
        raise TypeError(f"a WebSocket can't await {exit_event!r}; give it a threading.Event")
    has_is_set = exit_event is None or callable(getattr(exit_event, "is_set", None))
    if not has_is_set and (watch_exit or stay is not None):
        raise TypeError(f"exit_event must have is_set() here, not {exit_event!r}")
    policy = Policy(
        min_wait, max_wait, respect_retry_after, max_attempts, max_time, stable_after, full_jitter
    )
    timing = {"poll": poll, "ping_rate": ping_rate, "ping_timeout": ping_timeout}
    _check(websocket, timing, connect_options)
    watch = _Watch(_tells_final(final), watch_exit and exit_event is not None)

    def perform(way: Way) -> Items:
        return _perform(way, timing | connect_options, exit_event, policy, watch)

    stream = perform(_Blocking(websocket)) if stay is None else stay(perform)
    return cast("Stream_co", stream)


class _Blocking:
    """The way of what is iterated by a thread."""

    def __init__(self, websocket: Any) -> None:
        self._websocket = websocket

    def notice(self, exit_event: Any) -> Notice:
        return Notice(exit_event)

    def connect(self, timing: dict[str, Any], look: Look | None) -> Iterable[AnyEvent]:
        websocket = self._websocket
        getattr(websocket, "look_with", _never)(look)
        connect = websocket.again if _is_plain(websocket) else websocket.connect
        stream: Iterable[AnyEvent] = connect(**timing)
        return stream

    def forget_look(self, look: Look | None) -> None:
        getattr(self._websocket, "forget_look", _never)(look)

    def close(self) -> None:
        getattr(self._websocket, "close", _never)()

    def sleep(self, seconds: float, exit_event: Any, notice: Notice) -> Generator[Need, None, bool]:
        yield from ()
        stop = threading.Event() if exit_event is None else exit_event  # which may be false
        return bool(stop.wait(seconds))


class Waiting:
    """The way of what waits for many things at a time.

    Arguments:
        door: What to connect.
        driver: What waits.
    """

    def __init__(self, door: Door[Any, Any], driver: Driving) -> None:
        self._door = door
        self._driver = driver

    def notice(self, exit_event: Any) -> Notice:
        # Only an event loop calls; a group looks.
        is_loops = getattr(self._driver, "loop", None) is not None
        return Notice(exit_event, self._driver.wake if is_loops else None)

    def connect(self, timing: dict[str, Any], look: Look | None) -> Items:
        self._door.look_with(look)
        return self._door.begin(self._door.timed_again(**timing), self._driver)

    def forget_look(self, look: Look | None) -> None:
        self._door.forget_look(look)

    def close(self) -> None:
        self._door.start_closing(1000, b"goodbye")

    def sleep(self, seconds: float, exit_event: Any, notice: Notice) -> Generator[Need, None, bool]:
        end = time.monotonic() + seconds
        while not (is_set := notice.is_set()):
            now = time.monotonic()
            if now >= end:
                break
            yield Need(end if notice.is_told else min(end, now + LOOK))
        return is_set


class _Watch(NamedTuple):
    """What is looked at while connected."""

    is_final: Callable[[Rejected], object]
    exit: bool  #: whether the exit event is looked at too


def _never(*_: object) -> bool:
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


def _check(websocket: object, timing: dict[str, Any], connect_options: dict[str, Any]) -> None:
    """Raise where `connect` would, at the first event."""
    if "on_ready" in connect_options:
        raise TypeError(
            "persist() has no argument on_ready; subscribe in the handler of the Ready event, "
            "which comes with every connection: if event.name == 'ready': websocket.send_text(...)"
        )
    together = getattr(websocket, "check_together", None)
    if together is not None:
        together()
    if not _is_plain(websocket):
        connect_options = {}  # whose connect may take more
    unknown = ", ".join(sorted(connect_options.keys() - {"auto_pong", "close_timeout"}))
    if unknown:
        raise TypeError(f"persist() has no argument {unknown}")
    options.Timing(**timing, **connect_options)


def _is_plain(websocket: object) -> bool:
    """Whether its `connect` is ours."""
    return getattr(type(websocket), "connect", None) is vars(Door)["connect"]


def _perform(
    way: Way, timing: dict[str, Any], exit_event: Any, policy: Policy, watch: _Watch
) -> Items:
    script = life(engine, policy, random.random)
    answer: Outcome | bool | None = None
    notice = way.notice(exit_event)
    try:
        while True:
            try:
                request = script.send(answer)
            except StopIteration:
                return
            if isinstance(request, Connect):
                answer = yield from _connect(way, timing, watch, notice)
            elif isinstance(request, Deliver):
                yield request.event
                answer = None
            else:
                answer = yield from way.sleep(request.seconds, exit_event, notice)
    finally:
        notice.close()


def _connect(
    way: Way, timing: dict[str, Any], watch: _Watch, notice: Notice
) -> Generator[AnyEvent | Need, None, Outcome]:
    """One connection; closed at once when the iteration is left."""
    found: dict[str, Any] = {"began": time.monotonic()}

    def act() -> None:
        if not found.get("is_final") and notice.is_set():
            found["is_final"] = True
            way.close()

    look = Look(act, notice) if watch.exit else None
    stream: Any = None
    try:
        stream = iter(way.connect(timing, look))
        for event in stream:
            if isinstance(event, Need):
                yield event
                continue
            if watch.exit:
                act()
            if event.name == "ready":
                found["ready_at"] = time.monotonic()
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
        try:
            _end(stream)
        except BaseException:
            _end(stream)  # interrupted, perhaps before it came to that
            raise
        finally:
            way.forget_look(look)
    return Outcome(**found, ended=time.monotonic(), wall=time.time())


def _end(stream: Any) -> None:
    """Leave a connection, if its events can be left."""
    end = getattr(stream, "close", None)
    if end is not None:
        end()
