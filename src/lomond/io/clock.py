"""The clocks; the compiled twin has its own clock.pyx, which makes no object of a time."""

from __future__ import annotations

from time import monotonic as monotonic, time as time
