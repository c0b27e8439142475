"""What can't get into a request, RFC 6455 section 4.1."""

from __future__ import annotations

from typing import Any

import pytest

from lomond import url
from lomond.options import Limits
from lomond.protocol.http.request import Request, check_protocols
from lomond.protocol.http.upgrade import Upgrade

REQUEST = Request("/", "h:80", "Lomond/test", (), ("chat",))


@pytest.mark.parametrize("resource", ["/a\r\nX: y", "/a b", "/\0", "/\n", "", "/é", "/\x7f"])
def test_a_request_target_can_not_inject(resource: str) -> None:
    with pytest.raises(ValueError, match="request target"):
        Upgrade(REQUEST._replace(resource=resource), bytes, Limits()).request_bytes()


@pytest.mark.parametrize("protocols", [5, 0, "chat", "", b"chat", [5]])
def test_sub_protocols_are_a_list_of_str(protocols: Any) -> None:
    with pytest.raises(TypeError, match="protocols must be"):
        check_protocols(protocols)


def test_a_host_and_a_protocol_can_not_inject() -> None:
    for request, name in (
        (REQUEST._replace(host="h\r\nX: y"), "Host"),
        (REQUEST._replace(protocols=("a\r\nX: y",)), "Sec-WebSocket-Protocol"),
    ):
        with pytest.raises(ValueError, match=name):
            Upgrade(request, bytes, Limits()).request_bytes()


@pytest.mark.parametrize(
    ("address", "line"),
    [
        ("ws://[2001:DB8::1]/", b"Host: [2001:db8::1]:80"),
        ("wss://[fe80::1%25eth0]:8443/", b"Host: [fe80::1]:8443"),
        ("ws://EXAMPLE.org/", b"Host: example.org:80"),
        ("https://h/", b"Host: h:443"),
    ],
)
def test_the_host_line(address: str, line: bytes) -> None:
    request = REQUEST._replace(host=url.parse(address).authority)
    sent = Upgrade(request, bytes, Limits()).request_bytes()
    assert sent.split(b"\r\n")[1] == line
