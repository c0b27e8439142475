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
    cut = ConnectionResetError("the other side hung up during the TLS handshake")
    assert "the server does not speak TLS there; use ws://?" in tls_words(cut)
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
        (79, "VERIFY_X509_STRICT"),
        (85, "VERIFY_X509_STRICT"),
        (92, "VERIFY_X509_STRICT"),
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
