"""Races to Unix sockets: by path, abstract, absent, and too busy."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

import pytest

from doors.races import DELAY, failure, on_linux, run, running, unix
from lomond.io.waiting import lease
from lomond.session.requests import Failed, TimedOut
from lomond.system import connecting
from lomond.system.connecting import Race, SocketSettings, address_of
from patience import PATIENCE

needs_unix = pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="no Unix sockets here")


@needs_unix
def test_paths_for_people() -> None:
    assert address_of(unix("/run/x")) == "/run/x"
    assert address_of(unix("\0x")) == "@x"
    assert address_of((socket.AF_UNIX, socket.SOCK_STREAM, 0, "", b"\0x")) == "@x"


@contextmanager
def unix_listener(path: Path | str, backlog: int = 8) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen(backlog)
        listener.settimeout(PATIENCE)
        yield listener


@needs_unix
def test_a_unix_socket(tmp_path: Path) -> None:
    path = tmp_path / "server"
    with unix_listener(path) as listener:
        race = Race([unix(path)], DELAY, SocketSettings(keepalive=5))
        with running(race) as (sock, address):
            assert address == str(path)
            connection, _ = listener.accept()
            with connection:
                sock.send(b"hello")
                assert connection.recv(5) == b"hello"
    assert [attempt.error for attempt in race.attempts] == [None]


@on_linux
def test_an_abstract_unix_socket() -> None:
    name = f"lomond-{os.getpid()}"
    with unix_listener(f"\0{name}"), running(Race([unix(f"\0{name}")], DELAY)) as (_, address):
        assert address == f"@{name}"


@needs_unix
def test_a_unix_socket_that_is_not_there(tmp_path: Path) -> None:
    failed = failure(Race([unix(tmp_path / "nope")], DELAY))
    assert isinstance(failed.cause, FileNotFoundError)
    assert failed.said == "No such file or directory"
    assert failed.address == str(tmp_path / "nope")


@needs_unix
def test_a_unix_socket_that_nobody_listens_to(tmp_path: Path) -> None:
    with unix_listener(tmp_path / "dead"):
        pass
    assert failure(Race([unix(tmp_path / "dead")], DELAY)).said == "Connection refused"


@needs_unix
def test_a_unix_socket_has_no_source_address(tmp_path: Path) -> None:
    race = Race([unix(tmp_path / "x")], DELAY, SocketSettings(("127.0.0.1", 0)))
    assert "source_address '127.0.0.1' can't reach" in str(failure(race).cause)


@contextmanager
def full_unix_listener(path: Path) -> Iterator[socket.socket]:
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(unix_listener(path, 0))
        for _ in range(16):
            sock = stack.enter_context(socket.socket(socket.AF_UNIX))
            sock.setblocking(False)
            try:
                sock.connect(str(path))
            except BlockingIOError:
                break
        yield listener


@on_linux
def test_a_unix_socket_whose_queue_is_full_is_tried_again(tmp_path: Path) -> None:
    path = tmp_path / "busy"
    accepted: list[socket.socket] = []
    with full_unix_listener(path) as listener:
        timer = threading.Timer(0.1, lambda: accepted.append(listener.accept()[0]))
        timer.start()
        race = Race([unix(path)], DELAY)
        with running(race) as (sock, _):
            assert sock.getpeername() == str(path)
            timer.join()
            accepted[0].close()
    (attempt,) = race.attempts
    assert attempt.error is None
    assert attempt.seconds < PATIENCE


@on_linux
def test_a_unix_socket_whose_queue_stays_full_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connecting, "BUSY_PATIENCE", 0.1)
    with full_unix_listener(tmp_path / "busy"):
        addresses = [unix(tmp_path / "busy")]
        race = Race(addresses, DELAY)
        with pytest.raises(Failed, match="its queue is full"):
            run(race, None, lease(), lambda: False)
        assert isinstance(failure(Race(addresses, DELAY), monotonic() + 0.05), TimedOut)
