"""What is said of a TLS handshake that failed, with the server and with a proxy."""

from __future__ import annotations

from typing import Any

import pytest

from lomond.session.causes import tls_words


class TLSError(OSError):
    """As ssl's errors are: it has OpenSSL's reason, or a verify code."""

    def __init__(self, said: str, **details: Any) -> None:
        super().__init__(said)
        self.__dict__.update(details)


def test_who_does_not_speak_tls() -> None:
    wrong = TLSError("wrong version number", reason="WRONG_VERSION_NUMBER")
    assert tls_words(wrong).endswith("; the server does not speak TLS there; use ws://?")
    assert tls_words(wrong, of_proxy=True).endswith(
        "; the proxy does not speak TLS there; use http:// for the proxy?"
    )
    cut = ConnectionResetError("the other side hung up during the handshake")
    assert tls_words(cut).endswith("; if the server does not speak TLS there, use ws://")
    assert "does not speak TLS" not in tls_words(TimeoutError("no answer"))


@pytest.mark.parametrize(
    ("code", "hint"),
    [
        (10, "check the clock"),
        (20, "ssl_cafile"),
        (26, "not one for servers"),
        (62, "see server_name"),
        (66, "too weak"),
        (68, "too weak"),
        (79, "may not issue any"),
        (80, "VERIFY_X509_STRICT"),
        (85, "VERIFY_X509_STRICT"),
        (93, "VERIFY_X509_STRICT"),
        (94, "no curve by name"),
    ],
)
def test_every_kind_of_failure_has_a_hint(code: int, hint: str) -> None:
    failure = TLSError("failed", verify_message="no", verify_code=code)
    assert hint in tls_words(failure)


def test_a_proxys_name_is_in_its_url() -> None:
    failure = TLSError("failed", verify_message="Hostname mismatch", verify_code=62)
    said = tls_words(failure, of_proxy=True)
    assert "server_name" not in said
    assert said.endswith("another name than that in the proxy's URL")


@pytest.mark.parametrize("code", [62, 64])
def test_a_certificate_for_no_name(code: int) -> None:
    failure = TLSError("x", verify_message="mismatch", verify_code=code)
    failure.peer_certificate = {"subject": ((("commonName", "h"),),)}  # type: ignore[attr-defined]  # as ssl does it
    said = tls_words(failure)
    assert "; it has no subjectAltName, and its common name does not count (RFC 9525)" in said
    assert said.endswith("or see ssl_context (hostname_checks_common_name)")
    assert "server_name" not in said
    of_proxy = tls_words(failure, of_proxy=True)
    assert "the proxy needs another certificate, or see proxy_ssl_context" in of_proxy
    failure.peer_certificate = {"subjectAltName": (("DNS", "g"),)}  # type: ignore[attr-defined]  # as ssl does it
    assert "see server_name" in tls_words(failure)
    failure.peer_certificate = None  # type: ignore[attr-defined]  # as ssl does it
    assert "see server_name" in tls_words(failure)
