"""What to do about an end: for each row one that it is for, and near ones that it is not for."""

from __future__ import annotations

import socket
import ssl
from typing import Any

import pytest

from lomond import Ending
from lomond.ending import Pause
from lomond.response import Response
from lomond.session.dialling import Target
from lomond.session.hints import HINTS, Around, hint, is_fine
from lomond.session.opening import Route
from lomond.testing.alone import PretendDoor, counting_bytes
from lomond.testing.peer import Peer, Say, Talk
from lomond.testing.plans import PretendPlan

NO_NAME = socket.gaierror(-2, "not known")
ALERT_OF_NGINX = b"<center>The plain HTTP request was sent to HTTPS port</center>"
TO_TLS = (
    b"Client sent an HTTP request to an HTTPS server.\n",
    b"Reason: You're speaking plain HTTP to an SSL-enabled server port.<br />",
    b"This combination of host and port requires TLS.",
)
NO_UPGRADE = (
    b" \n", b"<html>", b'Can "Upgrade" only to "WebSocket".', b"Bad Request", b"not a websocket",
)  # fmt: skip
ONWARD = "pass 'Upgrade: websocket' on, over HTTP/1.1"
VARIABLE = "environment variable https_proxy"
SETTINGS = b"\x00\x00\x12\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00"


def rejected(status: int, head: str = "", body: bytes = b"") -> Ending:
    response = Response(f"HTTP/1.1 {status} x\r\n{head}\r\n".encode(), body=body)
    return Ending("rejected", "server", status=status, response=response, phase="upgrade")


def expired(code: int) -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_code = code
    return error


def lost(**fields: Any) -> Ending:
    return Ending("lost", "network", **fields)


@pytest.mark.parametrize(
    ("ending", "around", "name", "said"),
    [
        (
            Ending("unreachable", cause=NO_NAME), Around(), "lasting",
            "no attempt can succeed until that name exists: persist() waits max_wait before each",
        ),
        (lost(phase="upgrade"), Around(), "plain to TLS", "if the server speaks TLS there, use wss://"),
        (rejected(400, body=ALERT_OF_NGINX), Around(), "plain to TLS", "use wss://"),
        (
            Ending("protocol", "server", phase="upgrade"), Around(came=SETTINGS), "other HTTP",
            "speaks HTTP/2 only",
        ),
        (
            Ending("protocol", "server", was_ready=True), Around(came=b"HTTP/1.1 502 Bad\r\nA: b"),
            "text after 101", r"no frame: 'HTTP/1.1 502 Bad\r\nA: b'",
        ),
        *[(rejected(400, body=said), Around(), "plain to TLS", "use wss://") for said in TO_TLS],
        *[(rejected(n), Around(), "no upgrade", "does not pass") for n in (400, 426, 505)],
        *[(rejected(400, body=said), Around(), "no upgrade", "not pass") for said in NO_UPGRADE],
        (Ending("rejected", "server", status=400), Around(), "no upgrade", "not pass"),
        *[
            (rejected(400, body=said), Around(is_secure=True), "no sub-protocol", "(protocols=)")
            for said in (b"missing subprotocol", b"unknown Sub-Protocol\n", b"<p>no subprotocol")
        ],
        (
            rejected(400, body=b"<title>400 No required SSL certificate was sent</title>"),
            Around(is_secure=True), "no certificate", "a client certificate that it accepts (ssl_",
        ),
        *[
            (rejected(n), Around(), "no WebSocket", f"the URL, or have a proxy before it {ONWARD}")
            for n in (200, 404)
        ],
        *[(rejected(n), Around(), "gateway", "the server behind it is down") for n in (502, 504)],
        (rejected(401), Around(), "not allowed", "or an Origin, and none was sent (origin=)"),
        (
            rejected(403), Around(origin="https://a"), "not allowed",
            "another Origin than 'https://a', which was sent",
        ),
        (
            rejected(302, "Location: /other\r\n"), Around(), "redirect",
            "it sends on to /other; max_redirects= has lomond follow",
        ),
        *[
            (
                rejected(302, f"Location: {sent}\r\n"), Around(), "redirect",
                f"it sends on to {shown}; max_redirects=",
            )
            for sent, shown in [
                ("https://me:secret@a.example/b?token=c", "https://***@a.example/b?..."),
                ("//me:secret@a.example#token=c?d", "//***@a.example?..."),
                ("/@me", "/@me"),
            ]
        ],
        *[
            (rejected(n, "Location: /b\r\n"), Around(max_redirects=2), "redirect", "sends on to /b")
            for n in (301, 302, 303, 307, 308)
        ],
        (
            lost(was_ready=True, since_received=60.04), Around(), "idle",
            "nothing was said for 60 s: typical of a proxy's limit on silence; a ping_rate below "
            "it keeps the connection open (no pings are sent)",
        ),
        *[
            (
                Ending("unreachable", phase=phase), Around(proxy_source=VARIABLE),
                "proxy of the environment", f"the proxy comes from the {VARIABLE}; no_proxy, or ",
            )
            for phase in ("resolve", "connect", "proxy")
        ],
        (
            Ending("unreachable", cause=expired(10)), Around(skew=-7300.0), "wrong clock",
            "this machine's clock is 2 h ahead of the server's Date: set it",
        ),
        (
            Ending("unreachable", cause=expired(9)), Around(skew=4000.0), "wrong clock",
            "this machine's clock is 67 min behind the server's Date: set it",
        ),
        (
            lost(was_ready=True, since_received=61.0), Around(slept=3000.0), "slept",
            "this machine slept for about 50 min meanwhile",
        ),
        (
            lost(was_ready=True), Around(pause=Pause(31.0, 1, "text")), "not looked",
            "your handler of text took 31 s: meanwhile nobody looked",
        ),
        (
            Ending("closed", "server", 1011), Around(pause=Pause(31.0, 9, "poll")), "not looked",
            "your program spent 31 s on 9 events, the last of them poll: meanwhile",
        ),
        (
            lost(was_ready=True), Around(pause=Pause(31.0, 0, None)), "not looked",
            "nobody looked at the socket for 31 s, though no handler of it was at work: another ta",
        ),
        (
            lost(was_ready=True, since_received=60.0, cause=ConnectionResetError()), Around(),
            "idle", "nothing was said for 60 s",
        ),
        (lost(was_ready=True, since_received=61.0), Around(ping_rate=90), "idle", "(it is 90 s)"),
        (
            Ending("closed", "server", 1009, was_ready=True), Around(largest=70_000), "too big",
            "the largest message that was sent has 70000 bytes",
        ),
        # What is just enough.
        (
            Ending("protocol", "server", phase="upgrade"), Around(came=SETTINGS[:9]), "other HTTP",
            "speaks HTTP/2 only",
        ),
        *[
            (Ending("unreachable", cause=expired(10)), Around(skew=skew), "wrong clock", said)
            for skew, said in [(3600.0, " behind the server"), (-3600.0, " ahead of the server")]
        ],
        (lost(was_ready=True), Around(slept=30.0), "slept", "slept for about 30 s"),
        (lost(was_ready=True), Around(pause=Pause(10.0, 1, "text")), "not looked", "took 10 s"),
        (lost(was_ready=True, since_received=20.0), Around(), "idle", "nothing was said for 20 s"),
    ],
)  # fmt: skip
def test_a_row(ending: Ending, around: Around, name: str, said: str) -> None:
    (row,) = (one for one in HINTS if one.name == name)
    assert said in (row.says(ending, around) or "")
    assert hint(ending, around) == row.says(ending, around)  # no other one comes before it


@pytest.mark.parametrize(
    ("ending", "around"),
    [
        (lost(phase="upgrade"), Around(is_secure=True)),
        (lost(phase="read", was_ready=True), Around()),
        (Ending("protocol", "server", phase="upgrade"), Around(came=SETTINGS[:8])),
        (Ending("protocol", "server", phase="upgrade"), Around(came=b"HTTP\x00\x00\x00\x00\x00")),
        (Ending("protocol", "server", was_ready=True), Around(came=SETTINGS)),
        (Ending("protocol", "server", was_ready=True), Around(came=b"\xc1\x05HTTP")),
        (Ending("protocol", "server", was_ready=True), Around(came=b"")),
        (rejected(500), Around()),
        (rejected(503), Around()),
        *[(rejected(400, body=said), Around()) for said in (b"no token", b'{"error": "<room>?"}')],
        (rejected(400, body=b"no certificate"), Around()),
        (rejected(500, body=b"no subprotocol"), Around(is_secure=True)),
        (rejected(302), Around()),
        (lost(was_ready=True, since_received=19.9), Around()),
        (lost(was_ready=True, since_received=60.0, since_sent=3.0), Around()),
        (Ending("unreachable", phase="tls"), Around(proxy_source=VARIABLE)),
        (Ending("unreachable", phase="proxy"), Around(proxy_source="proxies['https']")),
        (lost(phase="read", was_ready=True), Around(proxy_source=VARIABLE)),
        (lost(was_ready=True), Around(slept=29.0)),
        (Ending("closed", "server", 1011), Around(slept=3000.0)),
        (lost(was_ready=True), Around(pause=Pause(9.9, 1, "text"))),
        # Long ago, it was no reason.
        (lost(was_ready=True, pause=Pause(31.0, 1, "text")), Around()),
        *[
            (ending, Around(pause=Pause(31.0, 1, "text")))
            for ending in [
                Ending("closed", "server", 1000),
                Ending("closed", "client", 4000),
                Ending("left", cause=ValueError()),
                Ending("protocol", "server", was_ready=True),
                rejected(500),
            ]
        ],
        # A network that is gone is no proxy's limit, nor a port that speaks TLS.
        (lost(was_ready=True, since_received=60.0, cause=TimeoutError(110, "no")), Around()),
        (lost(phase="upgrade", cause=TimeoutError(110, "timed out")), Around()),
        (Ending("lost", "client", phase="upgrade", cause=ImportError("zlib")), Around()),
        # What the program did itself, or the machine, is not the proxy's doing.
        (Ending("left", phase="connect"), Around(proxy_source=VARIABLE)),
        (Ending("resources", phase="connect"), Around(proxy_source=VARIABLE)),
        (lost(was_ready=True), Around()),
        (Ending("closed", "client", 1009), Around(largest=1)),
        (Ending("closed", "server", 1009), Around()),
        (Ending("closed", "server", 1011), Around(largest=1)),
        *[(Ending(kind, status=404), Around(largest=1)) for kind in ("left", "unreachable")],  # type: ignore[arg-type]  # wrong, on purpose
    ],
)
def test_nothing_is_said_of_others(ending: Ending, around: Around) -> None:
    assert hint(ending, around) is None


@pytest.mark.parametrize(("code", "skew"), [(10, None), (10, 3000.0), (20, 7300.0)])
def test_the_clock_is_not_blamed_for_others(code: int, skew: float | None) -> None:
    said = hint(Ending("unreachable", cause=expired(code)), Around(skew=skew))
    assert said is not None
    assert "until the certificate is accepted" in said


@pytest.mark.parametrize("code", [None, 1000, 1009])
@pytest.mark.parametrize("since", [None, 0.0, 100.0])
@pytest.mark.parametrize("pause", [None, Pause(100.0, 0, None), Pause(100.0, 3, "text")])
@pytest.mark.parametrize("came", [b"", b"HTTP/1.1 400", SETTINGS])
def test_no_row_has_anything_to_say_of_a_close_of_ours(
    code: int | None, since: float | None, pause: Pause | None, came: bytes
) -> None:
    """So none is asked: most connections end so."""
    ending = Ending("closed", code=code, was_ready=True, since_received=since, pause=pause)
    assert is_fine(ending)
    for is_secure in (False, True):
        around = Around(
            is_secure, came=came, slept=100.0, largest=1, skew=1e6, pause=pause,
            proxy_source=VARIABLE,
        )  # fmt: skip
        assert hint(ending, around) is None


@pytest.mark.parametrize(
    "ending",
    [
        Ending("closed", "server", was_ready=True),
        Ending("closed", was_ready=False),
        Ending("closed", was_ready=True, cause=NO_NAME),
        Ending("left", was_ready=True),
    ],
)
def test_of_others_they_are_asked(ending: Ending) -> None:
    assert not is_fine(ending)


def test_every_row_says_what_it_is_for() -> None:
    assert len({one.name for one in HINTS}) == len(HINTS)
    assert all(one.when and one.does for one in HINTS)


class FromAPage(PretendPlan):
    """A plan with an Origin among its headers."""

    def route(self, target: Target) -> Route:
        route = super().route(target)
        headers = [(b"X-Other", b"x"), (b"Origin", b"https://page.example")]
        route.upgrade.request = route.upgrade.request._replace(headers=headers)
        return route


def test_the_origin_that_was_sent_is_named() -> None:
    def refuses(peer: Peer) -> Talk:
        yield from peer.read_request()
        yield Say(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")

    door = PretendDoor(refuses)
    door.plan = FromAPage(counting_bytes())
    (_, last) = door.play()[-1]
    assert "another Origin than 'https://page.example', which was sent" in last.ending.hint
