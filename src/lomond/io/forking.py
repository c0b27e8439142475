"""Which process we are in. A connection belongs to the process that made it."""

from __future__ import annotations

import os

_generation = 0


def _forked() -> None:
    global _generation
    _generation += 1


if hasattr(os, "register_at_fork"):  # not on Windows, which has no fork
    os.register_at_fork(after_in_child=_forked)


def generation() -> int:
    """A number that differs between a process and its forked children."""
    return _generation
