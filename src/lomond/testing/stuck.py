"""Says where everybody waits, in a world in which nothing happens any more."""

from __future__ import annotations

import inspect
import os
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import FrameType

    from .far_end import FarEnd
    from .world import World

_PACKAGE = os.path.dirname(os.path.dirname(__file__))
_STANDARD = os.path.dirname(os.__file__)
#: What stands between a program's line and the system; a program lies in none of it.
_LIBRARIES = ("trio", "anyio", "outcome", "sniffio")
_MOST = 8  # places that are named


def is_program(path: str) -> bool:
    """Whether a file is the program's: neither ours, nor Python's, nor an event loop's."""
    if path.startswith(("<", _PACKAGE)):
        return False
    if "site-packages" in path:
        inner = path.rpartition("site-packages")[2].strip(os.sep)
        return inner.split(os.sep)[0] not in _LIBRARIES
    return not path.startswith(_STANDARD)


def where(frame: FrameType | None) -> str:
    """A line of the program's, for people: file and number."""
    return "?" if frame is None else f"{frame.f_code.co_filename}:{frame.f_lineno}"


def program_frame(frame: FrameType | None) -> FrameType | None:
    """The innermost frame of the program's, from one on outwards; None if there is none."""
    while frame is not None and not is_program(frame.f_code.co_filename):
        frame = frame.f_back
    return frame


def frame_of(begun: Any) -> FrameType | None:
    """The innermost frame of a generator or coroutine that is not of this package, or Python's."""
    found: FrameType | None = None
    while begun is not None:
        frame: FrameType | None = None
        for kind in ("gi", "cr", "ag"):
            frame = frame or getattr(begun, f"{kind}_frame", None)
        if frame is not None and (found is None or is_program(frame.f_code.co_filename)):
            found = frame
        begun = (
            getattr(begun, "gi_yieldfrom", None)
            or getattr(begun, "cr_await", None)
            or getattr(begun, "ag_await", None)
        )
    return found


def waiting_now(world: World) -> str:
    """Who waits in a world, and where, in words."""
    waits = _few([*_of_asyncio(), *_of_trio()]) or _few([program_frame(inspect.currentframe())])
    said = [f"the program waits ({', '.join(map(where, waits))})"]
    said += [_of_server(end, number) for number, end in enumerate(world.connections, 1)]
    return "; ".join(one for one in said if one)


def _of_server(end: FarEnd, number: int) -> str:
    if end.is_over:
        return ""
    doing = end.peer.doing
    if doing is not None:
        return f"server {number} ({end.url}): {doing()}"
    return f"server {number} ({end.url}) waits {end.waits_for()} ({where(end.place())})"


def _few(frames: Iterable[FrameType | None]) -> list[FrameType]:
    """The frames that are in the program's own lines, each line once."""
    found = {where(frame): frame for frame in frames if frame is not None}
    return [f for f in found.values() if is_program(f.f_code.co_filename)][:_MOST]


def _of_asyncio() -> Iterator[FrameType | None]:
    """The frames in which the tasks of the loop that runs here wait."""
    asyncio = sys.modules.get("asyncio")
    loop: Any = None if asyncio is None else asyncio._get_running_loop()
    if asyncio is not None and loop is not None:
        for task in asyncio.all_tasks(loop):
            yield frame_of(task.get_coro())


def _of_trio() -> Iterator[FrameType | None]:
    """The frames in which the tasks of the run that goes on here wait."""
    trio = sys.modules.get("trio")
    runner = None if trio is None else getattr(trio._core._run.GLOBAL_RUN_CONTEXT, "runner", None)
    if runner is not None:
        for task in runner.tasks:
            yield frame_of(task.coro)
