"""Has trio's runs be anyio's, for ``pytest --anyio``: what holds below trio holds below anyio."""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import anyio
import trio


class _Thread(threading.local):
    begins = False  # anyio begins a run of trio's


_here = _Thread()


def begin() -> None:
    """From now on, who runs trio in this process runs anyio, on its backend trio."""
    run, start_guest_run, run_anyio = trio.run, trio.lowlevel.start_guest_run, anyio.run

    def begin_anyio(*arguments: Any, **options: Any) -> Any:
        _here.begins = True
        try:
            return run_anyio(*arguments, **options)
        finally:
            _here.begins = False

    def run_below(act: Callable[..., Awaitable[Any]], *arguments: Any, **options: Any) -> Any:
        if _here.begins:
            _here.begins = False
            return run(act, *arguments, **options)
        below = partial(_scoped, act, *arguments)
        return begin_anyio(below, backend="trio", backend_options=options)

    def guest_below(act: Callable[..., Awaitable[Any]], *arguments: Any, **options: Any) -> None:
        start_guest_run(partial(_scoped, act, *arguments), **options)

    replaced: list[tuple[Any, str, object]] = [
        (anyio, "run", begin_anyio),
        (trio, "run", run_below),
        (trio.lowlevel, "start_guest_run", guest_below),
    ]
    for module, name, by in replaced:
        setattr(module, name, by)


async def _scoped(act: Callable[..., Awaitable[Any]], *arguments: Any) -> Any:
    """What it gives, in a scope of anyio's, which has no group for what it raises."""
    with anyio.CancelScope():
        return await act(*arguments)
