"""What TLS has agreed on with a server."""

from __future__ import annotations

from typing import Any, NamedTuple

__all__ = ["Secured"]


class Secured(NamedTuple):
    """What TLS has agreed on with the server, as the module ``ssl`` says it."""

    version: str | None  #: like ``"TLSv1.3"``
    cipher: str | None  #: its name
    alpn: str | None = None  #: the protocol above TLS (RFC 7301); None if none was agreed on
    #: As ``getpeercert()`` gives it: empty where `ssl_verify` is off.
    certificate: dict[str, Any] | None = None
    der: bytes | None = None  #: the same certificate as it came (DER)

    def __repr__(self) -> str:
        # A certificate would fill a screen.
        return f"Secured(version={self.version!r}, cipher={self.cipher!r}, alpn={self.alpn!r})"
