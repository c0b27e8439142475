"""The path of the bytes through io/, of the twin that runs: these modules are compiled too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..engine import engine

if TYPE_CHECKING:
    from .layer import TLSLayer
    from .link import Link
    from .reading import Reader
    from .transport import Transport
    from .writing import Writer
else:
    TLSLayer = engine.module("io", "layer").TLSLayer
    Link = engine.module("io", "link").Link
    Reader = engine.module("io", "reading").Reader
    Transport = engine.module("io", "transport").Transport
    Writer = engine.module("io", "writing").Writer

__all__ = ["Link", "Reader", "TLSLayer", "Transport", "Writer"]
