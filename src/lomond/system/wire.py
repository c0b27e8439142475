"""The wire of a connection; the compiled twin has its own wire.pyx, which needs plain.py too."""

from __future__ import annotations

from .plain import Wire as Wire
