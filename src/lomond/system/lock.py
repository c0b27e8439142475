"""The lock of a connection; the compiled twin has its own lock.pyx, which takes it cheaper."""

from __future__ import annotations

import threading

#: Guards changes; the thread that has it may take it again.
Lock = threading.RLock
