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
        assert transfer.main("send", server.url, str(path)) == 0
    assert b"".join(payload for _, payload in got[:-1]) == DATA
    assert f"\r[{'#' * 40}] 1.0 MB\nthis program closed" in capsys.readouterr().err


def test_it_is_received(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "file"

    def gives(connection: socket.socket) -> None:
        connection.sendall(frame(frames.BINARY, DATA))
        read_frame(connection)
        connection.sendall(frame(frames.CLOSE, code=1000))
        read_all(connection)

    with raw_server(gives) as server:
        assert transfer.main("receive", server.url, str(path)) == 0
    assert path.read_bytes() == DATA
    assert "1.0 MB\nthis program closed" in capsys.readouterr().err


def test_a_server_that_leaves_meanwhile(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "file"
    path.write_bytes(DATA * 20)

    def leaves(connection: socket.socket) -> None:
        connection.recv(1000)

    with raw_server(leaves) as server:
        assert transfer.main("send", server.url, str(path)) == 1
    assert "\nthe connection was lost" in capsys.readouterr().err


@pytest.mark.parametrize("what", ["send", "receive"])
def test_nobody_there(what: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "file"
    path.write_bytes(DATA)
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"ws://127.0.0.1:{unused.getsockname()[1]}/"
        assert transfer.main(what, url, str(path)) == 1
    assert "Connection refused" in capsys.readouterr().err
