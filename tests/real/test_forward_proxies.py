"""Messages through forward proxies that others wrote, and what they say when it can't be.

Proxies that misbehave are in tests/doors/.
"""

import logging
import ssl
from typing import Any

import pytest

from discretion import assert_discreet
from lomond.events import Binary, ConnectFail, Text
from real.certificates import Certificates
from real.conversations import failure_of
from real.endpoints import Endpoint
from real.forward_proxies import HTTP_PROXIES, SOCKS_PROXIES, STUNNEL, USER
from real.launches import ServerUnavailableError, free_port
from real.payloads import assert_same, bytes_of, text_of
from real.server_processes import ServerPool
from real.ways import Way, on_ways

SIZES = [1, 125, 126, 64 * 1024 + 1, 1024 * 1024]
WRONG_PASSWORD = "wr@ng"
WRONG_CREDENTIALS = "user:wr%40ng@"
SOCKS_5 = [proxy for proxy in SOCKS_PROXIES if proxy.scheme.startswith("socks5")]
SOCKS_4 = [proxy for proxy in SOCKS_PROXIES if proxy not in SOCKS_5]

with_bad_credentials = pytest.mark.parametrize(
    "credentials", ["", WRONG_CREDENTIALS], ids=["none", "wrong"]
)


@pytest.mark.parametrize("size", SIZES)
@on_ways()
def test_messages_come_back(way: Way, size: int) -> None:
    text, data = text_of(size), bytes_of(size)
    with way.endpoint.conversation(**way.options()) as conversation:
        conversation.websocket.send_text(text)
        assert_same(conversation.expect(Text).text, text)
        conversation.websocket.send_binary(data)
        assert_same(conversation.expect(Binary).data, data)
        conversation.close()


@on_ways()
def test_server_closes(way: Way) -> None:
    with way.endpoint.conversation(**way.options()) as conversation:
        conversation.websocket.send_text("close:1001:bye")
        closing = conversation.expect_close()
        assert (closing.code, closing.reason) == (1001, "bye")


@on_ways()
def test_proxy_is_named_and_its_credentials_are_not(
    way: Way, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    records: list[dict[str, Any]] = []
    for trace in (records.append, True):
        with way.endpoint.conversation(**way.options(), trace=trace) as conversation:
            assert conversation.connected.proxy == way.shown
            conversation.close()
            websocket = conversation.websocket
            assert_discreet([*conversation.trace, websocket], USER, way.proxy.password)
    assert records
    assert_discreet([records, caplog.text], USER, way.proxy.password)


@with_bad_credentials
@on_ways(proxy for proxy in HTTP_PROXIES if proxy.password)
def test_http_proxy_refuses_credentials(
    way: Way, credentials: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    failure = failure_of(way.websocket(credentials, trace=True))
    assert failure.phase == "proxy"
    # tinyproxy means 407, but answers wrong credentials with 401.
    assert failure.response.status_code in (401, 407)
    assert failure.response.body
    assert str(failure.response.status_code) in failure.reason
    assert way.proxy_address in failure.reason
    assert "credentials" in failure.reason
    assert_discreet([failure, caplog.text], USER, WRONG_PASSWORD)


@with_bad_credentials
@on_ways(proxy for proxy in SOCKS_PROXIES if proxy.password)
def test_socks_proxy_refuses_credentials(
    way: Way, credentials: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    failure = failure_of(way.websocket(credentials, trace=True))
    assert failure.phase == "proxy"
    assert way.proxy_address in failure.reason
    assert ("authentication failed" if credentials else "credentials") in failure.reason
    assert_discreet([failure, caplog.text], USER, WRONG_PASSWORD)


def failure_without_target(way: Way) -> ConnectFail:
    """What comes of it when nobody listens at the target."""
    url = f"ws://{way.proxy.host}:{free_port()}/"
    failure = failure_of(Endpoint(url, way.endpoint.authority).websocket(**way.options()))
    assert failure.phase == "proxy"
    assert way.proxy_address in failure.reason
    return failure


@on_ways(HTTP_PROXIES, ["ws"])
def test_http_proxy_finds_no_target(way: Way) -> None:
    failure = failure_without_target(way)
    assert failure.response.status_code in range(500, 600)
    assert failure.response.body
    assert str(failure.response.status_code) in failure.reason


@on_ways(SOCKS_5, ["ws"])
def test_socks_5_proxy_finds_no_target(way: Way) -> None:
    assert "connection refused" in failure_without_target(way).reason.lower()


@on_ways(SOCKS_4, ["ws"])
def test_socks_4_proxy_finds_no_target(way: Way) -> None:
    """The protocol has one word for all failures."""
    assert "rejected" in failure_without_target(way).reason.lower()


@on_ways((proxy for proxy in HTTP_PROXIES if proxy.scheme == "https"), ["ws"])
def test_proxy_of_an_unknown_authority(way: Way) -> None:
    failure = failure_of(way.websocket(ssl_cafile=None))
    assert isinstance(failure.cause, ssl.SSLCertVerificationError)
    assert way.proxy_address in failure.reason


def test_proxy_with_a_certificate_for_another_host(
    server_pool: ServerPool, certificates: Certificates
) -> None:
    try:
        port = server_pool.port_of(STUNNEL, certificates.for_elsewhere)
    except ServerUnavailableError as reason:
        pytest.skip(str(reason))
    url = f"https://127.0.0.1:{port}"
    endpoint = Endpoint("wss://127.0.0.1:1/", certificates.authority)
    failure = failure_of(endpoint.websocket(proxies={"http": url, "https": url}))
    assert isinstance(failure.cause, ssl.SSLCertVerificationError)
    assert f"127.0.0.1:{port}" in failure.reason
