"""tracemalloc; on a Python that has none (PyPy), the test that starts it is skipped."""

from __future__ import annotations

import sys
from typing import Any, NoReturn

import pytest


class _Missing:
    def start(self, frames: int = 1) -> NoReturn:
        pytest.skip(f"{sys.implementation.name} does not tell what memory is used")


tracemalloc: Any
try:
    import tracemalloc
except ImportError:
    tracemalloc = _Missing()
