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
#: Whether it was told that who leaves a loop leaves the connection.
has_warned_of_break = False


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
#: Of the events of what waits in its thread.
not_awaited_here = refusing(
    "connect() and persist() of a WebSocket are not awaited, they wait in their thread: write "
    "'for event in websocket'; in an event loop use lomond.AsyncWebSocket (asyncio) or "
    "lomond.TrioWebSocket (trio), and 'async for event in websocket'"
)
no_async_iterator = refusing(
    "events of a WebSocket, which waits in its thread: write 'for', without 'async'; in an event "
    "loop use lomond.AsyncWebSocket (asyncio) or lomond.TrioWebSocket (trio)"
)
not_for_with = refusing(
    "connect() and persist() give events: write 'with websocket:', and in it 'for event in "
    "websocket'"
)
not_for_async_with = refusing(
    "connect() and persist() give events: write 'async with websocket:', and in it 'async for "
    "event in websocket', with lomond.AsyncWebSocket (asyncio) or lomond.TrioWebSocket (trio)"
)


def look_at_loop(websocket: Any) -> None:
    """Warn, once in a process, who goes on in a second loop where the first has ended all.

    That is one which was left before the first message, and in the same function another one, not
    the same again: whoever connects anew on purpose does it after a conversation, or in a loop.
    To be called by what the loop calls.
    """
    global has_warned_of_break
    frame = sys._getframe(2)
    before = websocket._loop
    object.__setattr__(websocket, "_loop", (frame.f_code, frame.f_lineno))
    if has_warned_of_break or before is None or before[0] is not frame.f_code:
        return
    if before[1] == frame.f_lineno or not websocket._is_left_unheard():
        return
    has_warned_of_break = True
    warnings.warn(
        "whoever leaves a loop over a WebSocket (by break) ends its connection, and this one makes "
        "a new one; to go on with the first, write events = websocket.connect(), and both loops "
        "over events",
        RuntimeWarning,
        stacklevel=_level_of_user(),
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
