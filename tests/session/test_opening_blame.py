"""Who ends an opening that fails: the server, the proxy, this machine. In pretend time."""

from __future__ import annotations

import errno
import ssl

import pytest

from lomond.proxies import parse_proxy
from lomond.session.requests import Race, Read, Resolve, StartTLS
from lomond.testing.alone import PretendDoor
from lomond.testing.peer import Peer, Say, Talk
from scripted import answers_pings, never_answers


@pytest.mark.parametrize(
    ("reason", "kind", "by"),
    [
        ("TLSV13_ALERT_CERTIFICATE_REQUIRED", "unreachable", "server"),
        ("BAD_RECORD_TYPE", "lost", "network"),
    ],
)
def test_an_alert_instead_of_an_answer_is_of_the_server(reason: str, kind: str, by: str) -> None:
    """TLS 1.3 is done for us before the server has looked at our certificate."""
    error = OSError(1, "what it said")
    error.reason = reason  # type: ignore[attr-defined]  # as ssl sets it
    door = PretendDoor(never_answers, failures={Read: error}, secure=True)
    (_, last) = door.play()[-1]
    assert last.name == "disconnected"
    assert last.reason.startswith("socket fail; recv fail; what it said")
    assert (last.ending.kind, last.ending.by, last.ending.phase) == (kind, by, "upgrade")
    is_told = kind == "unreachable"
    assert str(last.ending).startswith("TLS with the server failed; what it") is is_told


@pytest.mark.parametrize(("proxy", "by"), [(None, "server"), ("https://proxy", "proxy")])
def test_an_alert_in_the_handshake_is_of_who_said_it(proxy: str | None, by: str) -> None:
    error = OSError(1, "tlsv1 alert protocol version")
    error.reason = "TLSV1_ALERT_PROTOCOL_VERSION"  # type: ignore[attr-defined]  # as ssl sets it
    through = None if proxy is None else parse_proxy(proxy)
    door = PretendDoor(answers_pings, failures={StartTLS: error}, secure=True, proxy=through)
    (_, last) = door.play()[-1]
    assert (last.name, last.ending.kind, last.ending.by) == ("connect_fail", "unreachable", by)


def test_a_certificate_is_refused_by_the_client() -> None:
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_code = 20
    door = PretendDoor(answers_pings, failures={StartTLS: error}, secure=True)
    (_, last) = door.play()[-1]
    assert (last.ending.kind, last.ending.by) == ("unreachable", "client")


@pytest.mark.parametrize("step", [Resolve, Race, StartTLS])
def test_what_nobody_said_is_of_the_network(step: type) -> None:
    error = OSError(errno.EHOSTUNREACH, "No route to host")
    door = PretendDoor(answers_pings, failures={step: error}, secure=True)
    (_, last) = door.play()[-1]
    assert last.name == "connect_fail"
    assert (last.ending.kind, last.ending.by) == ("unreachable", "network")


def test_a_certificate_that_is_out_of_date_may_be_the_clocks_fault() -> None:
    """The server that has sent us on had told what time it is."""

    def sends_on(peer: Peer) -> Talk:
        yield from peer.read_request()
        date = b"Date: Tue, 14 Nov 2023 20:00:00 GMT\r\n"
        yield Say(b"HTTP/1.1 302 Go\r\n" + date + b"Location: wss://peer/\r\n\r\n")

    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_code = 10
    door = PretendDoor(
        sends_on, failures={StartTLS: error}, max_redirects=1, later_talks=(answers_pings,)
    )
    (_, last) = door.play()[-1]
    assert last.name == "connect_fail"
    assert "this machine's clock is 2 h ahead of the server's Date" in str(last.ending)


def test_what_this_machine_lacks_is_of_the_client() -> None:
    door = PretendDoor(answers_pings, failures={Race: OSError(errno.EMFILE, "Too many open files")})
    (_, last) = door.play()[-1]
    assert (last.ending.kind, last.ending.by) == ("resources", "client")
