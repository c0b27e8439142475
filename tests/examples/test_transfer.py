"""A file there and back."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest

from doors.raw_server import frame, raw_server, read_all, read_frame
from examples.loaded import example
from lomond.protocol import frames

transfer: Any = example("transfer")
DATA = bytes(range(256)) * 4000


def test_it_is_sent(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "file"
    path.write_bytes(DATA)
    got: list[tuple[int, bytes]] = []

    def takes(connection: socket.socket) -> None:
        while not got or got[-1][0] != frames.CLOSE:
            got.append(read_frame(connection))
        connection.sendall(frame(frames.CLOSE, code=1000))
        read_all(connection)

    with raw_server(takes) as server:
        transfer.main("send", server.url, str(path))
    assert b"".join(payload for _, payload in got[:-1]) == DATA
    assert f"\r[{'#' * 40}] 1.0 MB" in capsys.readouterr().err


def test_it_is_received(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "file"

    def gives(connection: socket.socket) -> None:
        connection.sendall(frame(frames.BINARY, DATA))
        read_frame(connection)
        connection.sendall(frame(frames.CLOSE, code=1000))
        read_all(connection)

    with raw_server(gives) as server:
        transfer.main("receive", server.url, str(path))
    assert path.read_bytes() == DATA
    assert capsys.readouterr().err.endswith("1.0 MB\n")
