"""What TLS agreed on above it, before anything is asked (RFC 7301)."""

from __future__ import annotations

import pytest

from lomond.testing.alone import PretendDoor
from scripted import accepts


@pytest.mark.parametrize("agreed", [None, "http/1.1", "a name of the user's"])
def test_the_request_goes_out_where_http_1_may_be_spoken(agreed: str | None) -> None:
    door = PretendDoor(accepts, secure=True, alpn=agreed)
    names = []
    for event in door.events():
        names.append(event.name)
        if event.name == "ready":
            door.close()
    assert names[-2:] == ["closed", "disconnected"]
    assert door.sent.startswith(b"GET / HTTP/1.1\r\n")


@pytest.mark.parametrize("agreed", ["h2", "h3"])
def test_nothing_is_asked_where_another_http_was_agreed_on(agreed: str) -> None:
    door = PretendDoor(accepts, secure=True, alpn=agreed)
    seen = [event for _, event in door.play()]
    assert [event.name for event in seen] == ["connecting", "connect_fail"]
    assert seen[1].phase == "tls"
    assert f"failed; it agreed on '{agreed}' (ALPN)" in seen[1].reason
    assert 'set_alpn_protocols(["http/1.1"])' in seen[1].reason
    assert door.sent == b""
