"""What tells a group which of its sockets are ready: Linux' epoll, or a selector of Python's."""

from __future__ import annotations

import select
import selectors
from typing import Any

READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE


class Poller:
    """A selector, as a Poller.

    Arguments:
        selector: One of Python's, or what does the same.
    """

    __slots__ = ("_selector",)

    def __init__(self, selector: Any) -> None:
        self._selector = selector

    def register(self, number: int, what: int) -> None:
        """Look at a descriptor too, for READ, or WRITE, or both."""
        self._selector.register(number, what)

    def unregister(self, number: int) -> None:
        """Look at it no more. Raises KeyError or OSError where it is not looked at."""
        self._selector.unregister(number)

    def poll(self, seconds: float | None) -> list[tuple[int, int]]:
        """The descriptors that are ready, and what for: whatever is beside READ concerns writing.

        Arguments:
            seconds: To wait at the most; None for no limit.
        """
        return [(key.fd, what) for key, what in self._selector.select(seconds)]

    def close(self) -> None:
        """Give the system back what it costs."""
        self._selector.close()


class EpollPoller(Poller):
    """Linux' epoll, without the object that a selector of Python's makes for each that is ready."""

    __slots__ = ("poll",)

    def __init__(self, epoll: Any) -> None:
        super().__init__(epoll)
        # Its own. Of an error or a hang-up it tells too: whoever wants to write finds that out.
        self.poll = epoll.poll  # type: ignore[method-assign]  # which is the method here

    def register(self, number: int, what: int) -> None:
        flags = (select.EPOLLIN if what & READ else 0) | (select.EPOLLOUT if what & WRITE else 0)
        self._selector.register(number, flags)


def new_poller() -> Poller:
    """The system's best; where no descriptor is left for that, one that needs none."""
    make: Any = getattr(select, "epoll", None)  # gevent takes it away, whose own way is a selector
    try:
        return Poller(selectors.DefaultSelector()) if make is None else EpollPoller(make())
    except OSError:
        kind: Any = getattr(selectors, "PollSelector", selectors.SelectSelector)
        return Poller(kind())
