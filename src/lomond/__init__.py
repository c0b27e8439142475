"""Tranquil WebSockets: a connection as an orderly stream of events.

`WebSocket` is for a thread, `WebSocketGroup` for many connections in one, `AsyncWebSocket` for
asyncio, and `TrioWebSocket` for trio (``from lomond import TrioWebSocket``; what is below leaves it
out, as ``import *`` does, for it needs the extra ``trio``). `lomond.events` has the events,
`lomond.errors` what is raised, and `lomond.testing` help for tests of your own program.

(PYTEST_DONT_REWRITE: a plugin of pytest is installed with this package, which is none itself.)
"""

from typing import TYPE_CHECKING, Any

from . import twin

twin.install(__name__, __path__[0])  # before any module that may be compiled

from .constants import __version__ as __version__

if TYPE_CHECKING:
    from . import constants, errors, events, response, status, websocket
    from .aio import AsyncWebSocket
    from .ending import Ending
    from .group import WebSocketGroup
    from .options import Deflate
    from .trio import TrioWebSocket as TrioWebSocket
    from .websocket import WebSocket

__all__ = [
    "AsyncWebSocket",
    "Deflate",
    "Ending",
    "WebSocket",
    "WebSocketGroup",
    "__version__",
    "constants",
    "errors",
    "events",
    "response",
    "status",
    "websocket",
]

#: Name -> the module that has it: imported when somebody asks, for it brings much along. One that
#: needs what may not be installed is not in `__all__`, which `import *` asks for.
_HOMES = {
    "AsyncWebSocket": "aio",
    "Deflate": "options",
    "Ending": "ending",
    "TrioWebSocket": "trio",
    "WebSocket": "websocket",
    "WebSocketGroup": "group",
}


if not TYPE_CHECKING:  # which would take any name for one of lomond's

    def __getattr__(name: str) -> Any:
        """What is imported when it is first asked for."""
        if name not in __all__ and name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        found: Any = import_module(f".{_HOMES.get(name, name)}", __name__)
        if name in _HOMES:
            found = globals()[name] = getattr(found, name)
        return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
