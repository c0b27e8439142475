"""A process that has no file descriptor left: the opening fails and says so, in every door."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import pytest
import trustme

from doors.every_door import OnAsyncio
from doors.out_of_descriptors import MOST
from doors.raw_server import RawServer, frame, raw_server, read_all, read_frame, until
from localhost import need_localhost
from lomond.protocol import frames
from lomond.session.causes import words
from lomond.system.resolving import Resolution

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no such limit")

PROGRAM = Path(__file__).parent / "out_of_descriptors.py"
PATIENCE = 100  # seconds


def closes(connection: socket.socket) -> None:
    connection.sendall(frame(frames.CLOSE, code=1000))
    read_all(connection)


@contextmanager
def serving(secure: bool, folder: Path) -> Iterator[tuple[RawServer, list[str]]]:
    """A server by its name or its address, and how to reach it."""
    authority, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    with raw_server(closes, context=context if secure else None) as server:
        named = server.url.replace("127.0.0.1", "localhost")
        yield server, [named, str(folder / "ca.pem")] if secure else [server.url, "-"]


@pytest.mark.parametrize("secure", [False, True])
@pytest.mark.parametrize("state", ["warm", "cold"])
@pytest.mark.parametrize("door", ["sync", "group", "asyncio"])
def test_each_number_of_free_descriptors(
    door: str, state: str, secure: bool, tmp_path: Path
) -> None:
    """Warm: after another connection; cold: with all to be loaded that only a connection needs."""
    if secure:
        need_localhost()
    with serving(secure, tmp_path) as (_, where):
        command = [sys.executable, str(PROGRAM), door, state, *where]
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    lines: list[Any] = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line[0] for line in lines] == list(range(MOST + 1)), done.stderr
    for free, leaked, names, reason, cause in lines:
        assert leaked == 0, free
        assert names[-1] in ("connect_fail", "disconnected"), (free, names, reason)
        if names[-1] == "connect_fail":
            assert "Too many open files" in reason, (free, reason)
            assert "see 'ulimit -n'" in reason
        elif "ready" not in names:
            assert "Too many open files" in cause, (free, reason)
    assert lines[0][2] == ["connecting", "connect_fail"]
    assert "ready" in lines[-1][2]


def test_what_a_lookup_hides(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*arguments: Any, **options: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    def opens_nothing(number: int) -> NoReturn:
        raise OSError(number, os.strerror(number))

    def found(number: int | None) -> str:
        done = threading.Event()
        resolution = Resolution("server.example", 80, done.set)
        with monkeypatch.context() as patch:
            if number is not None:
                patch.setattr(os, "open", lambda *arguments: opens_nothing(number))
            assert resolution.start()
            assert done.wait(PATIENCE)
        assert resolution.error is not None
        return words(resolution.error)

    monkeypatch.setattr(socket, "getaddrinfo", fails)
    assert found(None) == "Name or service not known"
    said = found(errno.EMFILE)
    assert said.startswith("Too many open files: this process has no file descriptor left of the ")
    assert said.endswith(", see 'ulimit -n' ([Errno -2] Name or service not known)")
    assert "the whole system has no file descriptor left" in found(errno.ENFILE)


def test_whatever_a_lookup_raises_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*arguments: Any, **options: Any) -> Any:
        if options.get("flags"):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        raise LookupError("unknown encoding: idna")

    done = threading.Event()
    resolution = Resolution("server.example", 80, done.set)
    monkeypatch.setattr(socket, "getaddrinfo", fails)
    assert resolution.start()
    assert done.wait(PATIENCE)
    assert isinstance(resolution.error, LookupError)


def test_a_send_that_waits_on_asyncio_needs_no_other_descriptor(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    size = 8 * 1024 * 1024
    lengths: list[int] = []
    add_writer: Any = asyncio.SelectorEventLoop.add_writer

    def serve(connection: socket.socket) -> None:
        asked.wait(10.0)  # a server that reads at once may leave nothing to wait for
        lengths.append(len(read_frame(connection)[1]))
        closes(connection)

    def watched(*arguments: Any) -> None:
        add_writer(*arguments)
        asked.set()

    def dup(sock: socket.socket) -> socket.socket:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    asked = threading.Event()
    with raw_server(serve, read_buffer=4096) as server:
        websocket = OnAsyncio(server.url)
        stream: Any = websocket.connect(poll=None, ping_rate=0)
        until(stream, "ready")
        monkeypatch.setattr(socket.socket, "dup", dup)
        monkeypatch.setattr(asyncio.SelectorEventLoop, "add_writer", watched)
        websocket.send_binary(bytes(size))
        assert [event.name for event in stream] == ["closing", "disconnected"]
    assert asked.is_set()
    assert lengths == [size]
