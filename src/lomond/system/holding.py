"""Which thread holds a lock, and letting go of it on the way out of an interruption.

A signal handler that raises runs between any two lines, that which takes a lock and the `try`
behind it too; and up to Python 3.14 between the lock's own ``__enter__`` and the block of a `with`.
"""

from __future__ import annotations

from typing import Any, TypeVar

_Item = TypeVar("_Item")


def is_mine(lock: Any) -> bool:
    """Whether this thread holds the lock."""
    # Not in the stubs; it is what threading.Condition asks too.
    is_owned: bool = lock._is_owned()
    return is_owned


def abandon(lock: Any) -> None:
    """Let go of a lock that this thread was interrupted with."""
    while is_mine(lock):
        lock.release()


def next_of(waiting: list[_Item]) -> _Item | None:
    """The first that waits, which no other thread then gets; None if nothing does."""
    try:
        return waiting.pop(0)
    except IndexError:
        return None
