"""Through a proxy to the server, in pretend time."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import pytest

from lomond.errors import ProxyError
from lomond.options import Limits, Timing
from lomond.protocol import frames
from lomond.protocol.http.tunnel import HttpTunnel
from lomond.proxies import Proxy, parse_proxy
from lomond.session.requests import Race, StartTLS
from lomond.testing.alone import PretendDoor
from lomond.testing.peer import End, Pause, Peer, Say, Talk, say
from played import (
    HTTP_PROXY,
    WITH_PASSWORD,
    closes_when_ready,
    failure_of,
    heard,
    names,
    pauses,
    says,
)

OK = b"HTTP/1.1 200 Connection established\r\n\r\n"


DIGEST = (
    b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n"
    b'Proxy-Authenticate: Digest realm="r", nonce="n", qop="auth", algorithm=SHA-256\r\n\r\n'
)


def connects(answer: bytes = OK, glued: bytes = b"") -> Callable[[Peer], Talk]:
    """A proxy that connects us to a server that echoes a close."""

    def talk(peer: Peer) -> Talk:
        yield from peer.read_request()
        requests.append(peer.request)
        yield Say(answer + glued)
        yield from peer.upgrade()
        requests.append(peer.request)
        frame = yield from peer.hear_until(frames.CLOSE)
        assert frame is not None
        yield say(frames.CLOSE, frame.payload)

    requests.clear()
    return talk


requests: list[bytes] = []


@pytest.mark.parametrize("secure", [False, True])
@pytest.mark.parametrize("answer", [OK, b"HTTP/1.0 299 ok\r\nContent-Length: 5\r\n\r\n"])
def test_connect(secure: bool, answer: bytes) -> None:
    door = PretendDoor(connects(answer), proxy=HTTP_PROXY, secure=secure, delays={Race: 2.0})
    seen = door.play(closes_when_ready)
    assert names(seen)[:3] == ["connecting", "connected", "ready"]
    assert seen[-1][1].graceful
    assert seen[1][1].proxy == "http://proxy:3128"
    assert not seen[1][1].url.startswith("http")
    host = b"peer:443" if secure else b"peer:80"
    lines = requests[0].split(b"\r\n")
    assert lines == [
        b"CONNECT " + host + b" HTTP/1.1", b"Host: " + host, b"User-Agent: Lomond/test",
    ]  # fmt: skip
    assert requests[1].startswith(b"GET / HTTP/1.1")
    timings = seen[2][1].timings
    assert (timings.resolve, timings.attempts[0].seconds) == (0, 2.0)
    assert 0 < timings.proxy < 0.1
    assert (timings.tls is not None) == secure


def test_credentials_go_to_the_proxy_only() -> None:
    door = PretendDoor(connects(), proxy=WITH_PASSWORD)
    seen = door.play(closes_when_ready)
    assert seen[1][1].proxy == "http://***@proxy:3128"
    assert b"\r\nProxy-Authorization: Basic bWU6cEBzcw==" in requests[0]
    assert b"uthorization" not in requests[1]


def test_what_comes_behind_the_answer_is_the_servers() -> None:
    door = PretendDoor(connects(glued=b"HTTP/1.1 100 Continue\r\n\r\n"), proxy=HTTP_PROXY)
    assert names(door.play(closes_when_ready))[:3] == ["connecting", "connected", "ready"]


def test_an_https_proxy() -> None:
    door = PretendDoor(connects(), proxy=parse_proxy("https://proxy"), secure=True)
    assert "ready" in names(door.play(closes_when_ready))
    tls = [request for request in door.asked if isinstance(request, StartTLS)]
    assert [(request.server_name, request.of_proxy) for request in tls] == [
        ("proxy", True),
        ("peer", False),
    ]
    failed = failure_of(
        PretendDoor(
            connects(), proxy=parse_proxy("https://proxy"), failures={StartTLS: OSError("no TLS")}
        )
    )
    assert failed.phase == "proxy"
    assert failed.reason == "proxy https://proxy:443 did not connect us to peer:80; no TLS"


@pytest.mark.parametrize(
    ("answer", "proxy", "said"),
    [
        (
            b"HTTP/1.1 407 Auth\r\nContent-Length: 2\r\n\r\nno",
            HTTP_PROXY,
            "it answered 407 Auth; "
            "it wants credentials: put user and password into the proxy's URL",
        ),
        (
            b"HTTP/1.1 407 Auth\r\nContent-Length: 2\r\n\r\nno",
            WITH_PASSWORD,
            "it answered 407 Auth; it does not accept the credentials in the proxy's URL",
        ),
        (
            b"HTTP/1.1 401 Auth\r\nContent-Length: 2\r\nWWW-Authenticate: Basic\r\n\r\nno",
            WITH_PASSWORD,
            "it answered 401 Auth; it does not accept the credentials in the proxy's URL",
        ),
        (b"HTTP/1.1 502 \r\nContent-Length: 2\r\n\r\nno", HTTP_PROXY, "it answered 502"),
        (b"HTTP/1.1 302 Go\r\nLocation: /\r\nContent-Length: 2\r\n\r\nno", HTTP_PROXY,
         "it answered 302 Go"),
    ],
)  # fmt: skip
def test_a_refusal_is_kept(answer: bytes, proxy: Proxy, said: str) -> None:
    failed = failure_of(PretendDoor(says(answer), proxy=proxy, max_redirects=5))
    assert failed.phase == "proxy"
    assert failed.reason == f"proxy {proxy.url} did not connect us to peer:80; {said}"
    assert failed.response.status_code == int(answer[9:12])
    assert failed.response.body == b"no"
    assert isinstance(failed.cause, ProxyError)
    assert 0 < failed.timings.proxy < 1


def test_the_body_of_a_refusal_is_waited_for_a_little() -> None:
    answer = b"HTTP/1.1 403 No\r\nContent-Length: 20\r\n\r\nonly this"
    for timing in (Timing(), Timing(open_timeout=None)):
        door = PretendDoor(says(answer, then=pauses()), timing, proxy=HTTP_PROXY)
        failed = failure_of(door)
        assert failed.response.body == b"only this"
        assert 1 < door.now < 1.1
    trickle = (Say(b"a") for _ in range(5))

    def slow(peer: Peer) -> Talk:
        yield from peer.read_request()
        yield Say(answer)
        for action in trickle:
            yield Pause(0.4)
            yield action

    door = PretendDoor(slow, proxy=HTTP_PROXY)
    assert failure_of(door).response.body == b"only thisaa"
    assert 1 < door.now < 1.1


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"SSH-2.0-OpenSSH\r\n", "answer is not HTTP; it starts with b'SSH-2.0-OpenSSH\\r\\n'"),
        (b"\x15\x03\x01\x00\x02\x02\x46", "answer is TLS, not HTTP; use an https:// proxy URL"),
        (
            b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 300,
            "head of 257 lines or more is longer than max_header_lines (256)",
        ),
        (b"HTTP/1.1 200 OK\r\nX", "it hung up before it had answered"),
        (b"", "it hung up before it had answered"),
    ],
)
def test_garbage(answer: bytes, said: str) -> None:
    def ends() -> Talk:
        yield End()

    failed = failure_of(PretendDoor(says(answer, then=ends()), proxy=HTTP_PROXY))
    assert failed.phase == "proxy"
    assert said in failed.reason
    assert failed.response is None


def test_a_challenge_is_answered_once_on_a_new_connection() -> None:
    for last, expected in ((connects(), "ready"), (says(DIGEST), "connect_fail")):
        requests.clear()
        door = PretendDoor(says(DIGEST), proxy=WITH_PASSWORD, later_talks=(last,))
        seen = door.play(closes_when_ready)
        assert expected in names(seen)
        assert len(seen[2 if expected == "ready" else 1][1].timings.attempts) == 2
    assert b"\r\nProxy-Authorization: Basic " in heard[0]
    assert b'\r\nProxy-Authorization: Digest username="me", realm="r"' in heard[1]
    assert b"p@ss" not in heard[1]


def test_no_challenge_is_answered_without_a_password_or_for_what_is_unknown() -> None:
    assert failure_of(PretendDoor(says(DIGEST), proxy=HTTP_PROXY)).response.status_code == 407
    unknown = DIGEST.replace(b"SHA-256", b"ROT13")
    assert failure_of(PretendDoor(says(unknown), proxy=WITH_PASSWORD)).response.status_code == 407


def stale(nonce: str) -> bytes:
    return DIGEST.replace(b'nonce="n"', f'nonce="{nonce}", stale=true'.encode())


def test_a_nonce_that_was_too_old_is_no_wrong_password() -> None:
    for later, is_ready in (
        ((says(stale("2")), connects()), True),
        ((says(stale("2")), says(stale("3")), connects()), False),
    ):
        requests.clear()
        door = PretendDoor(says(DIGEST), proxy=WITH_PASSWORD, later_talks=later)
        assert ("ready" in names(door.play(closes_when_ready))) == is_ready
        if is_ready:
            assert b'nonce="2"' in requests[0]


@pytest.mark.parametrize("framing", [b"Transfer-Encoding: gzip, chunked", b"Content-Length: x"])
def test_a_length_that_makes_no_sense(framing: bytes) -> None:
    refusal = b"HTTP/1.1 503 Busy\r\n" + framing + b"\r\n\r\nlate"
    failed = failure_of(PretendDoor(says(refusal), proxy=HTTP_PROXY))
    assert "it answered 503 Busy" in failed.reason
    assert failed.response.body == b"late"
    # RFC 9110 section 9.3.6: the client MUST ignore it where the proxy has connected us.
    agreed = OK[:-2] + framing + b"\r\n\r\n"
    assert "ready" in names(PretendDoor(connects(agreed), proxy=HTTP_PROXY).play(closes_when_ready))


@pytest.mark.parametrize("phrase", ["\x1b]0;pwned\x07", "was {}", "long " * 100])
def test_what_a_proxy_says_moves_no_cursor_and_shows_no_password(phrase: str) -> None:
    def talk(peer: Peer) -> Talk:
        yield from peer.read_request()
        found = peer.request.partition(b"Proxy-Authorization: ")[2].partition(b"\r\n")[0].decode()
        said.append(found.partition(" ")[2])
        line = f"HTTP/1.1 403 {phrase.format(found)}\r\nContent-Length: 0\r\n\r\n"
        yield Say(line.encode())

    said: list[str] = []
    failed = failure_of(PretendDoor(talk, proxy=WITH_PASSWORD))
    shown = failed.reason + repr(failed) + repr(failed.cause) + repr(failed.response)
    assert shown.isprintable()
    assert said[0]
    if "{}" in phrase:
        assert "it answered 403 was ***" in failed.reason
        assert said[0] not in failed.reason + repr(failed.cause)
    assert len(failed.reason) < 250


def tunnel_of(proxy: Proxy = WITH_PASSWORD) -> HttpTunnel:
    return HttpTunnel(proxy, "h:80", "agent", Limits(), lambda size: b"r" * size)


def refusal_of(tunnel: HttpTunnel, answer: bytes) -> ProxyError:
    with pytest.raises(ProxyError) as caught:
        tunnel.receive(answer)
    return caught.value


def test_nothing_came_behind_an_answer_that_is_not_here() -> None:
    tunnel = tunnel_of()
    assert (tunnel.rest, tunnel.is_done, tunnel.is_reading_body) == (b"", False, False)
    assert tunnel.receive(OK[:-1]) == b""
    assert (tunnel.rest, tunnel.is_done) == (b"", False)
    assert tunnel.receive(OK[-1:] + b"next") == b""
    assert (tunnel.rest, tunnel.is_done) == (b"next", True)


def test_a_proxy_that_hangs_up_in_the_body_of_its_refusal_has_refused() -> None:
    tunnel = tunnel_of()
    tunnel.receive(b"HTTP/1.1 403 No\r\nContent-Length: 20\r\n\r\nhalf")
    assert tunnel.is_reading_body
    error = refusal_of(tunnel, b"")
    assert str(error) == "it answered 403 No"
    assert error.response is not None
    assert error.response.body == b"half"


def test_a_user_without_a_password_has_an_empty_one() -> None:
    proxy = parse_proxy("http://me@proxy:3128")
    tunnel = tunnel_of(proxy)
    assert b"\r\nProxy-Authorization: Basic bWU6\r\n" in tunnel.start()
    assert tunnel.may_try_again(refusal_of(tunnel, DIGEST))
    assert f'response="{digest(b"me:r:")}"'.encode() in tunnel.start()


def digest(secret: bytes) -> str:
    """What RFC 7616 says for DIGEST."""
    asked, known = (hashlib.sha256(part).hexdigest() for part in (b"CONNECT:h:80", secret))
    cnonce = (b"r" * 16).hex()
    return hashlib.sha256(f"{known}:n:00000001:{cnonce}:auth:{asked}".encode()).hexdigest()


def test_the_digest_is_that_of_rfc_7616() -> None:
    tunnel = tunnel_of()
    assert tunnel.may_try_again(refusal_of(tunnel, DIGEST))
    said = tunnel.start().decode()
    assert f'response="{digest(b"me:r:p@ss")}"' in said
    assert f'cnonce="{(b"r" * 16).hex()}"' in said


def test_a_status_without_a_phrase() -> None:
    refused = refusal_of(tunnel_of(), b"HTTP/1.1 502 \r\nContent-Length: 0\r\n\r\n")
    assert str(refused) == "it answered 502"


def test_a_challenge_in_the_servers_header_is_answered_too() -> None:
    tunnel = tunnel_of()
    challenge = DIGEST.replace(b"407", b"401").replace(b"Proxy-Authenticate", b"WWW-Authenticate")
    assert tunnel.may_try_again(refusal_of(tunnel, challenge))
    assert b"Authorization: Digest" in tunnel.start()


def test_without_a_challenge_there_is_nothing_to_answer() -> None:
    tunnel = tunnel_of()
    refused = refusal_of(tunnel, b"HTTP/1.1 407 Auth\r\nContent-Length: 0\r\n\r\n")
    assert not tunnel.may_try_again(refused)


def test_each_part_of_an_answer_to_a_challenge_is_kept_secret() -> None:
    tunnel = tunnel_of()
    assert tunnel.may_try_again(refusal_of(tunnel, DIGEST))
    said = tunnel.start().partition(b"Proxy-Authorization: Digest ")[2].partition(b"\r\n")[0]
    answer = b"HTTP/1.1 403 no: " + said + b"\r\nContent-Length: 0\r\n\r\n"
    assert str(refusal_of(tunnel, answer)) == "it answered 403 no: ***"
