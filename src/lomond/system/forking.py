"""Which process we are in. A connection belongs to the process that made it."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Protocol
from weakref import ReferenceType, ref

#: How often this process's line was forked: differs between a process and its children.
count: int = 0


class Forkable(Protocol):
    """What has to know that it is in another process now."""

    def forked(self) -> None:
        """We are in a child."""
        ...


#: Who is told in every forked child. (Not a WeakSet, which takes two calls of Python's for each.)
watching: set[ReferenceType[Forkable]] = set()

_forget = watching.discard


def watch(who: Forkable) -> None:
    """Have it told in every forked child, as long as it lives."""
    watching.add(ref(who, _forget))


def _forked() -> None:
    global count
    count += 1
    for reference in list(watching):
        who = reference()
        if who is not None:
            who.forked()


def in_child(function: Callable[[], None]) -> None:
    """Have a function called in every forked child."""
    if hasattr(os, "register_at_fork"):  # not on Windows, which has no fork
        os.register_at_fork(after_in_child=function)


in_child(_forked)
