"""The opening handshake, RFC 6455 section 4.1, without a socket."""

from __future__ import annotations

import hashlib
import sys
from importlib.util import module_from_spec, spec_from_file_location

import pytest

from lomond.protocol.http import upgrade as sources
from lomond.protocol.http.request import Request
from lomond.protocol.http.upgrade import Acceptance, Refusal, accept_value
from protocol.http.upgrades import ACCEPT, KEY, REQUEST, answer, upgrade


def refusal(data: bytes, request: Request = REQUEST) -> Refusal:
    outcome = upgrade(request).receive(data)
    assert isinstance(outcome, Refusal)
    return outcome


def test_the_example_of_the_rfc() -> None:
    assert KEY == b"dGhlIHNhbXBsZSBub25jZQ=="
    assert accept_value(KEY) == ACCEPT


def test_a_python_without_a_sha1_of_its_own_has_that_of_hashlib(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "_sha1", None)
    spec = spec_from_file_location("lomond.protocol.http.another", sources.__file__)
    assert spec is not None
    assert spec.loader is not None
    other = module_from_spec(spec)
    spec.loader.exec_module(other)
    assert other.sha1 is hashlib.sha1
    assert other.accept_value(KEY) == ACCEPT


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {b"Connection": b"keep-alive, Upgrade"},
        {b"Connection": b"UPGRADE", b"Upgrade": b"WebSocket"},
        {b"X-Other": b"anything", b"Sec-WebSocket-Protocol": b"chat"},
    ],
)
@pytest.mark.parametrize("step", [1, 10, 10_000])
def test_an_acceptance_whole_or_in_pieces(changes: dict[bytes, bytes | None], step: int) -> None:
    data = answer(changes)
    frame = b"\x81\x01a"
    machine = upgrade()
    for i in range(0, len(data) - 1, step):
        piece = data[i : min(i + step, len(data) - 1)]
        assert machine.receive(piece) is None
    outcome = machine.receive(data[-1:] + frame)
    assert isinstance(outcome, Acceptance)
    assert outcome.rest == frame
    assert list(outcome.extensions) == []
    assert outcome.protocol == ("chat" if b"Sec-WebSocket-Protocol" in changes else None)
    assert outcome.response.raw == data
    assert outcome.response.status_code == 101


def test_line_feeds_alone_are_line_ends() -> None:
    assert isinstance(upgrade().receive(answer().replace(b"\r\n", b"\n")), Acceptance)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({b"Upgrade": b"h2c"}, "Can't upgrade to h2c"),
        ({b"Upgrade": None}, "Can't upgrade to <header missing>"),
        ({b"Connection": b"close"}, "does not say Upgrade, but close"),
        ({b"Connection": None}, "does not say Upgrade, but <header missing>"),
        ({b"Sec-WebSocket-Accept": None}, "No Sec-WebSocket-Accept header"),
        ({b"Sec-WebSocket-Accept": ACCEPT.lower()}, "Sec-WebSocket-Accept challenge failed"),
        ({b"sec-websocket-accept": ACCEPT}, "More than one Sec-WebSocket-Accept header"),
        ({b"Sec-WebSocket-Protocol": b"other"}, "sub-protocol 'other', which was not offered"),
        ({b"Sec-WebSocket-Extensions": b"permessage-deflate"}, "which was not offered"),
    ],
)
def test_an_upgrade_that_is_none(changes: dict[bytes, bytes | None], reason: str) -> None:
    assert reason in refusal(answer(changes)).reason


def test_http_1_0_can_not_upgrade() -> None:
    assert refusal(answer().replace(b"1.1", b"1.0")).reason == "Can't upgrade HTTP/1.0"


def test_a_sub_protocol_offered_by_header_counts() -> None:
    request = REQUEST._replace(protocols=())
    request = request._replace(headers=((b"X", b"z"), (b"Sec-WebSocket-Protocol", b"x, y")))
    outcome = upgrade(request).receive(answer({b"Sec-WebSocket-Protocol": b"y"}))
    assert isinstance(outcome, Acceptance)
    assert outcome.protocol == "y"


def test_what_is_no_ascii_in_an_answer_is_told_in_a_refusal() -> None:
    odd = refusal(answer({b"Upgrade": b"w\xe9b"}))
    assert odd.reason == "Can't upgrade to w\ufffdb"
    odd = refusal(answer({b"Connection": b"\xe9"}))
    assert odd.reason == "Connection header does not say Upgrade, but \ufffd"
    odd = refusal(answer({b"Sec-WebSocket-Protocol": b"ch\xe9t"}))
    assert odd.reason == "Server chose sub-protocol 'ch\ufffdt', which was not offered"


def test_missing_headers_are_told_in_a_refusal() -> None:
    assert refusal(answer({b"Upgrade": None})).reason == "Can't upgrade to <header missing>"
    assert refusal(answer({b"Connection": None})).reason == (
        "Connection header does not say Upgrade, but <header missing>"
    )
