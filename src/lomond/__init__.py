"""Tranquil WebSockets: a connection as an orderly stream of events."""

from . import constants, errors, events, response, status, websocket
from .constants import __version__
from .options import Deflate
from .websocket import WebSocket

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
