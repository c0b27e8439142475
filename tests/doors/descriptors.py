"""The file descriptors of this process, as Linux tells them."""

from __future__ import annotations

import os
from contextlib import suppress

from lomond.io.waiting import forget_free


def opened() -> set[str]:
    """Each with its number and what it is, but for what lomond keeps for its next wait."""
    forget_free()
    result = set()
    for name in os.listdir("/proc/self/fd"):
        with suppress(OSError):  # that of the list itself
            result.add(f"{name} {os.readlink(f'/proc/self/fd/{name}')}")
    return result
