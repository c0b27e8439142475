"""What a server or a proxy says in an answer that is refused: short, and safe for a terminal."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from doors.raw_server import accept_upgrade, raw_server, read_request
from lomond import WebSocket
from lomond.response import LONGEST

pytestmark = pytest.mark.every_door

ESCAPES = b"\x1b[31mred\x1b]0;title\x07\x9b2J"
LONG = b"x" * 16_000
MOST = 2 * LONGEST  # characters, with what we say around it
NO = b"HTTP/1.1 400 "


def refused(answer: bytes, **options: Any) -> list[Any]:
    """All events, where the head of the answer has these lines besides, or is this."""

    def serve(connection: socket.socket) -> None:
        request = read_request(connection)
        if answer.startswith(b"HTTP/"):
            connection.sendall(answer)
        else:
            accept_upgrade(connection, request, answer)

    with raw_server(serve, upgrades=False) as server:
        return list(WebSocket(server.url, **options))


@pytest.mark.parametrize(
    "lines",
    [
        b"Upgrade: " + ESCAPES + b"\r\n",
        b"Upgrade: " + LONG + b"\r\n",
        (b"Upgrade: " + LONG + b"\r\n") * 3,
        b"Sec-WebSocket-Protocol: " + LONG + b"\r\n",
        b"Sec-WebSocket-Protocol: \xe2\x80\xae\xff" + ESCAPES + b"\r\n",
        b"Sec-WebSocket-Extensions: " + LONG + b"\r\n",
        (b'Sec-WebSocket-Extensions: "' + LONG + b"\r\n") * 3,
        b"Sec-WebSocket-Extensions: \x9b" + LONG + b"\r\n",
    ],
)
def test_of_an_upgrade_that_is_none(lines: bytes) -> None:
    *_, rejected, last = refused(lines)
    assert rejected.name == "rejected"
    for said in (rejected.reason, last.reason, repr(rejected), repr(last)):
        assert said.isprintable()
        assert len(said) <= MOST


@pytest.mark.parametrize(
    "answer",
    [
        NO + LONG + b"\r\n\r\n",
        NO + b"\xff\xfe\r\nA\x1b[31mB: c\r\n\r\n",
        b"HTTP/1.1 " + LONG + b"\r\n\r\n",
        b"HTTP/1.1 302 x\r\nLocation: ws://" + LONG + b"/\r\n\r\n",
        b"HTTP/1.1 302 x\r\nLocation: ws://h/\x0b" + ESCAPES + b"\r\n\r\n",
        b"HTTP/1.1 302 x\r\nLocation: " + LONG + b"://h/\r\n\r\n",
        b"HTTP/1.1 302 x\r\nLocation: ws://[" + LONG + b"]/\r\n\r\n",
        b"HTTP/1.1 302 x\r\nLocation: ws://h:" + LONG + b"/\r\n\r\n",
    ],
)
def test_of_an_answer_that_leads_nowhere(answer: bytes) -> None:
    for event in refused(answer, max_redirects=3):
        for said in (getattr(event, "reason", ""), getattr(event, "error", ""), repr(event)):
            assert said.isprintable()
            assert len(said) <= 4 * LONGEST


def test_of_a_proxy() -> None:
    def serve(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(NO + LONG + b"\r\n\r\n")

    with raw_server(serve, upgrades=False) as server:
        proxies = {"all": f"http://127.0.0.1:{server.port}"}
        *_, failed = WebSocket("ws://server.example/", proxies=proxies)
    for said in (failed.reason, repr(failed), repr(failed.response), str(failed.cause)):
        assert said.isprintable()
        assert len(said) <= MOST
