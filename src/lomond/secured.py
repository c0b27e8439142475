"""What TLS has agreed on with a server."""

from __future__ import annotations

from typing import Any, NamedTuple

__all__ = ["Secured"]


class Secured(NamedTuple):
    """What TLS has agreed on with the server, as the module ``ssl`` says it.

    Attributes:
        version: Like ``"TLSv1.3"``.
        cipher: Its name.
        alpn: The protocol above TLS (RFC 7301); None if none was agreed on.
        certificate: The server's, as ``getpeercert()`` gives it: empty where `ssl_verify` is off.
        der: The same certificate as it came (DER).

    Example:
        >>> events = list(WebSocket("wss://example.org"))
        >>> events[1].tls.version
        'TLSv1.3'
    """

    version: str | None
    cipher: str | None
    alpn: str | None = None
    certificate: dict[str, Any] | None = None
    der: bytes | None = None

    def __repr__(self) -> str:
        # A certificate would fill a screen.
        return f"Secured(version={self.version!r}, cipher={self.cipher!r}, alpn={self.alpn!r})"
