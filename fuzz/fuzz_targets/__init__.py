"""The fuzz targets. Each has a `check(data)`, which raises if its invariant does not hold.

They need no atheris, and run on the twin of the process. What `check` returns
tells what happened, in words; it is the same on both twins.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

NAMES = ("frames", "messages", "upgrade", "session", "proxies")
MAX_SIZE = 4096  # bytes of one input
#: Most that Python may hold while one input is checked, bytes. The largest buffer that a
#: declared length makes lomond allocate is 256 KiB.
MAX_MEMORY = 8 * 1024 * 1024

Check = Callable[[bytes], str]


def load(name: str) -> Check:
    """The `check` of a target."""
    check: Check = import_module(f"{__name__}.{name}").check
    return check
