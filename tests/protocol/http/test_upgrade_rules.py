"""What a 101 must say and must not, RFC 6455 section 4.1; all else refuses."""

from __future__ import annotations

import pytest

from lomond.protocol.http.upgrade import Acceptance, Refusal
from protocol.http.upgrades import ACCEPT, HEAD, is_accepted, receive


@pytest.mark.parametrize("step", [1, 1 << 20])
@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (b"Sec-WebSocket-Accept: " + ACCEPT + b"\r\n", "More than one Sec-WebSocket-Accept"),
        (b"Upgrade: h2c\r\n", "Can't upgrade to websocket, h2c"),
        (b"Upgrade:\r\n", "Can't upgrade to websocket,"),
        (b"Sec-WebSocket-Protocol: CHAT\r\n", "'CHAT', which was not offered"),
        (b"Sec-WebSocket-Protocol: \r\n", "'', which was not offered"),
        (b"Sec-WebSocket-Protocol: chat\r\n" * 2, "'chat, chat', which was not offered"),
        (b"Sec-WebSocket-Extensions: x-y; a=b\r\n", "'x-y', which was not offered"),
    ],
)
def test_what_must_not_be_in_an_answer(lines: bytes, reason: str, step: int) -> None:
    outcome = receive(HEAD + lines + b"\r\n", step)
    assert isinstance(outcome, Refusal)
    assert reason in outcome.reason


@pytest.mark.parametrize(
    "connection",
    [b"upgrade", b"UPGRADE", b"keep-alive,Upgrade", b"Upgrade ,close", b"x\r\nConnection: upgrade"],
)
def test_connection_is_a_list(connection: bytes) -> None:
    head = HEAD.replace(b"Connection: Upgrade", b"Connection: " + connection)
    assert is_accepted(head + b"\r\n")


@pytest.mark.parametrize("connection", [b"not-upgrade", b"upgrade2", b"up grade", b""])
def test_connection_must_hold_the_token(connection: bytes) -> None:
    head = HEAD.replace(b"Connection: Upgrade", b"Connection: " + connection)
    outcome = receive(head + b"\r\n")
    assert isinstance(outcome, Refusal)
    assert "does not say Upgrade" in outcome.reason


@pytest.mark.parametrize("status", [b"200", b"204", b"301", b"304", b"401", b"500", b"999"])
def test_every_other_status_refuses(status: bytes) -> None:
    head = b"HTTP/1.1 " + status + b" Word\r\nLocation: ws://other/\r\n\r\n"
    outcome = receive(head)
    assert isinstance(outcome, Refusal)
    assert outcome.reason == f"Websocket upgrade failed (code={status.decode()})"
    assert (outcome.response.status_code, outcome.response.raw) == (int(status), head)


@pytest.mark.parametrize("step", [1, 1 << 20])
@pytest.mark.parametrize("more", [b"Upgrade: WebSocket\r\n", b"Upgrade: websocket, websocket\r\n"])
def test_the_same_upgrade_again_is_one(more: bytes, step: int) -> None:
    assert isinstance(receive(HEAD + more + b"\r\n", step), Acceptance)
