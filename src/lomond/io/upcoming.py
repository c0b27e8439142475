"""The events of a connection for `async for`; the compiled twin has its own upcoming.pyx."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from ..protocol.events import AnyEvent
    from .driving import Driver


class Upcoming:
    """The events of a connection, for `async for`.

    Arguments:
        driver: Goes on with it.
    """

    __slots__ = ("_driver",)

    def __init__(self, driver: Driver) -> None:
        self._driver = driver

    def __aiter__(self) -> Upcoming:
        return self

    def __anext__(self) -> Coroutine[Any, Any, AnyEvent]:
        return self._driver.next()
