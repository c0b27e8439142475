"""Failures in words: certificates, alerts of the server, addresses that were tried."""

from __future__ import annotations

import errno
import os
import ssl
from typing import Any

import pytest

from lomond.session.causes import copied, listed, reason_of, tried, was_told, words
from lomond.timings import Attempt

REFUSED = "Connection refused"


class NotAcceptedError(OSError):
    """As ssl.SSLCertVerificationError is, with what the layer puts on it."""

    def __init__(self, code: int, certificate: Any = None, missing: str | None = None) -> None:
        self.verify_code = code
        self.verify_message = "it is bad."
        self.peer_certificate = certificate
        self.missing_store = missing


def certificate(**fields: Any) -> dict[str, Any]:
    return {
        "subject": ((("organizationName", "Org"),), (("commonName", "example.org"),)),
        "issuer": ((("commonName", "Foo CA"),),),
        "notBefore": "Jan  1 00:00:00 2000 GMT",
        "notAfter": "Jan  2 00:00:00 2000 GMT",
        "subjectAltName": (("DNS", "example.org"), ("IP Address", "127.0.0.1\n"), ("URI", "x")),
        **fields,
    }


def test_an_expired_certificate_is_told_in_full() -> None:
    assert words(NotAcceptedError(10, certificate())) == (
        "certificate not accepted: it is bad (code 10; it is for 'example.org', '127.0.0.1'; "
        "valid until Jan  2 00:00:00 2000 GMT; subject CN=example.org, O=Org; issued by CN=Foo CA)"
        "; check the clock of this machine too"
    )


def test_a_verifier_that_has_no_code_and_no_certificate() -> None:
    error = NotAcceptedError(0)
    del error.verify_code, error.peer_certificate
    assert words(error) == "certificate not accepted: it is bad (code None)"


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (9, "valid from Jan  1 00:00:00 2000 GMT"),
        (9, "clock"),
        (18, "name it with ssl_cafile"),
        (19, "name it with ssl_cafile"),
        (20, "name it with ssl_cafile"),
        (21, "name it with ssl_cafile"),
        (62, "see server_name"),
        (64, "see server_name"),
        (7, "issued by CN=Foo CA)"),
    ],
)
def test_each_code_has_its_hint(code: int, said: str) -> None:
    assert said in words(NotAcceptedError(code, certificate()))


def test_nothing_is_known_of_the_certificate() -> None:
    assert words(NotAcceptedError(7)) == "certificate not accepted: it is bad (code 7)"
    assert words(NotAcceptedError(9, {})).endswith("(code 9); check the clock of this machine too")
    assert words(NotAcceptedError(10, {})).endswith(
        "(code 10); check the clock of this machine too"
    )


def test_what_the_door_found_missing_is_said_last() -> None:
    assert words(NotAcceptedError(20, missing="no store")).endswith("ssl_cafile; no store")


def test_a_certificate_that_signed_itself() -> None:
    subject = certificate()["subject"]
    said = words(NotAcceptedError(18, certificate(issuer=subject)))
    assert "subject CN=example.org, O=Org; issued by itself)" in said


def test_texts_of_the_peer_are_escaped_and_cut() -> None:
    evil = certificate(
        subject=((("commonName", "\x1b[2J\r\n\u202e" + "x" * 1000),),),
        issuer=tuple((("odd", str(number) * 200),) for number in range(50)),
        subjectAltName=tuple(("DNS", f"'{number}\0{'y' * 500}") for number in range(1000)),
    )
    said = words(NotAcceptedError(62, evil))
    assert said.isprintable()
    assert r"CN=\x1b[2J\r\n\u202exxx" in said
    assert "and 995 more" in said
    assert len(said) < 1500


class AlertError(OSError):
    """As ssl.SSLError is."""

    def __init__(self, reason: Any, said: str) -> None:
        super().__init__(1, f"[SSL: {reason}] {said} (_ssl.c:1006)")
        self.reason = reason


@pytest.mark.parametrize(
    ("reason", "hint"),
    [
        ("TLSV13_ALERT_CERTIFICATE_REQUIRED", "; the server wants a client certificate; give"),
        ("SSLV3_ALERT_BAD_CERTIFICATE", "; the server did not accept our certificate"),
        ("TLSV1_ALERT_UNKNOWN_CA", "; the server did not accept our certificate"),
        ("SSLV3_ALERT_HANDSHAKE_FAILURE", "no version of TLS or cipher in common, or it wants a"),
        ("TLSV1_ALERT_PROTOCOL_VERSION", "no version of TLS in common"),
        ("UNSUPPORTED_PROTOCOL", "no version of TLS in common"),
        ("TLSV1_UNRECOGNIZED_NAME", "; the server does not know that name; see server_name"),
        ("TLSV1_ALERT_NO_APPLICATION_PROTOCOL", "; the server speaks no HTTP/1.1 there, HTTP/2 on"),
    ],
)
def test_alerts_come_with_a_hint(reason: str, hint: str) -> None:
    said = words(AlertError(reason, "some alert"))
    assert said.startswith("some alert; ")
    assert hint in said


def test_other_reasons_come_without() -> None:
    assert words(AlertError("BAD_RECORD_TYPE", "bad record type")) == "bad record type"
    error = OSError(1, "odd")
    error.reason = 5  # type: ignore[attr-defined]  # as ssl does it
    assert words(error) == "odd"


def test_a_reason_that_python_has_no_name_for() -> None:
    error = ssl.SSLError(1, "[SSL] tlsv1 alert no application protocol (_ssl.c:1006)")
    error.reason, error.library = None, "SSL"  # type: ignore[assignment]  # as it comes
    assert reason_of(error) == "TLSV1_ALERT_NO_APPLICATION_PROTOCOL"
    assert "HTTP/2 only perhaps; ask on a port, or by a name, where it speaks HTTP/1.1" in words(
        error
    )
    assert was_told(error)


@pytest.mark.parametrize(
    ("cause", "is_told"),
    [
        (AlertError("TLSV1_ALERT_INTERNAL_ERROR", "x"), True),
        (AlertError("TLSV1_UNRECOGNIZED_NAME", "x"), True),
        (AlertError("WRONG_VERSION_NUMBER", "x"), False),
        (AlertError(None, "alert"), False),  # no error of TLS
        (OSError(1, "alert"), False),
        (None, False),
    ],
)
def test_who_said_so(cause: BaseException | None, is_told: bool) -> None:
    assert was_told(cause) is is_told


NO_DESCRIPTOR = "this process has no file descriptor left, see 'ulimit -n'"


def test_of_several_hints_one_is_given() -> None:
    error = AlertError("ALERT_UNKNOWN_CA_UNSUPPORTED_PROTOCOL", "x")
    assert words(error) == "x; the server did not accept our certificate; see ssl_certfile"


def test_a_missing_descriptor_comes_with_a_hint_once() -> None:
    said = os.strerror(errno.EMFILE)
    assert words(OSError(errno.EMFILE, said)) == f"{said}; {NO_DESCRIPTOR}"
    again = OSError(f"{said}; {NO_DESCRIPTOR}")
    assert words(again) == str(again)


def test_what_a_system_says_is_cut_at_a_thousand_characters() -> None:
    assert words(OSError(1, "x" * 1000)) == "x" * 1000
    assert words(OSError(1, "x" * 1001)) == "x" * 997 + "..."


def test_of_what_a_verifier_says_only_the_full_stop_is_left_out() -> None:
    error = NotAcceptedError(7)
    error.verify_message = "no CRL of X."
    assert words(error) == "certificate not accepted: no CRL of X (code 7)"


def failed(*addresses: str, error: str = REFUSED) -> list[Attempt]:
    return [Attempt(address, 0.1, error) for address in addresses]


def test_which_addresses_were_tried() -> None:
    assert tried(failed("a:1")) == REFUSED
    assert tried(failed("a:1", "b:1")) == "Connection refused (tried 2 addresses: a:1, b:1)"
    assert tried(failed("a:1") + failed("b:1", error="No route to host")) == (
        "tried 2 addresses: a:1 (Connection refused), b:1 (No route to host)"
    )
    assert tried(failed("a:1"), ["b:1", "c:1"], ["d:1"]) == (
        "tried 1 address: a:1 (Connection refused); no answer from b:1, c:1; not tried yet: d:1"
    )
    assert tried([], ["b:1"]) == "no answer from b:1"


@pytest.mark.parametrize(
    ("count", "said"),
    [(1, "0"), (2, "0, 1"), (3, "0, 1, 2"), (4, "0, 1, 2 and 1 more"), (9, "0, 1, 2 and 6 more")],
)
def test_so_many_items_are_told(count: int, said: str) -> None:
    assert listed([str(number) for number in range(count)], 3) == said


@pytest.mark.parametrize("count", [20, 21])
def test_twenty_addresses_are_told_of_each_kind(count: int) -> None:
    names = [f"h{number}:1" for number in range(count)]
    told = ", ".join(names[:20]) + (" and 1 more" if count > 20 else "")
    attempts = failed(*names)
    assert tried(attempts) == f"{REFUSED} (tried {count} addresses: {told})"
    assert tried([], names) == f"no answer from {told}"
    assert tried([], [], names) == f"not tried yet: {told}"
    attempts[0] = attempts[0]._replace(error="no way")
    each = [f"{attempt.address} ({attempt.error})" for attempt in attempts]
    told = ", ".join(each[:20]) + (" and 1 more" if count > 20 else "")
    assert tried(attempts) == f"tried {count} addresses: {told}"


def test_parts_of_a_name_that_have_no_short_form_are_told_in_full() -> None:
    subject = ((("emailAddress", "a@b"),), (("countryName", "XX"), ("serialNumber", "7")))
    said = words(NotAcceptedError(7, {"subject": subject}))
    assert said.endswith("(code 7; subject serialNumber=7, C=XX, emailAddress=a@b)")


class DemandingError(Exception):
    def __init__(self, one: int, other: int) -> None:
        super().__init__(one)


def test_an_error_that_is_on_its_way_is_kept_as_another_one() -> None:
    error = KeyboardInterrupt("stop")
    other = copied(error)
    assert other is not error
    assert isinstance(other, KeyboardInterrupt)
    assert other.args == ("stop",)
    assert copied(DemandingError(1, 2)) is None


def test_a_name_with_many_addresses_is_told_in_few() -> None:
    attempts = [Attempt(f"192.0.2.{number}:80", 0.1, REFUSED) for number in range(200)]
    names = [attempt.address for attempt in attempts]
    for said in (tried(attempts), tried(attempts[:1], names, names)):
        assert "192.0.2.19:80 and 180 more" in said
        assert len(said) < 1200
    attempts[0] = Attempt("192.0.2.0:80", 0.1, "No route")
    assert " and 180 more" in tried(attempts)
