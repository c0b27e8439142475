"""A `Way` for each kind of door, in which `persist` connects, closes and waits."""

# pyright: reportPrivateUsage=false

from __future__ import annotations

import threading
from collections.abc import Generator, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, TypeGuard

from .door import Door, again, begin, forget_look, look_with, start_closing, stay, timed_again
from .io.noticing import LOOK, Look, Notice, listen_on_asyncio
from .system.clock import monotonic
from .system.need import Need

if TYPE_CHECKING:
    from .events import AnyEvent
    from .io.performing import Driving


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

    def stay(self, begins: bool) -> None:
        """Begin or end the time in which another connection follows where one ends."""
        ...

    def close(self) -> object:
        """Close the connection."""
        ...

    def sleep(self, seconds: float, exit_event: Any, notice: Notice) -> Generator[Need, None, bool]:
        """Let so much time pass; whether the exit event was set."""
        ...


class Blocking:
    """The way of what is iterated by a thread."""

    def __init__(self, websocket: Any) -> None:
        self._websocket = websocket

    def notice(self, exit_event: Any) -> Notice:
        return Notice(exit_event)

    def connect(self, timing: dict[str, Any], look: Look | None) -> Iterable[AnyEvent]:
        websocket = self._websocket
        if is_door(websocket):
            look_with(websocket, look)
        connect = partial(again, websocket) if is_plain(websocket) else websocket.connect
        stream: Iterable[AnyEvent] = connect(**timing)
        return stream

    def forget_look(self, look: Look | None) -> None:
        if is_door(self._websocket):
            forget_look(self._websocket, look)

    def stay(self, begins: bool) -> None:
        if is_door(self._websocket):
            stay(self._websocket, begins)

    def close(self) -> None:
        getattr(self._websocket, "close", _nothing)()

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
        listen = getattr(self._driver, "listen", listen_on_asyncio)
        return Notice(exit_event, self._driver.wake if is_loops else None, listen)

    def connect(self, timing: dict[str, Any], look: Look | None) -> Generator[Any, None, None]:
        look_with(self._door, look)
        return begin(self._door, timed_again(self._door, timing), self._driver)

    def forget_look(self, look: Look | None) -> None:
        forget_look(self._door, look)

    def stay(self, begins: bool) -> None:
        stay(self._door, begins)

    def close(self) -> None:
        start_closing(self._door, 1000, b"goodbye")

    def sleep(self, seconds: float, exit_event: Any, notice: Notice) -> Generator[Need, None, bool]:
        end = monotonic() + seconds
        while not (is_set := notice.is_set()):
            now = monotonic()
            if now >= end:
                break
            yield Need(end if notice.is_told else min(end, now + LOOK))
        return is_set


def is_door(websocket: object) -> TypeGuard[Door[Any, Any]]:
    return isinstance(websocket, Door)


def is_plain(websocket: object) -> bool:
    """Whether its `connect` is ours."""
    return getattr(type(websocket), "connect", None) is vars(Door)["connect"]


def _nothing() -> None:
    """Stand for what a WebSocket that is not ours does not have."""
