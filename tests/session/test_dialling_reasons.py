"""Why there is no connection, in words."""

from __future__ import annotations

from typing import Any

import pytest

from lomond.options import Timing
from lomond.proxies import Proxy, parse_proxy
from lomond.session.requests import Failed, Race, Resolve, Send, StartTLS
from lomond.testing.alone import PretendDoor
from played import HTTP_PROXY, WITH_PASSWORD, failure_of, pauses, says


@pytest.mark.parametrize("kind", [Resolve, Race])
def test_a_proxy_that_is_not_there(kind: type) -> None:
    door = PretendDoor(says(), proxy=WITH_PASSWORD, failures={kind: OSError("no way")})
    failed = failure_of(door)
    if kind is Resolve:
        assert failed.reason == (
            "unable to resolve host name 'proxy' (of proxy http://***@proxy:3128); no way"
        )
    else:
        assert failed.reason == "unable to connect to proxy http://***@proxy:3128; no way"
    assert failed.address == "proxy:3128"


@pytest.mark.parametrize("proxy", [HTTP_PROXY, parse_proxy("socks5h://proxy:3128")])
def test_a_proxy_that_hangs(proxy: Proxy) -> None:
    door = PretendDoor(says(then=pauses()), Timing(open_timeout=7), proxy=proxy)
    failed = failure_of(door)
    assert (failed.phase, door.now) == ("proxy", 7)
    assert failed.reason.endswith(
        "did not connect us to peer:80; not done within open_timeout (7 s)"
    )


OK = b"HTTP/1.1 200 Connection established\r\n\r\n"


def test_tls_that_fails_behind_a_proxy() -> None:
    broken: dict[type, BaseException] = {StartTLS: OSError(1, "wrong")}
    failed = failure_of(PretendDoor(says(OK), proxy=HTTP_PROXY, secure=True, failures=broken))
    assert failed.reason == "TLS with peer:443 through proxy http://proxy:3128 failed; wrong"


def test_tls_with_a_proxy_that_fails() -> None:
    broken: dict[type, BaseException] = {StartTLS: ConnectionResetError(104, "reset")}
    failed = failure_of(PretendDoor(says(), proxy=parse_proxy("https://proxy"), failures=broken))
    assert failed.reason == (
        "proxy https://proxy:443 did not connect us to peer:80; reset; if the proxy does not speak "
        "TLS there, use http:// for the proxy"
    )


def test_tls_with_the_server_that_fails() -> None:
    broken: dict[type, BaseException] = {StartTLS: ConnectionResetError(104, "reset")}
    failed = failure_of(PretendDoor(says(), secure=True, failures=broken))
    assert failed.reason == (
        "TLS with peer:443 at 192.0.2.1:80 failed; reset; if the server does not speak TLS there, "
        "use ws://"
    )


def test_only_of_tls_a_reset_says_that_there_is_none() -> None:
    broken: dict[type, BaseException] = {Race: ConnectionResetError(104, "reset")}
    failed = failure_of(PretendDoor(says(), failures=broken))
    assert failed.reason == "unable to connect to peer:80; reset"


def test_a_request_that_can_not_be_sent() -> None:
    broken: dict[type, BaseException] = {Send: OSError(1, "no way")}
    failed = failure_of(PretendDoor(says(then=pauses()), failures=broken))
    assert failed.reason == "request failed; no way (upgrade request to peer:80 at 192.0.2.1:80)"


def test_a_server_that_is_not_there() -> None:
    failed = failure_of(PretendDoor(says(), failures={Race: OSError("no way")}))
    assert failed.reason == "unable to connect to peer:80; no way"
    failed = failure_of(PretendDoor(says(), failures={Resolve: OSError("no way")}))
    assert failed.reason == "unable to resolve host name 'peer'; no way"


def test_a_proxys_address_is_told_where_connecting_fails() -> None:
    class Door(PretendDoor):
        def answered(self, request: object, value: Any) -> Any:
            if isinstance(request, Race):
                raise Failed(OSError("no way"), self.now, "192.0.2.9:3128")
            return value

    failed = failure_of(Door(says(), proxy=HTTP_PROXY))
    assert failed.reason == (
        "unable to connect to proxy http://proxy:3128 at 192.0.2.9:3128; no way"
    )
    assert failed.address == "192.0.2.9:3128"
