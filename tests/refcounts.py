"""Where Python counts references, what is dropped ends at once; elsewhere later (PyPy)."""

from __future__ import annotations

import gc
import sys

import pytest

_COUNTS = sys.implementation.name == "cpython"

at_once = pytest.mark.skipif(
    not _COUNTS, reason=f"{sys.implementation.name} ends a dropped iterator at some later time"
)


def end_what_was_dropped() -> None:
    """Elsewhere too: a loop that a test has left keeps its socket no longer."""
    if not _COUNTS:
        gc.collect()
