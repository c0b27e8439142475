"""The chain of certificates: what the server sent, and what OpenSSL made of it here."""

from __future__ import annotations

import contextlib
import ssl
import time
from collections.abc import Generator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from ...response import printable

if TYPE_CHECKING:
    from .case import Case

SOON = 14 * 86400.0  # seconds
_MOST = 10  # certificates
_LONGEST_NAME = 60  # characters of a part of a name
_NAMED_BY = ("organizationalUnitName", "organizationName")
_NAMELESS = "somebody without a name"


class Link(NamedTuple):
    """One certificate of the chain.

    Attributes:
        subject: Whose it is.
        issuer: Who signed it.
        until: When it ends, by ISO 8601; None if it does not say.
        sent: Whether the server sent it; or else it was found here.
        used: Whether it is part of the chain, or was sent besides.
        root: Whether it was issued by itself.
    """

    subject: str
    issuer: str
    until: str | None
    sent: bool
    used: bool
    root: bool


class Seen:
    """What the last handshake has shown of certificates.

    Attributes:
        links: From the server's own to the topmost, and behind that what was sent besides; empty
            where this Python does not tell.
    """

    def __init__(self) -> None:
        self.links: list[Link] = []

    def look(self, tls: Any) -> None:
        """Take the certificates of a handshake, done or failed.

        The public way (`get_unverified_chain`, from Python 3.13 on) gives bytes that nothing here
        can read; the object beneath gives them taken apart, in all versions. Where that is gone,
        nothing is told.
        """
        try:
            inner = tls._sslobj
            sent = list(inner.get_unverified_chain() or ())
            # Of a session that is resumed there is none; of one that failed, what there was.
            used = list(inner.get_verified_chain() or sent)
            besides = [one for one in sent if one not in used]
            self.links = [
                *(_link(one.get_info(), one in sent, True) for one in used[:_MOST]),
                *(_link(one.get_info(), True, False) for one in besides[:_MOST]),
            ]
        except (AttributeError, LookupError, OSError, TypeError, ValueError):
            self.links = []

    @property
    def top(self) -> Link | None:
        """The last certificate of the chain itself."""
        return next((link for link in reversed(self.links) if link.used), None)


class _Telling(ssl.SSLObject):
    """Shows what it has seen of certificates, beside what the context's own class does."""

    seen: ClassVar[Seen]

    def do_handshake(self) -> None:
        try:
            super().do_handshake()
        finally:
            self.seen.look(self)


@contextlib.contextmanager
def watched(options: dict[str, Any]) -> Generator[Seen]:
    """What handshakes in the block show, of WebSockets with these options.

    The library's own contexts are watched: one of ours would not make the connection as it does.
    """
    from ...system.tls import make_context

    seen = Seen()
    verify, cafile = options["ssl_verify"], options["ssl_cafile"]
    own = {"certfile": options["ssl_certfile"], "keyfile": options["ssl_keyfile"]}
    with contextlib.ExitStack() as stack:
        # The second one is for where we are sent on to; it may be the same. Files that can't be
        # read the connection tells of.
        with contextlib.suppress(OSError, ValueError):
            for files in (own, {}):
                _watch(stack, make_context(verify, cafile, **files), seen)
        yield seen


def _watch(stack: contextlib.ExitStack, context: ssl.SSLContext, seen: Seen) -> None:
    before: type[Any] = context.sslobject_class
    if not issubclass(before, _Telling):
        kind = type("_Told", (_Telling, before), {"seen": seen})
        context.sslobject_class = kind
        stack.callback(setattr, context, "sslobject_class", before)


def tell(case: Case, seen: Seen, *, verified: bool = False, unknown: bool = False) -> None:
    """Say what the chain is.

    Arguments:
        case: Whose report it goes to.
        seen: The chain.
        verified: Whether it was accepted.
        unknown: Whether it was not, because it leads to nobody who is trusted.
    """
    top = seen.top
    if top is None:
        case.report.chain("not told by this Python", "", [])
        return
    measured, advice = _in_words(seen), ""
    if unknown and not top.root:
        measured += f" ({top.issuer}: neither sent, nor found here)"
        advice = f"if {top.issuer} is an intermediate, the server is to send it"
    elif verified:
        soon = [link for link in seen.links[1:] if link.used and _ends_soon(link)]
        if soon:
            advice = (
                f"the certificate of {soon[0].subject} expires within 14 days: the server's people "
                "are to replace it"
            )
    case.report.chain(measured, advice, [link._asdict() for link in seen.links])


def of_stranger(seen: Seen) -> str:
    """What there is to do about a chain that leads to nobody who is trusted; "" if not known."""
    top = seen.top
    if top is None:
        return ""
    if top.root:
        return (
            f"its chain leads to {top.subject}, whom this machine does not trust: if that is a "
            "private CA, name it with --ca FILE"
        )
    whose = "its own" if top is seen.links[0] else f"that of {top.subject}"
    return (
        f"the server does not send the certificate of {top.issuer}, who has issued {whose}, nor "
        "is it here: if that is an intermediate, have the server send its whole chain; if it is a "
        "private CA, name it with --ca FILE"
    )


def who(name: Any) -> str:
    """A name of X.500, for people."""
    parts = {kind: printable(value, _LONGEST_NAME) for level in name or () for kind, value in level}
    kinds = ("commonName", "organizationName") if parts.get("commonName") else _NAMED_BY
    return ", ".join(parts[kind] for kind in kinds if parts.get(kind)) or _NAMELESS


def _in_words(seen: Seen) -> str:
    used = [link for link in seen.links if link.used]
    said = [f"{link.subject} ({_until(link)})" for link in used]
    said.append("itself" if used[-1].root else used[-1].issuer)
    besides = [f"{link.subject} ({_until(link)})" for link in seen.links if not link.used]
    chain = ", issued by ".join(said)
    return f"{chain}; sent besides: {', '.join(besides)}" if besides else chain


def _until(link: Link) -> str:
    until = f"until {link.until[:10]}" if link.until else "without an end"
    return until if link.sent else f"{until}, found here"


def _link(certificate: dict[str, Any], is_sent: bool, is_used: bool) -> Link:
    ends_at = moment(certificate, "notAfter")
    until = None if ends_at is None else datetime.fromtimestamp(ends_at, UTC).isoformat()
    subject, issuer = certificate.get("subject"), certificate.get("issuer")
    return Link(who(subject), who(issuer), until, is_sent, is_used, subject == issuer)


def moment(certificate: dict[str, Any], name: str) -> float | None:
    """A time of a certificate, in seconds since the epoch."""
    try:
        return float(ssl.cert_time_to_seconds(certificate[name]))
    except (KeyError, ValueError):
        return None


def _ends_soon(link: Link) -> bool:
    if link.until is None:
        return False
    return datetime.fromisoformat(link.until).timestamp() - time.time() < SOON
