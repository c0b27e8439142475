"""What the doors have in common whose events and sends are awaited, by tasks of an event loop."""

from __future__ import annotations

from collections.abc import Coroutine, Generator
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar, Unpack

from . import options, persisting, rows
from .door import Door, begin
from .errors import WebSocketUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from .io.performing import Driving
    from .persist import Way

    class Driver(Driving, Protocol):
        """Goes on with the generator of a connection."""

        def start(self, items: Generator[Any, None, None]) -> None:
            """Give it what it goes on with."""


Events = TypeVar("Events")
Drives = TypeVar("Drives", bound="Driver")


class Awaited(Door[Events, Coroutine[Any, Any, None]], Generic[Events, Drives]):
    """A WebSocket for an event loop. `Events` is what `connect` gives, `Drives` what is behind."""

    def _driver_made(self) -> Drives:
        """What goes on with a new connection, or one after another."""
        raise NotImplementedError

    def _events(self, driver: Drives) -> Events:
        """What gives the user's task the events that the driver has."""
        raise NotImplementedError

    def _stream(self, timing: options.Timing) -> Events:
        driver = self._driver_made()
        driver.start(begin(self, timing, driver))
        return self._events(driver)

    def _stay(self, perform: Callable[[Way], Generator[Any, None, None]]) -> Events:
        """The events of one connection after another."""
        from .persist import Waiting

        driver = self._driver_made()
        driver.start(perform(Waiting(self, driver)))
        return self._events(driver)

    def persist(self, **options: Unpack[persisting.PersistKeywords]) -> Events:
        """The events of one connection after another, as `lomond.persist.persist` gives them.

        For ``async for``; without ``async with``, call ``aclose()`` on it.

        Arguments:
            Options: as OPTIONS.md has them.

        Raises:
            TypeError, ValueError: An argument can't be; at once, not at the first event.
        """
        from .persist import persist

        return persist(self, **options)

    def _connected(self) -> Any:
        """The current connection; without one, what says so when a send is awaited."""
        return self._exchange or _Nobody()

    def __aiter__(self) -> Events:
        return self.connect()


class _Nobody:
    """What stands where there is no exchange: nothing can be sent."""

    async def send(self, *_: object) -> None:
        """Raises WebSocketUnavailable."""
        raise WebSocketUnavailable("not connected")


_persist: Any = vars(Awaited)["persist"]
rows.signed(_persist, persisting.PERSIST)
