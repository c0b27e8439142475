"""Which process we are in. A connection belongs to the process that made it."""

from __future__ import annotations

import os
from collections.abc import Callable

#: How often this process's line was forked: differs between a process and its children.
count: int = 0


def _forked() -> None:
    global count
    count += 1


def in_child(function: Callable[[], None]) -> None:
    """Have a function called in every forked child."""
    if hasattr(os, "register_at_fork"):  # not on Windows, which has no fork
        os.register_at_fork(after_in_child=function)


in_child(_forked)
