"""What a program does in a pretend world that is real all the same: sleeping, and threads."""

from __future__ import annotations

import inspect
import sys
import threading
import time
import warnings
from typing import TYPE_CHECKING, Any

from .stuck import program_frame

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from .world import World

_PATIENCE = 2.0  # real seconds for the program's threads, where nothing else can happen
_LOOK = 0.001  # real seconds between two looks
_sleep = time.sleep


class RealUse(UserWarning):
    """A program in a pretend world has slept, or begun a thread, which is real there.

    Example:
        >>> import time, pytest
        >>> from lomond.testing import pretend
        >>> with pytest.warns(RealUse, match="waits in real time"), pretend():
        ...     time.sleep(0.001)
    """


class Reports:
    """What is noticed of that, from `begin` to `end`.

    Arguments:
        world: In which it happens.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._places: dict[tuple[str, int, str], str] = {}  # and the module
        self._threads: list[threading.Thread] = []
        self._undo: list[tuple[Any, str, Any]] = []

    def begin(self) -> None:
        """Notice it from now on."""

        def sleep(seconds: float, /) -> None:
            if self._world.is_here():
                self._note("time.sleep()")
            _sleep(seconds)

        start = threading.Thread.start

        def noticed_start(thread: threading.Thread) -> None:
            if self._world.is_here() and not _is_ours(inspect.currentframe()):
                self._note("a thread")
                self._threads.append(thread)
            start(thread)

        # Also where it was imported by its name, as `from time import sleep`.
        for module in list(sys.modules.values()):
            if (
                getattr(module, "__dict__", {}).get("sleep") is _sleep
                and module is not sys.modules[__name__]
            ):
                self._put(module, "sleep", sleep)
        self._put(threading.Thread, "start", noticed_start)

    def end(self) -> None:
        """Notice nothing any more."""
        while self._undo:
            setattr(*self._undo.pop())

    def sentences(self) -> list[str]:
        """What was noticed: a sentence for each place."""
        return [_sentence(*place) for place in self._places]

    def warn(self) -> None:
        """Warn of each place. Raises RealUse where warnings are errors."""
        for (path, line, what), module in self._places.items():
            said = _sentence(path, line, what)
            warnings.warn_explicit(said, RealUse, path, line, module)

    def waited(self, look: Callable[[], Any]) -> bool:
        """Whether there are threads of the program's, one of which had something to be found."""
        end = time.monotonic() + _PATIENCE
        while any(thread.is_alive() for thread in self._threads) and time.monotonic() < end:
            if look():
                return True
            _sleep(_LOOK)
        return bool(self._threads and look())

    def _note(self, what: str) -> None:
        frame = program_frame(inspect.currentframe())
        if frame is not None:
            module: str = frame.f_globals.get("__name__", "")
            self._places[frame.f_code.co_filename, frame.f_lineno, what] = module

    def _put(self, owner: Any, name: str, value: Any) -> None:
        self._undo.append((owner, name, getattr(owner, name)))
        setattr(owner, name, value)


def _is_ours(frame: FrameType | None) -> bool:
    """Whether this package called the function that runs: a server on a socket has threads."""
    caller = None if frame is None else frame.f_back
    module: str = "" if caller is None else caller.f_globals.get("__name__", "")
    return module.startswith(f"{__package__}.")


def _sentence(path: str, line: int, what: str) -> str:
    is_sleep = what == "time.sleep()"
    does, fix = (
        ("calls", "it waits in real time; let asyncio or trio sleep, or pass it as an argument")
        if is_sleep
        else (
            "begins",
            "it runs outside of the pretend world, in real time and on the real network",
        )
    )
    return f"{path}:{line} {does} {what}: {fix}"
