"""Which process we are in. A connection belongs to the process that made it."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Protocol
from weakref import WeakSet

#: How often this process's line was forked: differs between a process and its children.
count: int = 0


class Forkable(Protocol):
    """What has to know that it is in another process now."""

    def forked(self) -> None:
        """We are in a child."""
        ...


#: Who is told in every forked child, as long as it lives; whoever wants that adds itself.
watching: WeakSet[Forkable] = WeakSet()


def _forked() -> None:
    global count
    count += 1
    for who in list(watching):
        who.forked()


def in_child(function: Callable[[], None]) -> None:
    """Have a function called in every forked child."""
    if hasattr(os, "register_at_fork"):  # not on Windows, which has no fork
        os.register_at_fork(after_in_child=function)


in_child(_forked)
