"""Tells whether the compiled twin is that of these sources. Used by the build and the tests."""

from __future__ import annotations

import hashlib
from pathlib import Path

#: The modules of io/ that every message passes.
BYTE_PATH = (
    "carrying", "channel", "clock", "driving", "layer", "link", "lock", "pausing", "reading",
    "transport", "upcoming", "wire", "writing",
)  # fmt: skip


def sources(source: Path) -> dict[str, Path]:
    """The plain modules that are compiled as they are, by their names in the twin."""
    room = source / "protocol"
    paths = [path for path in sorted(room.rglob("*.py")) if path.stem != "__init__"]
    found = {".".join(path.relative_to(room).with_suffix("").parts): path for path in paths}
    return found | {name: source / "io" / f"{name}.py" for name in BYTE_PATH}


def fingerprint(source: Path) -> str:
    """A text that changes with every file that the twin is made of.

    Arguments:
        source: The directory of the package `lomond`.
    """
    digest = hashlib.sha256()
    kinds = [("compiled", "*.pyx"), ("compiled", "*.pxd")]
    others = sorted(path for room, kind in kinds for path in (source / room).rglob(kind))
    for path in [*sources(source).values(), *others]:
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()
