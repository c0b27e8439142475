"""The path of the bytes through io/, of the twin that runs: these modules are compiled too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..engine import engine

if TYPE_CHECKING:
    from ..protocol.short import short_messages
    from .channel import Channel
    from .layer import TLSLayer
    from .transport import Transport
else:
    Channel = engine.module("io", "channel").Channel
    TLSLayer = engine.module("io", "layer").TLSLayer
    Transport = engine.module("io", "transport").Transport
    short_messages = engine.module("protocol", "short").short_messages

__all__ = ["Channel", "TLSLayer", "Transport", "short_messages"]
