"""A `Way` for each kind of door, in which `persist` connects, closes and waits."""

# pyright: reportPrivateUsage=false

from __future__ import annotations

import threading
from collections.abc import Generator, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, TypeGuard

from .door import (
    Door,
    again,
    begin,
    forget_look,
    look_with,
    start_closing,
    stay,
    tell,
    timed_again,
)
from .events import Posted
from .io.noticing import LOOK, Look, Notice, listen_on_asyncio
from .io.posting import Bell
from .system.clock import monotonic
from .system.need import Need

if TYPE_CHECKING:
    from .events import AnyEvent
    from .io.performing import Driving

#: Seconds; of a wait for an event of the program's, between two looks at what was posted, which is
#: to be there within 20 ms.
SLICE = 0.016


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

    def tell(self, event: AnyEvent) -> None:
        """Tell whoever listens to the connections of what `persist` itself hands out."""
        ...

    def sleep(self, seconds: float, exit_event: Any, notice: Notice) -> Generator[Any, None, bool]:
        """Let so much time pass, and hand out what is posted; whether the exit event was set."""
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

    def tell(self, event: AnyEvent) -> None:
        if is_door(self._websocket):
            tell(self._websocket, event)

    def sleep(self, seconds: float, exit_event: Any, notice: Notice) -> Generator[Any, None, bool]:
        if not is_door(self._websocket):
            stop = threading.Event() if exit_event is None else exit_event  # which may be false
            return bool(stop.wait(seconds))
        if exit_event is None:
            yield from self._sleep_alone(self._websocket, monotonic() + seconds)
            return False
        return (yield from self._sleep_beside(self._websocket, seconds, exit_event))

    def _sleep_alone(self, door: Door[Any, Any], end: float) -> Generator[AnyEvent, None, None]:
        """Wait up to a moment, or for what is posted."""
        bell = Bell()
        door._bell = bell.ring
        try:
            while True:
                yield from posted(door)
                if (left := end - monotonic()) <= 0:
                    return
                bell.wait(left)
        finally:
            door._bell = None

    def _sleep_beside(
        self, door: Door[Any, Any], seconds: float, exit_event: Any
    ) -> Generator[AnyEvent, None, bool]:
        """Wait for an event of the program's, which alone ends that wait; whether it was set."""
        end = monotonic() + seconds
        left = seconds
        # What does not wait, as in a program's tests, is not asked for ever.
        for _ in range(int(seconds / SLICE) + 1):
            yield from posted(door)
            if exit_event.wait(max(0.0, min(left, SLICE))):
                return True
            left = end - monotonic()
            if left <= 0:
                break
        yield from posted(door)
        return False


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

    def tell(self, event: AnyEvent) -> None:
        tell(self._door, event)

    def sleep(self, seconds: float, exit_event: Any, notice: Notice) -> Generator[Any, None, bool]:
        end = monotonic() + seconds
        self._door._bell = self._driver.wake
        try:
            while not (is_set := notice.is_set()):
                yield from posted(self._door)
                now = monotonic()
                if now >= end:
                    break
                yield Need(end if notice.is_told else min(end, now + LOOK))
            return is_set
        finally:
            self._door._bell = None


def posted(door: Door[Any, Any]) -> Generator[AnyEvent, None, None]:
    """What was posted, between two connections; not for ever, however fast it comes."""
    for _ in range(len(door._posts or ())):
        assert door._posts is not None
        yield Posted(door._posts.popleft())


def is_door(websocket: object) -> TypeGuard[Door[Any, Any]]:
    return isinstance(websocket, Door)


def is_plain(websocket: object) -> bool:
    """Whether its `connect` is ours."""
    return getattr(type(websocket), "connect", None) is vars(Door)["connect"]


def _nothing() -> None:
    """Stand for what a WebSocket that is not ours does not have."""
