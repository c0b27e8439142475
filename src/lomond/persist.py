"""Stay connected: the events of one connection after another. Performs session/reconnecting.py.

In which way is waited, and connected, says a `Way`; the rules are the same for every door.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Generator
from types import ModuleType
from typing import (
    TYPE_CHECKING,
    Any,
    NamedTuple,
    NoReturn,
    Protocol,
    TypeVar,
    Unpack,
    cast,
)

from . import options, persisting, rows
from .base import check_together
from .ending import Ending
from .errors import Refused
from .events import AnyEvent
from .io.noticing import Look, Notice, is_async
from .iterated import Events
from .persisting import ExitEvent
from .session.heartbeat import heartbeat
from .session.reconnecting import Outcome, Policy, life
from .session.requests import Connect, Deliver
from .system.clock import monotonic, time
from .system.need import Need
from .ways import Blocking, Way, is_door, is_plain

if TYPE_CHECKING:
    from .ending import Party

__all__ = ["persist"]

_MIN_WAIT = 5.0  # seconds
_ROWS = rows.rows_of(persisting.PersistOptions)
_CONNECT = rows.rows_of(options.ConnectOptions)
_ALWAYS = {"poll", "ping_rate", "ping_timeout"}  # what every `connect` is told
_LIBRARIES = {"asyncio", "trio"}  # each has events of its own
_DEFAULTS = {name: one.default for name, one in _ROWS.items()}

Stream_co = TypeVar("Stream_co", covariant=True)
Items = Generator[Any, None, None]


class Connectable(Protocol[Stream_co]):
    """What `persist` needs of a WebSocket."""

    def connect(
        self,
        *,
        poll: float | None = ...,
        ping_rate: float | None = ...,
        ping_timeout: float | None = ...,
    ) -> Stream_co:
        """A new connection, as an iterable of events."""
        ...


def persist(
    websocket: Connectable[Stream_co],
    poll: float | None = 5.0,
    min_wait: float | None = None,
    max_wait: float = 30,
    ping_rate: float | None = 30.0,
    ping_timeout: float | None = None,
    exit_event: ExitEvent | None = None,
    respect_retry_after: bool = True,
    **further: Unpack[persisting.PersistFurther],
) -> Stream_co:
    """The events of a WebSocket that is connected again whenever its connection ends.

    After each connection comes BackOff, and then the wait that it announces: `min_wait` and a
    random part of ``min(max_wait - min_wait, 2 ** retries)`` seconds, where `retries` counts the
    connections since one was stable; after a rejection with a status of 400 to 499, `max_wait`.
    Nothing is sent again: what was not confirmed when a connection ended, BackOff says. What each
    connection needs, like subscriptions, is sent in the handler of its Ready, or see `enter`.

    Arguments:
        websocket: What to connect: a WebSocket, or an AsyncWebSocket or a TrioWebSocket, for which
            the events are to be iterated with ``async for``.
        Options: as docs/reference/options.md has them.

    Raises:
        TypeError, ValueError: An argument can't be; at once, not at the first event.

    Example:
        >>> from lomond import WebSocket
        >>> websocket = WebSocket("wss://example.org")
        >>> for event in persist(websocket, ping_timeout=30, max_attempts=1):
        ...     if event.name == "ready":
        ...         websocket.send_text("subscribe")
        ...     elif event.name == "text":
        ...         print(event.text)
        hello
    """
    asked = {
        "poll": poll,
        "min_wait": min_wait,
        "max_wait": max_wait,
        "ping_rate": ping_rate,
        "ping_timeout": ping_timeout,
        "exit_event": exit_event,
        "respect_retry_after": respect_retry_after,
        **further,
    }
    return cast("Stream_co", stay_connected(websocket, asked, getattr(websocket, "_stay", None)))


rows.signed(persist, persisting.PERSIST, ("websocket",), places=7)


def stay_connected(
    websocket: Any,
    asked: dict[str, Any],
    stay: Callable[[Callable[[Way], Items]], Any] | None,
) -> Any:
    """What `persist` gives.

    Arguments:
        websocket: What to connect.
        asked: The arguments of `persist`.
        stay: Iterates what performs a `Way`; None for whoever is iterated by a thread.
    """
    if not callable(getattr(websocket, "connect", None)):
        raise TypeError(f"persist() needs a WebSocket, not {websocket!r}")
    connect = _checked_connect(websocket, asked)
    kept = _DEFAULTS | rows.checked(_ROWS, {n: v for n, v in asked.items() if n in _ROWS})
    min_wait, max_wait = kept["min_wait"], kept["max_wait"]
    if min_wait is None:
        min_wait = min(_MIN_WAIT, max_wait)
    exit_event = kept["exit_event"]
    if exit_event is not None and is_async(exit_event.wait):
        _check_awaited(websocket, exit_event, stay is None)
    has_is_set = exit_event is None or callable(getattr(exit_event, "is_set", None))
    if not has_is_set and (kept["watch_exit"] or stay is not None):
        raise TypeError(f"exit_event must have is_set() here, not {exit_event!r}")
    policy = Policy(
        min_wait,
        max_wait,
        kept["respect_retry_after"],
        kept["max_attempts"],
        kept["max_time"],
        kept["stable_after"],
        kept["full_jitter"],
    )
    watches = kept["watch_exit"] and exit_event is not None
    watch = _Watch(persisting.told_final(kept["final"]), watches)

    def perform(way: Way) -> Items:
        return _perform(way, connect, exit_event, policy, watch)

    return Events(perform(Blocking(websocket))) if stay is None else stay(perform)


def _checked_connect(websocket: Any, asked: dict[str, Any]) -> dict[str, Any]:
    """What `connect` is told each time. Raises where it would, at the first event."""
    if "on_ready" in asked:
        raise TypeError(
            "persist() has no argument on_ready; subscribe in the handler of the Ready event, "
            "which comes with every connection: if event.name == 'ready': websocket.send_text(...)"
        )
    connect = {name: value for name, value in asked.items() if name not in _ROWS}
    if is_door(websocket):
        check_together(websocket)
    known = connect.keys() & _CONNECT.keys()
    if not is_plain(websocket):
        known &= _ALWAYS  # whatever else it takes is its own business
    elif len(known) < len(connect):
        raise rows.no_such("persist()", connect.keys() - known, persisting.PERSIST)
    kept = rows.checked(_CONNECT, {name: connect[name] for name in known})
    if (message := kept.get("ping_message")) is not None:
        options.check_pings(kept)
        if is_door(websocket):
            heartbeat(message, websocket.dumps)
    return connect | kept


def _check_awaited(websocket: Any, exit_event: Any, is_thread: bool) -> None:
    """Raise TypeError where an exit event is another library's, whose events nobody awaits here."""
    if is_thread:
        raise TypeError(f"a WebSocket can't await {exit_event!r}; give it a threading.Event")
    library = getattr(websocket, "_library", None)
    kinds = {kind.__module__.partition(".")[0] for kind in type(exit_event).__mro__}
    if library is not None and kinds & (_LIBRARIES - {library}):
        raise TypeError(
            f"this is iterated below {library}, where nobody can await {exit_event!r}; "
            f"give it {library}.Event() or threading.Event()"
        )


class _Watch(NamedTuple):
    """What is looked at while connected."""

    is_final: Callable[[Ending], object]
    exit: bool  #: whether the exit event is looked at too


def _perform(
    way: Way, timing: dict[str, Any], exit_event: Any, policy: Policy, watch: _Watch
) -> Items:
    script = life(policy, random.random)
    answer: Outcome | bool | None = None
    notice = way.notice(exit_event)
    way.stay(True)
    try:
        while True:
            try:
                request = script.send(answer)
            except StopIteration:
                return
            if isinstance(request, Connect):
                answer = yield from _connect(way, timing, watch, notice)
            elif isinstance(request, Deliver):
                way.tell(request.event)
                yield request.event
                answer = None
            else:
                answer = yield from way.sleep(request.seconds, exit_event, notice)
    finally:
        way.stay(False)
        notice.close()


def _connect(
    way: Way, timing: dict[str, Any], watch: _Watch, notice: Notice
) -> Generator[AnyEvent | Need, None, Outcome]:
    """One connection; closed at once when the iteration is left."""
    found: dict[str, Any] = {"began": monotonic()}

    def act() -> None:
        if not found.get("is_final") and notice.is_set():
            found["is_final"] = True
            way.close()

    look = Look(act, notice) if watch.exit else None
    serving = "ready" if timing.get("enter") is None else "entered"
    stream: Any = None
    try:
        stream = iter(way.connect(timing, look))
        for event in stream:
            if isinstance(event, Need):
                yield event
                continue
            if watch.exit:
                act()
            if event.name == serving:
                found["ready_at"] = monotonic()
            elif event.name == "rejected":
                found["status"] = event.response.status_code
                found["retry_after"] = event.response.get("retry-after")
                found["reason"] = event.reason
                status, response = found["status"], event.response
                found["ending"] = Ending("rejected", "server", None, "", status, response)
            elif event.name in ("closing", "closed"):
                by: Party = "server" if event.name == "closing" else "client"
                found["ending"] = Ending("closed", by, event.code, event.reason)
            elif event.name in ("connect_fail", "disconnected"):
                found.setdefault("reason", event.reason)
                found["unconfirmed"] = getattr(event, "unconfirmed", 0)
                # A WebSocket that is not ours tells no more than its other events do.
                found["ending"] = getattr(event, "ending", None) or found.get("ending")
            yield event
    finally:
        try:
            _end(stream)
        except BaseException:
            _end(stream)  # interrupted, perhaps before it came to that
            raise
        finally:
            way.forget_look(look)
    outcome = Outcome(**found, ended=monotonic(), wall=time())
    if not outcome.is_final and outcome.ending is not None:
        return outcome._replace(is_final=_is_final(outcome.ending, watch))
    return outcome


def _is_final(ending: Ending, watch: _Watch) -> bool:
    """Whether no other connection is to follow, as the program says."""
    cause = ending.cause
    return (isinstance(cause, Refused) and cause.final) or bool(watch.is_final(ending))


def _end(stream: Any) -> None:
    """Leave a connection, if its events can be left."""
    end = getattr(stream, "close", None)
    if end is not None:
        end()


class _Module(ModuleType):
    """This module, which says to whoever calls it what was meant."""

    def __call__(self, *args: object, **options: object) -> NoReturn:
        raise TypeError(
            "lomond.persist is a module; write websocket.persist(...), or call what is in it: "
            "from lomond.persist import persist"
        )


if not TYPE_CHECKING:  # which know that a module is not called
    sys.modules[__name__].__class__ = _Module
