"""Tranquil WebSockets: a connection as an orderly stream of events."""

from typing import TYPE_CHECKING

from . import constants, errors, response, status, websocket
from .constants import __version__
from .options import Deflate
from .websocket import WebSocket

if TYPE_CHECKING:
    from types import ModuleType

    from . import events

__all__ = [
    "Deflate",
    "WebSocket",
    "__version__",
    "constants",
    "errors",
    "events",
    "response",
    "status",
    "websocket",
]


def __getattr__(name: str) -> "ModuleType":
    """The module `events`, when it is asked for: it brings the protocol with it."""
    if name == "events":
        from importlib import import_module

        return import_module("lomond.events")
    raise AttributeError(f"module 'lomond' has no attribute {name!r}")
