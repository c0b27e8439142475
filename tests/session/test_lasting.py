"""What no further attempt can mend."""

from __future__ import annotations

import socket
import ssl

import pytest

from lomond.session.lasting import hint, lasting
from lomond.url import unknown_scheme


def not_accepted() -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_code = 18
    return error


def alert(reason: str) -> ssl.SSLError:
    error = ssl.SSLError(1, f"[SSL: {reason}]")
    error.reason = reason
    return error


@pytest.mark.parametrize(
    ("cause", "change"),
    [
        (not_accepted(), "the certificate is accepted"),
        (socket.gaierror(socket.EAI_NONAME, "not known"), "that name exists"),
        *[(socket.gaierror(number, ""), "that name exists") for number in (-2, -5, 8, 7)],
        *[(socket.gaierror(number, ""), "that name exists") for number in (11001, 11004)],
        (unknown_scheme("URL 'ftp://h'"), "that URL has another scheme"),
        (alert("TLSV1_ALERT_UNKNOWN_CA"), "the server accepts our certificate"),
        (alert("TLSV13_ALERT_CERTIFICATE_REQUIRED"), "the server accepts our certificate"),
    ],
)
def test_what_has_to_change(cause: Exception, change: str) -> None:
    assert lasting(cause) == change
    said = f"no attempt can succeed until {change}: persist() waits max_wait before each"
    assert hint(cause) == said


@pytest.mark.parametrize(
    "cause",
    [
        None,
        ConnectionRefusedError(111, "refused"),
        OSError(-2, "no name that was looked up"),
        socket.gaierror(socket.EAI_AGAIN, "try again"),
        ValueError("URL without host"),
        alert("SSLV3_ALERT_HANDSHAKE_FAILURE"),
        alert("WRONG_VERSION_NUMBER"),
        alert("NO_CERTIFICATE_ASSIGNED"),
    ],
)
def test_what_may_be_other_next_time(cause: Exception | None) -> None:
    assert lasting(cause) is None
    assert hint(cause) is None
