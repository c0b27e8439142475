"""TLS: what was agreed on, whose certificate it is, for how long, and by which clock."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

from ...ending import duration
from ...response import moment_of, printable
from ...session.causes import listed, was_told
from .. import exits
from . import chain
from .case import words
from .chain import moment

if TYPE_CHECKING:
    from ...ending import Ending
    from ...secured import Secured
    from .case import Case
    from .opening import Opened

_SKEW = 60.0  # seconds that a clock may be wrong by
PATIENCE = 5.0  # seconds, for a look without trust
_NOT_YET, _EXPIRED = 9, 10  # OpenSSL's verify codes
_ITSELF, _UNKNOWN = (18,), (19, 20, 21)
_OTHER_NAME = (62, 64)
_NAMES = ("DNS", "IP Address")
_NAMELESS = "no name"
_NOT_ACCEPTED = "certificate not accepted: "
#: What the library guesses, and is known here.
_OF_PLAIN = re.compile(r"; (if )?the server does not speak TLS there.*")


def tell(case: Case, tls: Secured, seen: chain.Seen, seconds: float | None) -> None:
    """Say what TLS has agreed on, and what the certificate and its chain say."""
    alpn = f"ALPN {tls.alpn}" if tls.alpn else "no ALPN"
    case.report.ok("tls", f"{tls.version}, {tls.cipher}, {alpn}", seconds=seconds)
    certificate = tls.certificate
    chain.tell(case, seen, verified=bool(certificate))
    if not certificate:
        advice = "anybody could be that server: leave --insecure out, or name its CA with --ca"
        case.report.warn("certificate", "not looked at (--insecure)", advice)
        return
    measured = f"for {_names(certificate)}, issued by {_issuer(certificate)}"
    ends_at = moment(certificate, "notAfter")
    if ends_at is None:
        case.report.ok("certificate", measured)
        return
    left = ends_at - time.time()
    measured += f", until {certificate['notAfter']} ({left / 86400:.0f} days)"
    if left < chain.SOON:
        advice = "it expires within 14 days: the server's people are to renew it"
        case.report.warn("certificate", measured, advice)
    else:
        case.report.ok("certificate", measured)


def is_told_later(ending: Ending) -> bool:
    """Whether TLS failed behind its handshake: in 1.3 a server looks at us only then."""
    return ending.phase == "upgrade" and ending.kind == "unreachable" and was_told(ending.cause)


def tell_failure(case: Case, done: Opened) -> None:
    """Say why there is no TLS, and what would help."""
    ending = done.ending
    assert ending is not None
    code = getattr(ending.cause, "verify_code", None)
    said, advice = words(ending)
    if ending.kind == "timed_out":
        said = f"no TLS within {done.seconds:.3g} s: whoever listens there says nothing"
        advice = advice or "look whether that port is one for TLS, and whether its server works"
    if code is not None:
        chain.tell(case, done.seen, unknown=code in _UNKNOWN)
        _tell_certificate(case, done, code, said, advice)
        return
    if not was_told(ending.cause) and _speaks_plain(case):
        advice = f"the server answers there without TLS: write {case.like('ws')} instead of wss://"
        said = _OF_PLAIN.sub("", said)
    if not advice and "; " in said:
        said, _, advice = said.rpartition("; ")
    case.fail("tls", said, advice or "look at the server's log", exits.UNREACHABLE)


def tell_clock(case: Case, done: Opened) -> None:
    """Say whether this machine's clock and the server's Date agree, if it said one."""
    response = done.response
    if response is None:
        return
    date = moment_of(response.get("date") or "")
    if date is None and done.ready is None:
        return
    if date is None:
        case.report.ok("clock", "not compared: the server's answer has no Date")
        return
    skew = date - done.answered_at
    if abs(skew) > _SKEW:
        case.report.warn("clock", _skewed(skew), "one of them is wrong: set this machine's by NTP")
    else:
        case.report.ok("clock", "as the server's Date has it, to a minute")


def _skewed(skew: float) -> str:
    side = "behind" if skew > 0 else "ahead of"
    return f"this machine's clock is {duration(abs(skew))} {side} the server's Date"


# Why a certificate is not accepted


def _tell_certificate(case: Case, done: Opened, code: int, said: str, advice: str) -> None:
    """Say whose certificate was not accepted, and what to do about that."""
    ending = done.ending
    assert ending is not None
    what = said.partition(_NOT_ACCEPTED)[2] or said
    what, end, known = what.partition("); ")  # behind which the library says what it would do
    own = _advice_of_certificate(case, ending, done.seen, code)
    parts = [own or known or "look at the certificate"]
    parts += [advice, getattr(ending.cause, "missing_store", "")]
    measured = f"not accepted: {what}{end[:1]}"
    case.fail("certificate", measured, "; ".join(filter(None, parts)), exits.UNREACHABLE)


def _advice_of_certificate(case: Case, ending: Ending, seen: chain.Seen, code: int) -> str:
    certificate: dict[str, Any] = getattr(ending.cause, "peer_certificate", None) or {}
    if code in (_NOT_YET, _EXPIRED):
        return _by_both_clocks(case, certificate, code)
    if code in _OTHER_NAME:
        names = _names(certificate)
        if names == _NAMELESS:
            return ""
        return (
            f"it is for {names}: use such a name in the URL, or have the server take a certificate "
            f"that is for '{case.url.host}'"
        )
    if code in _ITSELF:
        return (
            "the server has signed it itself: if you trust it, give that certificate as --ca FILE"
        )
    if code in _UNKNOWN:
        return chain.of_stranger(seen) or (
            f"nobody that this machine trusts has issued it ({_issuer(certificate)} has): name a "
            "private CA with --ca FILE; if it is a public one, the server does not send its chain"
        )
    return ""


def _by_both_clocks(case: Case, certificate: dict[str, Any], code: int) -> str:
    """Whose fault it is: the certificate's, or this machine's clock, by what the server's says."""
    renew = "the server's people are to renew it" if code == _EXPIRED else "it is valid later only"
    skew = _skew_of_stranger(case)
    if skew is None:
        return f"{renew}; the server says no Date, so look at this machine's clock too"
    if abs(skew) <= _SKEW:
        return f"{renew}: this machine's clock and the server's Date agree on that"
    date = time.time() + skew
    begins_at = moment(certificate, "notBefore")
    ends_at = moment(certificate, "notAfter")
    is_valid = (begins_at is None or begins_at <= date) and (ends_at is None or date <= ends_at)
    if is_valid and (begins_at, ends_at) != (None, None):
        return f"{_skewed(skew)}, by which it is valid: set this machine's clock"
    return f"{renew}; besides, {_skewed(skew)}: set it"


def _skew_of_stranger(case: Case) -> float | None:
    """How far a server's Date is ahead whom nobody has vouched for, and who is told nothing."""
    from .opening import begun

    done = begun(case, case.onlooker(True, ssl_verify=False), PATIENCE)
    done.leave(case)
    date = None if done.response is None else moment_of(done.response.get("date") or "")
    return None if date is None else date - done.answered_at


# Who speaks what


def _speaks_plain(case: Case) -> bool:
    """Whether the server answers without TLS."""
    from .opening import begun

    if case.allowance.is_over:
        return False
    done = begun(case, case.onlooker(False), PATIENCE)
    done.leave(case)
    return done.response is not None


def speaks_tls(case: Case) -> bool:
    """Whether the server that was asked without TLS answers with it."""
    from .opening import begun

    if case.allowance.is_over:
        return False
    done = begun(case, case.onlooker(True, ssl_verify=False), PATIENCE)
    done.leave(case)
    return done.connected is not None


def _names(certificate: dict[str, Any]) -> str:
    found = [
        f"'{printable(name)}'"
        for kind, name in certificate.get("subjectAltName", ())
        if kind in _NAMES
    ]
    return listed(found) if found else _NAMELESS


def _issuer(certificate: dict[str, Any]) -> str:
    parts = {kind: value for level in certificate.get("issuer", ()) for kind, value in level}
    shown = [parts.get(kind) for kind in ("commonName", "organizationName")]
    return ", ".join(printable(part) for part in shown if part) or "an issuer without a name"
