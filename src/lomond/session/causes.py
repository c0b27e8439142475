"""Failures in words, and their causes made fit to be kept."""

from __future__ import annotations

import copy
import errno
import os
import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from ..response import printable
from ..url import redact

if TYPE_CHECKING:
    from ..timings import Attempt

_OPENSSL = r"^\[[A-Z0-9_: ]+\] | \(_ssl\.c:\d+\)$"  # what only it understands
_MOST = 5  # names, or parts of a name
_MOST_TRIED = 20  # addresses
_LONGEST_NAME = 64  # characters
_LONGEST_WORDS = 1000  # characters; what a system says, or we do, is never so long
_SHORT = {
    "commonName": "CN",
    "organizationName": "O",
    "organizationalUnitName": "OU",
    "localityName": "L",
    "stateOrProvinceName": "ST",
    "countryName": "C",
}
_PRIVATE_CA = "if the server has a private CA, name it with ssl_cafile"
_CLOCK = "check the clock of this machine too"
_NO_NAME = (
    "it has no subjectAltName, and its common name does not count (RFC 9525): the server needs "
    "another certificate, or see ssl_context (hostname_checks_common_name)"
)
_OTHER_NAME = "the certificate is for another name, see server_name"
_OTHER_PROXY = "the certificate is for another name than that in the proxy's URL"
_WEAK = "it is too weak for this machine's OpenSSL, see ssl_context"
_NO_CA = (
    "one of the certificates that it was issued with may not issue any (basicConstraints): the "
    "server needs another chain"
)
_CURVE = "a key of its chain has no curve by name: the server needs another certificate"
_STRICT = "this Python takes no such certificate (VERIFY_X509_STRICT), see ssl_context"
_MISMATCHES = (62, 64)  # of a host's name, or its address
#: OpenSSL's verify codes (x509_vfy.h) -> what to do.
_VERIFY_HINTS = {
    9: _CLOCK,
    10: _CLOCK,
    18: "if that certificate is to be trusted, name it with ssl_cafile",
    19: _PRIVATE_CA,
    20: _PRIVATE_CA,
    21: _PRIVATE_CA,
    26: "the certificate is not one for servers",
    66: _WEAK,
    67: _WEAK,
    68: _WEAK,
    79: _NO_CA,
    **dict.fromkeys(range(80, 94), _STRICT),
    94: _CURVE,
    **dict.fromkeys(_MISMATCHES, _OTHER_NAME),
}
#: What a hint says of a server -> of a proxy.
_OF_PROXY = (
    (_OTHER_NAME, _OTHER_PROXY),
    ("see ssl_context", "see proxy_ssl_context"),
    ("the server needs", "the proxy needs"),
)
_NO_DESCRIPTOR = "this process has no file descriptor left, see 'ulimit -n'"
_NO_COMMON_VERSION = "the server and this machine have no version of TLS in common"
_OUR_CERTIFICATE = "the server did not accept our certificate; see ssl_certfile"
#: What OpenSSL's reason holds -> what to do. Those with ALERT were said by the server.
_REASON_HINTS = {
    "ALERT_CERTIFICATE_REQUIRED": "the server wants a client certificate; give ssl_certfile",
    "ALERT_BAD_CERTIFICATE": _OUR_CERTIFICATE,
    "ALERT_UNSUPPORTED_CERTIFICATE": _OUR_CERTIFICATE,
    "ALERT_CERTIFICATE_REVOKED": _OUR_CERTIFICATE,
    "ALERT_CERTIFICATE_EXPIRED": _OUR_CERTIFICATE,
    "ALERT_CERTIFICATE_UNKNOWN": _OUR_CERTIFICATE,
    "ALERT_UNKNOWN_CA": _OUR_CERTIFICATE,
    "ALERT_HANDSHAKE_FAILURE": "the server and this machine have no version of TLS or cipher in "
    "common, or it wants a client certificate (ssl_certfile)",
    "ALERT_INSUFFICIENT_SECURITY": "the server wants stronger ciphers; see ssl_context",
    "ALERT_PROTOCOL_VERSION": _NO_COMMON_VERSION,
    "UNSUPPORTED_PROTOCOL": _NO_COMMON_VERSION,
    "UNRECOGNIZED_NAME": "the server does not know that name; see server_name",
    "NO_APPLICATION_PROTOCOL": "the server speaks no HTTP/1.1 there, HTTP/2 only perhaps; ask on a "
    "port, or by a name, where it speaks HTTP/1.1",
}


#: What the reasons have of which the other side says in an alert that they are its own.
_ALERTS = ("ALERT", "UNRECOGNIZED_NAME")
_SAID = ("strerror", "filename", "filename2")  # an OSError with a number shows these, not its args


def kept(cause: BaseException | None) -> BaseException | None:
    """The cause without its traceback and chain (they keep frames alive) and without secrets."""
    if cause is not None:
        cause.__traceback__ = None
        cause.__context__ = None
        cause.__cause__ = None
        if any(isinstance(arg, str) and redact(arg) != arg for arg in cause.args):
            cause.args = tuple(redact(a) if isinstance(a, str) else a for a in cause.args)
    if isinstance(cause, OSError):
        for name in _SAID:
            said: object = getattr(cause, name)
            if isinstance(said, str):
                setattr(cause, name, redact(said))
    return cause


def copied(error: BaseException) -> BaseException | None:
    """Another one like it, to be kept: this one is on its way to the user, with its traceback."""
    try:
        return copy.copy(error)
    except Exception:
        return None  # a class whose constructor wants more than it keeps; the reason names it


def words(cause: BaseException) -> str:
    """What the system or TLS said, without numbers that only it understands, and what to do."""
    verify_message = getattr(cause, "verify_message", None)
    if verify_message:
        about = "; ".join(_about_certificate(cause))
        message = printable(verify_message.rstrip("."))  # some verifiers say names in it
        said = f"certificate not accepted: {message} ({about})"
        return f"{said}{_verify_hint(cause)}"
    said = getattr(cause, "strerror", None) or str(cause) or type(cause).__name__
    reason = reason_of(cause)
    hints = [hint for key, hint in _REASON_HINTS.items() if key in reason]
    if os.strerror(errno.EMFILE) in str(said) and "ulimit" not in str(said):
        hints.append(_NO_DESCRIPTOR)
    return "; ".join([printable(re.sub(_OPENSSL, "", str(said)), _LONGEST_WORDS), *hints[:1]])


def was_told(cause: BaseException | None) -> bool:
    """Whether the other side of TLS said so, in an alert."""
    return any(word in reason_of(cause) for word in _ALERTS)


def reason_of(cause: BaseException | None) -> str:
    """OpenSSL's name for what went wrong with TLS; empty for other errors."""
    reason = getattr(cause, "reason", None)
    if reason is None and hasattr(cause, "library"):
        # Python's table of them has not all.
        return re.sub(_OPENSSL, "", str(cause)).upper().replace(" ", "_")
    return reason if isinstance(reason, str) else ""


def tls_words(cause: BaseException, of_proxy: bool = False) -> str:
    """What failed in a TLS handshake, with a hint where the other side speaks something else."""
    # Its name is OpenSSL's: what came as a record's head holds no version of TLS.
    is_other = getattr(cause, "reason", None) == "WRONG_VERSION_NUMBER"
    is_cut = isinstance(cause, (ConnectionResetError, BrokenPipeError, EOFError))
    who, other = ("proxy", "http:// for the proxy") if of_proxy else ("server", "ws://")
    hint = f"; the {who} does not speak TLS there; use {other}?" if is_other else ""
    if is_cut:  # which has other reasons too
        hint = f"; if the {who} does not speak TLS there, use {other}"
    said = words(cause) + hint
    if not of_proxy:
        return said
    for ours, theirs in _OF_PROXY:
        said = said.replace(ours, theirs)
    return said


def tried(
    attempts: Sequence[Attempt], running: Sequence[str] = (), waiting: Sequence[str] = ()
) -> str:
    """Which addresses were tried, and what came of it; a reason that all share is said once.

    Arguments:
        attempts: Those that failed.
        running: Addresses that have not answered.
        waiting: Addresses that were not tried yet.
    """
    said: list[str] = []
    errors = {str(attempt.error) for attempt in attempts}
    if len(attempts) == 1 and not running and not waiting:
        return errors.pop()
    count = f"tried {len(attempts)} address{'es' if len(attempts) > 1 else ''}: "
    if len(attempts) > 1 and len(errors) == 1:
        addresses = listed([attempt.address for attempt in attempts], _MOST_TRIED)
        said.append(f"{errors.pop()} ({count}{addresses})")
    elif attempts:
        each = [f"{attempt.address} ({attempt.error})" for attempt in attempts]
        said.append(count + listed(each, _MOST_TRIED))
    if running:
        said.append(f"no answer from {listed(running, _MOST_TRIED)}")
    if waiting:
        said.append(f"not tried yet: {listed(waiting, _MOST_TRIED)}")
    return "; ".join(said)


def listed(items: Sequence[str], most: int = _MOST) -> str:
    """The items one after another, and how many more there are."""
    more = len(items) - most
    return ", ".join(items[:most]) + (f" and {more} more" if more > 0 else "")


def _shown(text: object) -> str:
    return printable(text, _LONGEST_NAME)


def _verify_hint(cause: BaseException) -> str:
    code: Any = getattr(cause, "verify_code", None)
    hint = _VERIFY_HINTS.get(code)
    if code in _MISMATCHES and _has_no_name(cause):
        hint = _NO_NAME
    # The door says so where it looked for certificates and found none.
    hints = (hint, getattr(cause, "missing_store", None))
    return "".join(f"; {hint}" for hint in hints if hint)


def _has_no_name(cause: BaseException) -> bool:
    """Whether the certificate is known, and is for no name at all."""
    certificate: dict[str, Any] | None = getattr(cause, "peer_certificate", None)
    return bool(certificate) and not (certificate or {}).get("subjectAltName")


def _about_certificate(cause: BaseException) -> list[str]:
    """The code, and whose certificate it is as far as the door could see.

    It gives the certificate in the form of ``SSLObject.getpeercert``, as `peer_certificate`. All
    of it comes from the peer, and nobody has vouched for it.
    """
    code = getattr(cause, "verify_code", None)
    certificate: dict[str, Any] = getattr(cause, "peer_certificate", None) or {}
    names = [
        _shown(name)
        for kind, name in certificate.get("subjectAltName", ())
        if kind in ("DNS", "IP Address")
    ]
    said = [f"code {code}"]
    if names:
        said.append("it is for " + listed([f"'{name}'" for name in names]))
    if code == 9 and "notBefore" in certificate:
        said.append(f"valid from {_shown(certificate['notBefore'])}")
    if code == 10 and "notAfter" in certificate:
        said.append(f"valid until {_shown(certificate['notAfter'])}")
    subject = _distinguished(certificate.get("subject", ()))
    issuer = _distinguished(certificate.get("issuer", ()))
    if subject:
        said.append(f"subject {subject}")
    if issuer:
        said.append("issued by itself" if issuer == subject else f"issued by {issuer}")
    return said


def _distinguished(name: Iterable[Iterable[tuple[str, str]]]) -> str:
    """A name of X.500 in one line, the most specific part first."""
    parts = [
        f"{_SHORT.get(kind) or _shown(kind)}={_shown(value)}"
        for level in name
        for kind, value in level
    ]
    return ", ".join(parts[::-1][:_MOST])
