"""Who waits until messages may be sent, while others iterate: threads here, tasks in doors."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from ..protocol.states import CONNECTING, OPEN
from ..system import forking
from ..system.clock import monotonic

if TYPE_CHECKING:
    from .exchange import Exchange

    Current = Callable[[], Exchange | None]
    Look = Callable[[], bool | None]

#: What is said to whoever would wait for itself.
WRONG_WAIT = (
    "wait_ready() is for others than the {0} that iterates, for nothing goes on while that waits; "
    "here send in the handler of the Ready event"
)
#: Who waits: for whose connection, and what ends the wait, from any thread.
waiting: list[tuple[Current, Callable[[], object]]] = []
forking.in_child(waiting.clear)  # those who wait stayed with the parent
#: The loops of groups that are iterated now.
groups: list[Any] = []


def is_in_group_of(thread: int, owner: object) -> bool:
    """Whether that thread iterates a group in which the owner is, come to its connection or not."""
    return any(group.thread == thread and owner in group.members for group in tuple(groups))


def is_own_loop(door: Any) -> bool:
    """Whether this thread iterates it, so that nothing goes on while it waits."""
    here = threading.get_ident()
    is_mine = getattr(door._exchange, "thread", 0) == here or is_in_group_of(here, door)
    return is_mine and bool(door._stays or not door.is_closed)


def told(exchange: Exchange | None) -> None:
    """A connection has come further, or is over: who waits for it is to look again."""
    for current, tell in tuple(waiting):
        if current() is exchange:
            tell()


@contextmanager
def waits(current: Current, tell: Callable[[], object]) -> Generator[None, None, None]:
    """Be told within this.

    Arguments:
        current: Gives the connection that is the current one.
        tell: Called from any thread when that has come further, or is over.
    """
    one = (current, tell)
    waiting.append(one)
    try:
        yield
    finally:
        waiting.remove(one)


def readiness(exchange: Exchange | None, stays: bool) -> bool | None:
    """Whether messages may be sent; None while that may come.

    Arguments:
        exchange: The current connection's, or None before the first.
        stays: Whether another one follows when it is over.
    """
    if exchange is None:
        return None
    state = exchange.connection.state
    if not (exchange.is_over or exchange.session.has_ended):
        if state == OPEN and exchange.session.course.served_at is not None:
            return True
        if state in (CONNECTING, OPEN):
            return None
    return None if stays else False


def wait_in_thread(look: Look, current: Current, seconds: float | None) -> bool:
    """Whether messages may be sent, as soon as that is known, or the time is over.

    Arguments:
        look: What `readiness` says now.
        current: As for `waits`.
        seconds: For how long; None for no limit.
    """
    event = threading.Event()
    end = None if seconds is None else monotonic() + seconds
    with waits(current, event.set):
        while (found := look()) is None:
            rest = None if end is None else end - monotonic()
            if rest is not None and rest <= 0:
                return False
            event.wait(rest)
            event.clear()
    return found


class Limited:
    """A context manager of an event loop that is entered without waiting, for ``async with``."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    async def __aenter__(self) -> None:
        self._inner.__enter__()

    async def __aexit__(self, *error: Any) -> Any:
        return self._inner.__exit__(*error)


async def wait_for_event(event: Any, seconds: float, means: tuple[Any, Any, str, Any]) -> None:
    """Wait for an event of an event loop, for so many seconds.

    Arguments:
        event: Which.
        seconds: `math.inf` for no limit.
        means: As for `wait_in_task`.
    """
    within = means[3](seconds)
    async with within if hasattr(within, "__aenter__") else Limited(within):
        await event.wait()


async def wait_in_task(
    look: Look, current: Current, seconds: float | None, means: tuple[Any, Any, str, Any]
) -> bool:
    """Whether messages may be sent, for a task; else as `wait_in_thread`.

    Arguments:
        look, current, seconds: As there.
        means: Of the event loop: its class of events; what gives the loop; the name of its method
            that has it call something, from any thread; and what gives a context manager that ends
            a wait after so many seconds.
    """
    new_event, loop, soon, _ = means
    end = math.inf if seconds is None else monotonic() + seconds
    call_soon = getattr(loop(), soon)
    event = new_event()

    def tell() -> None:
        with suppress(RuntimeError):  # the loop is closed
            call_soon(lambda: event.set())

    with waits(current, tell):
        await wait_for_event(event, 0, means)  # whatever is awaited is a checkpoint, in trio
        while (found := look()) is None:
            if (rest := end - monotonic()) <= 0:
                return False
            await wait_for_event(event, rest, means)
            event = new_event()
    return found
