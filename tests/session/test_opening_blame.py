"""Who ends an opening that fails: the server, the proxy, this machine. In pretend time."""

from __future__ import annotations

import errno
import ssl

import pytest

from lomond.proxies import parse_proxy
from lomond.session.requests import Race, Read, StartTLS
from lomond.testing.alone import PretendDoor
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
    error.reason = reason  # type: ignore[attr-defined]
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
    error.reason = "TLSV1_ALERT_PROTOCOL_VERSION"  # type: ignore[attr-defined]
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


def test_what_this_machine_lacks_is_of_the_client() -> None:
    door = PretendDoor(answers_pings, failures={Race: OSError(errno.EMFILE, "Too many open files")})
    (_, last) = door.play()[-1]
    assert (last.ending.kind, last.ending.by) == ("resources", "client")
