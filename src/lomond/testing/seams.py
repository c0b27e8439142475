"""Where a pretend world takes the place of the real one, for the time of its block.

Each place is asked in other threads too, which then get what is real.
"""

from __future__ import annotations

import select
import sys
import threading
from functools import partial
from typing import TYPE_CHECKING, Any

from .. import base, group, making, persist, records, replies, ways
from ..io import group_loop, polling, readiness, waiting
from ..io.noticing import Notice
from ..io.performing import Performer
from ..io.polling import Poller
from ..io.posting import Bell
from ..system.clock import monotonic
from ..system.plain import is_plain
from .asyncio_time import AsyncioTime
from .outside import WorldPerformer

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from .world import World


class Seams:
    """All of them.

    Arguments:
        world: Which takes the place.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._undo: list[tuple[Any, str, Any]] = []
        self._asyncio = AsyncioTime(world)
        self._trio: Any = None

    def enter(self) -> None:
        """Take the place. Raises RuntimeError: an event loop is there that can't be pretended."""
        if not is_plain(socket_class()):
            raise RuntimeError(
                "sockets are not Python's here, as gevent and eventlet replace them: there is no "
                "pretend world then; test the program without them, or use a PeerServer"
            )
        world = self._world
        here = world.is_here
        self.put(making, "Performer", _either(here, self._performer, Performer))
        proxy_for = base.proxy_for
        self.put(base, "proxy_for", _without_environment(here, proxy_for))
        self.put(waiting, "select", _Select(world))
        selector = waiting.Selector
        self.put(
            waiting, "Selector", _either(here, lambda: PretendSelector(world, selector()), selector)
        )
        new_poller = polling.new_poller
        pretended = _either(here, lambda: _PretendPoller(world, new_poller()), new_poller)
        self.put(group_loop, "new_poller", pretended)
        threads = _Threading(world)
        self.put(replies, "threading", threads)
        self.put(readiness, "threading", threads)
        blocking = partial(_PretendBlocking, world)
        self.put(persist, "Blocking", _either(here, blocking, ways.Blocking))
        others = _either(here, partial(_PretendWaiting, world), ways.Waiting)
        self.put(ways, "Waiting", others)
        self.put(group, "Waiting", others)
        self.put(records, "Bell", _either(here, partial(_PretendBell, world), Bell))
        self._asyncio.enter(self.put)
        self.look_around(is_begin=True)

    def leave(self, error: BaseException | None = None) -> bool:
        """Give the places back; whether an exception is what had the program leave the block."""
        is_ours = False
        while self._undo:
            setattr(*self._undo.pop())
        if self._trio is not None:
            is_ours = self._trio.leave(error)
        return self._asyncio.leave(error) or is_ours

    def look_around(self, is_begin: bool = False) -> None:
        """Have what is there by now go by the world's clock. Raises RuntimeError: it can't.

        Arguments:
            is_begin: Whether the block begins.
        """
        self._asyncio.look_around()
        if self._trio is None and "trio" in sys.modules:
            from .trio_time import TrioTime

            self._trio = TrioTime(self._world)
            self._trio.enter(self.put, is_begin)
        if self._trio is not None:
            self._trio.look_around()

    def _performer(self, *arguments: Any) -> WorldPerformer:
        self.look_around()
        return WorldPerformer(self._world, *arguments)

    def put(self, owner: Any, name: str, value: Any) -> None:
        """Set an attribute, until the block is left."""
        self._undo.append((owner, name, getattr(owner, name)))
        setattr(owner, name, value)


def socket_class() -> type:
    """What Python's programs get by ``socket.socket``."""
    import socket

    return socket.socket


def _either(
    is_here: Callable[[], bool], pretended: Callable[..., Any], real: Callable[..., Any]
) -> Callable[..., Any]:
    """What the world's thread gets, and others do."""
    return lambda *arguments: (pretended if is_here() else real)(*arguments)


def _without_environment(is_here: Callable[[], bool], proxy_for: Any) -> Any:
    """`proxy_for`, to which the environment says nothing."""

    def chosen(websocket: Any, url: Any) -> Any:
        return None if is_here() and websocket.proxies is None else proxy_for(websocket, url)

    return chosen


# Waits of the blocking door and the group


class _Select:
    """The module ``select``, whose poll waits by the world's clock."""

    def __init__(self, world: World) -> None:
        self._world = world

    def __getattr__(self, name: str) -> Any:
        found = getattr(select, name)  # AttributeError where the system has none
        if name == "poll" and self._world.is_here():
            return lambda: PretendPoll(self._world)
        return found


class PretendPoll:
    """What ``select.poll()`` gives, which waits by the world's clock in the world's thread."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._poll = select.poll()
        self.register = self._poll.register
        self.modify = self._poll.modify
        self.unregister = self._poll.unregister

    def poll(self, milliseconds: float) -> Any:
        """What is ready, when something is or that time is over."""
        if not self._world.is_here():
            return self._poll.poll(milliseconds)
        return self._world.wait(lambda: self._poll.poll(0), milliseconds / 1000)


class PretendSelector:
    """A selector of Python's that waits by the world's clock in the world's thread.

    Arguments:
        world: Whose clock.
        selector: Python's.
        has_more: Whether something else is to be done than what the selector finds.
        halt: As for `World.wait`.
    """

    def __init__(
        self, world: World, selector: Any, has_more: Callable[[], Any] = bool, halt: Any = None
    ) -> None:
        self._world = world
        self.inner = selector
        self._has_more = has_more
        self._halt = halt

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def __enter__(self) -> PretendSelector:
        return self

    def __exit__(self, *_: object) -> None:
        self.inner.close()

    def select(self, timeout: float | None = None) -> Any:
        """What is ready, when something is or that time is over."""
        select = self.inner.select
        if not self._world.is_here():
            return select(timeout)
        return looked(self._world, lambda: select(0), self._has_more, timeout, self._halt)


def looked(
    world: World,
    look: Callable[[], list[Any]],
    has_more: Callable[[], Any],
    seconds: float | None,
    halt: Any,
) -> list[Any]:
    """What `look` finds, when that or something more is there, or that time is over."""
    if seconds is not None and seconds <= 0:
        more = look
    else:

        def more() -> Any:
            return look() or has_more()

    found = world.wait(more, seconds, halt)
    return [] if isinstance(found, bool) else found


class _PretendPoller(Poller):
    """A group's poller that waits by the world's clock."""

    def __init__(self, world: World, poller: Poller) -> None:
        super().__init__(poller)
        self._world = world

    def poll(self, seconds: float | None) -> list[tuple[int, int]]:
        if not self._world.is_here():
            return list(self._selector.poll(seconds))
        found: list[tuple[int, int]] = self._world.wait(lambda: self._selector.poll(0), seconds)
        return found


# Waits of ask(), wait_ready(), persist, and of a record that is replayed


class _Threading:
    """The module ``threading``, whose events wait by the world's clock."""

    def __init__(self, world: World) -> None:
        self._world = world

    def __getattr__(self, name: str) -> Any:
        if name == "Event" and self._world.is_here():
            return lambda: _PretendEvent(self._world)
        return getattr(threading, name)


class _PretendEvent(threading.Event):
    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world

    def wait(self, timeout: float | None = None) -> bool:
        if not self._world.is_here():
            return super().wait(timeout)
        return bool(self._world.wait(self.is_set, timeout))


class _PretendBell:
    """What nobody rings, and whose wait goes by the world's clock."""

    def __init__(self, world: World) -> None:
        self._world = world

    def wait(self, seconds: float) -> None:
        self._world.wait(bool, seconds)


class _PretendNotice(Notice):
    """What is known of an exit event, at which the world looks whenever something happens."""

    def __init__(self, event: Any, wake: Callable[[], object], world: World) -> None:
        super().__init__(event, wake)
        self._world = world
        if not self.is_told:
            self.is_told = True
            world.watched.append(self)

    def look(self) -> None:
        """Tell, where it was set."""
        if not self._happened and self._event is not None and self._event.is_set():
            self._heard()

    def close(self) -> None:
        if self in self._world.watched:
            self._world.watched.remove(self)
        super().close()


class _PretendBlocking(ways.Blocking):
    """The way of what is iterated by a thread, in the world's time."""

    def __init__(self, world: World, websocket: Any) -> None:
        super().__init__(websocket)
        self._world = world

    def notice(self, exit_event: Any) -> Notice:
        # One that has none is only waited for.
        if not (ways.is_door(self._websocket) and hasattr(exit_event, "is_set")):
            return super().notice(exit_event)
        return _PretendNotice(exit_event, self._wake, self._world)

    def _wake(self) -> None:
        exchange = self._websocket._exchange
        if exchange is not None:
            exchange.wake()

    def sleep(self, seconds: float, exit_event: Any, notice: Notice) -> Generator[Any, None, bool]:
        if not self._world.is_here():
            return (yield from super().sleep(seconds, exit_event, notice))
        end = monotonic() + seconds
        door: Any = self._websocket if ways.is_door(self._websocket) else None

        def is_set() -> bool:
            return exit_event is not None and bool(exit_event.wait(0))

        while True:
            if door is not None:
                yield from ways.posted(door)
            if (left := end - monotonic()) <= 0:
                return False
            self._world.wait(lambda: is_set() or (door is not None and door._posts), left)
            if is_set():
                return True


class _PretendWaiting(ways.Waiting):
    """The way of what waits for many things at a time, in the world's time."""

    def __init__(self, world: World, door: Any, driver: Any) -> None:
        super().__init__(door, driver)
        self._world = world

    def notice(self, exit_event: Any) -> Notice:
        notice = super().notice(exit_event)
        if notice.is_told:
            return notice
        return _PretendNotice(exit_event, self._driver.wake, self._world)
