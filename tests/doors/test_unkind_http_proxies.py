"""HTTP proxies that refuse, babble, or say more than they should (RFC 9110 section 9.3.6)."""

from __future__ import annotations

import hashlib
import socket
from base64 import b64encode
from urllib.request import parse_http_list, parse_keqv_list

import pytest

from discretion import assert_discreet
from doors.raw_server import raw_server, read_request
from doors.unkind_proxies import (
    ECHOED,
    ESTABLISHED,
    address_of,
    answering,
    asking,
    failure_through,
    hang,
    names_through,
    slowly,
    through,
    tunnel,
)
from fair_clock import FairClock
from lomond.events import ConnectFail, Rejected
from patience import FAR

REFUSED = b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=x\r\n"
AUTHORIZATION = b"Basic " + b64encode(b"user:p@ss")
CREDENTIALS = "user:p%40ss@"
NONCE = "bm9uY2U="
GARBAGE = {
    "binary": b"\x00\xff\x17garbage\r\n\r\n",
    "no_status": b"HTTP/1.1\r\n\r\n",
    "mail": b"220 mail.example ESMTP\r\n\r\n",
    "socks": b"\x05\xff\r\n\r\n",
    "no_colon": b"HTTP/1.1 200 OK\r\nno colon here\r\n\r\n",
}


def answers_digest(request: bytes) -> bool:
    """Whether the request answers the challenge rightly (RFC 7616 section 3.4.1)."""
    _, found, rest = request.decode().partition("Proxy-Authorization: Digest ")
    if not found:
        return False
    given = parse_keqv_list(parse_http_list(rest.partition("\r\n")[0]))
    assert given["uri"] == "target.example:80"
    secret = md5(f"user:{given['realm']}:p@ss")
    asked = md5(f"CONNECT:{given['uri']}")
    numbers = f"{given['nonce']}:{given['nc']}:{given['cnonce']}:{given['qop']}"
    assert (given["nonce"], given["nc"], given["qop"]) == (NONCE, "00000001", "auth")
    return given["response"] == md5(f"{secret}:{numbers}:{asked}")


def md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()


def test_the_request_names_the_target_and_has_the_credentials() -> None:
    requests = []

    def handler(connection: socket.socket) -> None:
        requests.append(read_request(connection))
        if b"Proxy-Authorization" not in requests[-1]:
            connection.sendall(REFUSED + b"Content-Length: 0\r\n\r\n")
            requests.append(read_request(connection))
        connection.sendall(ESTABLISHED)
        tunnel(connection)

    with raw_server(handler, upgrades=False) as proxy:
        assert names_through(proxy, credentials=CREDENTIALS) == ECHOED
    line, *headers = requests[-1].split(b"\r\n")
    assert line == b"CONNECT target.example:80 HTTP/1.1"
    assert b"Host: target.example:80" in headers
    assert b"Proxy-Authorization: " + AUTHORIZATION in headers


@pytest.mark.parametrize("garbage", GARBAGE.values(), ids=GARBAGE)
def test_garbage(garbage: bytes) -> None:
    with raw_server(answering(garbage, hang), upgrades=False) as proxy:
        assert failure_through(proxy, open_timeout=5.0).cause is not None


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 OK\r\nVia"], ids=["nothing", "half"])
def test_an_answer_that_ends_early(answer: bytes) -> None:
    with raw_server(answering(answer), upgrades=False) as proxy:
        failure_through(proxy)


def babble(connection: socket.socket) -> None:
    """Send header lines until the client has gone."""
    while True:
        connection.sendall(b"X-Filler: " + b"x" * 1000 + b"\r\n")


def test_a_head_without_end() -> None:
    talks = answering(b"HTTP/1.1 200 OK\r\n", babble)
    with raw_server(talks, upgrades=False) as proxy, FairClock() as clock:
        failure = failure_through(proxy, open_timeout=FAR)
    assert clock.now() < 5
    assert "head" in failure.reason


@pytest.mark.parametrize("status", [b"403 Forbidden", b"407 Authentication", b"502 Bad Gateway"])
@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (b"Content-Length: 5\r\n", b"sorry"),
        (b"Connection: close\r\n", b"sorry"),
        (b"Transfer-Encoding: chunked\r\n", b"2\r\nso\r\n3\r\nrry\r\n0\r\n\r\n"),
    ],
    ids=["length", "close", "chunked"],
)
def test_a_refusal_with_a_body(status: bytes, headers: bytes, body: bytes) -> None:
    answer = b"HTTP/1.1 " + status + b"\r\n" + headers + b"\r\n" + body
    with raw_server(answering(answer), upgrades=False) as proxy:
        failure = failure_through(proxy)
    code = status.decode()[:3]
    assert failure.response.status_code == int(code)
    assert failure.response.body == b"sorry"
    assert code in failure.reason
    assert ("credentials" in failure.reason) == (code == "407")


def test_a_refusal_whose_body_stops() -> None:
    answer = REFUSED + b"Content-Length: 100\r\n\r\nsorry"
    with raw_server(answering(answer, hang), upgrades=False) as proxy:
        failure = failure_through(proxy, open_timeout=0.5)
    assert failure.response.status_code == 407
    assert failure.response.body == b"sorry"


def test_a_refusal_whose_body_has_no_end() -> None:
    with raw_server(answering(REFUSED + b"\r\n", babble), upgrades=False) as proxy:
        failure = failure_through(proxy)
    assert failure.response.status_code == 407
    assert 0 < len(failure.response.body) <= 64 * 1024


@pytest.mark.parametrize("closes", [True, False], ids=["closes", "keeps"])
def test_basic_credentials_when_asked(closes: bool) -> None:
    handler = asking(b"Basic realm=x", lambda request: AUTHORIZATION in request, closes)
    with raw_server(handler, upgrades=False) as proxy:
        assert names_through(proxy, credentials=CREDENTIALS) == ECHOED


@pytest.mark.parametrize("closes", [True, False], ids=["closes", "keeps"])
def test_digest_credentials_when_asked(closes: bool) -> None:
    challenge = f'Digest realm="suite", nonce="{NONCE}", qop="auth", algorithm=MD5'
    with raw_server(asking(challenge.encode(), answers_digest, closes), upgrades=False) as proxy:
        assert names_through(proxy, credentials=CREDENTIALS) == ECHOED


@pytest.mark.parametrize("closes", [True, False], ids=["closes", "keeps"])
@pytest.mark.parametrize(
    "challenge", [b"Basic realm=x", b'Digest realm="x", nonce="n", qop="auth"', b"Negotiate"]
)
def test_credentials_are_not_tried_without_end(challenge: bytes, closes: bool) -> None:
    attempts = []

    def refuse(request: bytes) -> bool:
        attempts.append(request)
        return False

    with raw_server(asking(challenge, refuse, closes), upgrades=False) as proxy:
        failure = failure_through(proxy, credentials=CREDENTIALS)
    assert failure.response.status_code == 407
    assert failure.response.body == b"who?"
    assert len(attempts) <= 2
    assert_discreet([failure], "user", "p@ss")


def test_an_answer_byte_by_byte() -> None:
    def handler(connection: socket.socket) -> None:
        read_request(connection)
        slowly(connection, ESTABLISHED)
        tunnel(connection)

    with raw_server(handler, upgrades=False) as proxy:
        assert names_through(proxy, credentials=CREDENTIALS) == ECHOED


HEADERS = [b"", b"Content-Length: 4\r\n", b"Transfer-Encoding: chunked\r\n"]


@pytest.mark.parametrize("headers", HEADERS, ids=["none", "length", "chunked"])
def test_there_is_no_body_behind_200(headers: bytes) -> None:
    """Section 9.3.6: a client MUST ignore these two in an answer that opens a tunnel."""
    answer = b"HTTP/1.1 200 OK\r\n" + headers + b"\r\n"
    with raw_server(answering(answer, tunnel), upgrades=False) as proxy:
        assert names_through(proxy, credentials=CREDENTIALS) == ECHOED


@pytest.mark.parametrize("headers", HEADERS, ids=["none", "length", "chunked"])
def test_what_comes_behind_200_is_the_target_s(headers: bytes) -> None:
    busy = b"HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy"
    answer = b"HTTP/1.1 200 OK\r\n" + headers + b"\r\n" + busy
    with raw_server(answering(answer, hang), upgrades=False) as proxy:
        events = list(through(proxy))
        rejected = next(event for event in events if isinstance(event, Rejected))
        assert rejected.response.status_code == 503
        assert rejected.response.body == b"busy"


def test_what_comes_behind_200_is_for_tls_first() -> None:
    answer = ESTABLISHED + b"no TLS at all, and more than a record's head"
    with raw_server(answering(answer, hang), upgrades=False) as proxy:
        _, failure = through(proxy, url="wss://target.example/", open_timeout=FAR)
        assert isinstance(failure, ConnectFail)
        assert failure.phase == "tls"
        assert "target.example:443" in failure.reason
        assert failure.address in (address_of(proxy), "target.example:443")
