"""What the tests of races share: addresses, and how a race is run."""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from lomond.io.waiting import Wakeup, lease, wait_for
from lomond.session.requests import AddressInfo, Failed, Interrupted
from lomond.system.connecting import Race
from patience import PATIENCE

DELAY = 0.25
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="as Linux has it")


def info(port: int, host: str = "127.0.0.1") -> AddressInfo:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    where = (host, port, 0, 0) if family == socket.AF_INET6 else (host, port)
    return (family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", where)


def unix(path: Path | str) -> AddressInfo:
    return (socket.AF_UNIX, socket.SOCK_STREAM, 0, "", str(path))


def run(
    race: Race, deadline: float | None, wakeup: Wakeup, is_over: Callable[[], bool]
) -> tuple[socket.socket, str]:
    """As the blocking door does it."""

    def check() -> None:
        if is_over():
            raise Interrupted(OSError("closed by the user"), monotonic())

    steps = race.run(deadline, check)
    try:
        need = next(steps)
        while True:
            need = steps.send(wait_for(need, wakeup))
    except StopIteration as done:
        winner: tuple[socket.socket, str] = done.value
        return winner


@contextmanager
def running(race: Race, deadline: float | None = None, is_over: bool = False) -> Iterator[Any]:
    """The race's winner and address, closed at the end."""
    wakeup = lease()
    deadline = monotonic() + PATIENCE if deadline is None else deadline
    try:
        sock, address = run(race, deadline, wakeup, lambda: is_over)
        with sock:
            yield sock, address
    finally:
        wakeup.give_back()


def failure(race: Race, deadline: float | None = None, is_over: bool = False) -> Failed:
    """What it fails with; it leaves no socket open."""
    made: list[socket.socket] = []

    class Noted(socket.socket):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            made.append(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "socket", Noted)
        with pytest.raises(Failed) as caught, running(race, deadline, is_over):
            pass
    assert [sock.fileno() for sock in made] == [-1] * len(made)
    return caught.value
