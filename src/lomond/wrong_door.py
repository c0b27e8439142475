"""What is said to whoever uses one door as if it were another: which is meant, what to write."""

# pyright: reportPrivateUsage=false
# How asyncio is asked without an exception, and a caller's frame, are private by name alone.

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from typing import Any, NoReturn

_PACKAGE = f"{__name__.partition('.')[0]}."
#: Whether this process was told that a WebSocket blocks its event loop.
has_warned = False


def refusing(said: str) -> Callable[..., NoReturn]:
    """A method that raises TypeError, with these words.

    Arguments:
        said: With ``{0}`` for the name of the class.
    """

    def refuse(self: object, *_: object) -> NoReturn:
        raise TypeError(said.format(type(self).__name__))

    return refuse


#: Of what is awaited.
not_for = refusing(
    "{0} is for an event loop: write 'async for event in websocket'; without an event loop use "
    "lomond.WebSocket"
)
not_with = refusing(
    "{0} is for an event loop: write 'async with websocket'; without an event loop use "
    "lomond.WebSocket"
)
#: Of its events.
no_iterator = refusing(
    "events that are awaited: write 'async for event in websocket.connect()'; without an event "
    "loop use lomond.WebSocket"
)
not_awaited = refusing(
    "connect() and persist() are not awaited: write 'async for event in websocket', or "
    "'... in websocket.connect()'; it connects with its first event"
)
#: Of what waits in its thread.
not_async_for = refusing(
    "{0} waits in its thread: write 'for', without 'async'; in an event loop use "
    "lomond.AsyncWebSocket (asyncio) or lomond.TrioWebSocket (trio)"
)
not_async_with = refusing(
    "{0} waits in its thread: write 'with', without 'async'; in an event loop use "
    "lomond.AsyncWebSocket (asyncio) or lomond.TrioWebSocket (trio)"
)


def warn_of_loop() -> None:
    """Warn, once in a process, if an event loop runs in this thread, which will be blocked.

    In IPython, where one runs around all that is typed, to block is the way.
    """
    global has_warned
    if has_warned or (door := _doors_of_loop()) is None:
        return
    if (shell := _asked("IPython", "get_ipython")) is not None and shell() is not None:
        return
    has_warned = True
    warnings.warn(
        "a WebSocket keeps the event loop that runs in this thread from everything else; use "
        f"lomond.{door} (async for event in websocket), or iterate it in another thread",
        RuntimeWarning,
        stacklevel=_level_of_user(),
    )


def _asked(module: str, name: str) -> Any:
    """What a module has under that name, if it was imported already."""
    return getattr(sys.modules.get(module), name, None)


def _doors_of_loop() -> str | None:
    """The door for the loop that runs in this thread; None if none does."""
    if getattr(_asked("sniffio", "thread_local"), "name", None) == "trio":  # as trio says it
        return "TrioWebSocket"
    running_loop = _asked("asyncio", "_get_running_loop")
    if running_loop is not None and running_loop() is not None:
        return "AsyncWebSocket"
    return None


def _level_of_user() -> int:
    """How far above our caller the first frame is that is not the package's."""
    level, frame = 1, sys._getframe(1)  # warnings asks for the number
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith(_PACKAGE):
        level, frame = level + 1, frame.f_back
    return level
