"""The events of what a thread iterates: a generator's, which tells who misuses it what to write."""

from __future__ import annotations

from collections.abc import Generator
from itertools import chain
from typing import TYPE_CHECKING, Any

from .wrong_door import (
    no_async_iterator,
    not_awaited_here,
    not_for_async_with,
    not_for_with,
)

if TYPE_CHECKING:
    from .events import AnyEvent

    _Base = Generator[AnyEvent, None, None]
else:
    _Base = chain

__all__ = ["Events"]


class Events(_Base):
    """The events of a connection, or of one after another, for ``for``; `connect` makes it.

    ``for`` goes through the generator itself, and ``next`` by what is written in C, so that an
    event costs nothing more.

    Arguments:
        items: Gives them.
    """

    __slots__ = ("__weakref__", "_items")

    def __init__(self, items: Generator[AnyEvent, None, None]) -> None:
        self._items = items

    def __iter__(self) -> Generator[AnyEvent, None, None]:
        return self._items

    def send(self, value: None) -> AnyEvent:
        """The next event, as ``next`` gives it."""
        return self._items.send(value)

    def throw(self, *error: Any) -> AnyEvent:
        """Raise this where the last event was handed out; the connection is left."""
        return self._items.throw(*error)

    def close(self) -> None:
        """Leave the connection: say so to the server if that needs no waiting; free the socket."""
        self._items.close()

    if not TYPE_CHECKING:  # to which it is none of these
        __aiter__ = no_async_iterator
        __await__ = not_awaited_here
        __enter__ = __exit__ = not_for_with
        __aenter__ = __aexit__ = not_for_async_with
