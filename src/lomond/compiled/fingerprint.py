"""Tells whether the compiled twin is that of these sources. Used by the build and the tests."""

from __future__ import annotations

import hashlib
from pathlib import Path


def fingerprint(source: Path) -> str:
    """A text that changes with every file that the twin is made of.

    Arguments:
        source: The directory of the package `lomond`.
    """
    digest = hashlib.sha256()
    kinds = [("protocol", "*.py"), ("compiled", "*.pyx"), ("compiled", "*.pxd")]
    for path in sorted(path for room, kind in kinds for path in (source / room).glob(kind)):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()
