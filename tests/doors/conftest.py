"""The tests' door, and the event loops of those of the asyncio door."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme

from doors.every_door import DOORS, close_streams
from doors.loops import WatchesNothing, uvloop_loop
from doors.tapped import Tapped
from lomond.system import pipe
from patience import PATIENCE


@pytest.fixture(autouse=True)
def door(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """By which the module's tests come in, under the name of the synchronous one."""
    name: str = getattr(request, "param", "sync")
    if name != "sync":
        monkeypatch.setattr(request.module, "WebSocket", DOORS[name])
    yield name
    close_streams()


@pytest.fixture(autouse=True)
def tapped_is_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Tapped stands for a plain socket: it gets bounded reads, and goes the short way."""
    is_plain = pipe.is_plain
    monkeypatch.setattr(pipe, "is_plain", lambda kind: kind is Tapped or is_plain(kind))


@pytest.fixture
def localhost(monkeypatch: pytest.MonkeyPatch) -> None:
    """That name is 127.0.0.1, whatever this machine has in /etc/hosts."""
    resolve = socket.getaddrinfo

    def resolve_it(host: Any, *arguments: Any, **options: Any) -> Any:
        is_name_asked = not options.get("flags", 0) & socket.AI_NUMERICHOST
        own = host == "localhost" and is_name_asked
        return resolve("127.0.0.1" if own else host, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", resolve_it)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """Whose certificates nobody trusts who is not told to."""
    return trustme.CA()


@pytest.fixture
def cafile(authority: trustme.CA, tmp_path: Path) -> Path:
    """Tells it."""
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return path


@pytest.fixture(params=["asyncio", "uvloop", "watches nothing"])
def run(request: pytest.FixtureRequest) -> Callable[[Coroutine[Any, Any, Any]], Any]:
    """Runs a coroutine on a new event loop of each kind."""
    # Where there is none, the test is skipped before it has made a coroutine.
    kinds = {"asyncio": asyncio.new_event_loop, "watches nothing": WatchesNothing}
    make = kinds.get(request.param) or uvloop_loop()

    def run_it(act: Coroutine[Any, Any, Any]) -> Any:
        loop = make()
        try:
            return loop.run_until_complete(asyncio.wait_for(act, PATIENCE))
        finally:
            loop.run_until_complete(asyncio.sleep(0))
            loop.close()

    return run_it
