"""TLS as a layer of bytes: plain bytes on one side, records on the other, no socket.

Contexts by default verify certificate and host name. One thread at a time may use a layer.
"""

from __future__ import annotations

import contextlib
import os
import ssl
from functools import lru_cache
from typing import Any

_UNKNOWN_ISSUER = (18, 19, 20, 21)  # OpenSSL's codes: nobody who is trusted has signed it
_RECORD = 16 * 1024  # bytes; a read gives one record at most (RFC 8446 section 5.1)


def make_context(verify: bool, cafile: str | None) -> ssl.SSLContext:
    """A context for clients; the same object again for the same settings.

    Arguments:
        verify: Whether certificate and host name are checked.
        cafile: PEM file of the certificates to trust; None for the system's.

    Raises:
        OSError: The file can't be read or holds no certificate; the message names it.
    """
    store = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
    return _context(verify, cafile, _changed_at(cafile), store)


def _changed_at(cafile: str | None) -> int:
    try:
        return os.stat(cafile).st_mtime_ns if cafile else 0
    except OSError:
        return 0  # opening it says why


@lru_cache(maxsize=8)
def _context(
    verify: bool, cafile: str | None, changed: int, store: tuple[str | None, str | None]
) -> ssl.SSLContext:
    # Building one with the system's store takes 20 ms; `changed` and `store` are the key only.
    try:
        context = ssl.create_default_context(cafile=cafile)
    except OSError as error:  # ssl.SSLError is one
        said = f"ssl_cafile {cafile!r} can't be used ({error.strerror or error})"
        raise type(error)(error.errno, said) from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    with contextlib.suppress(NotImplementedError):
        context.set_alpn_protocols(["http/1.1"])
    if cafile is None:
        context.sslobject_class = _TrustsTheSystem
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


class _TrustsTheSystem(ssl.SSLObject):
    """Says why nobody is trusted, where the system's certificates are to be."""

    def do_handshake(self) -> None:
        try:
            super().do_handshake()
        except ssl.SSLCertVerificationError as error:
            missing = _missing_store(self.context)
            if error.verify_code in _UNKNOWN_ISSUER and missing:
                error.verify_message += f"; {missing}"
            raise


def _missing_store(context: ssl.SSLContext) -> str:
    """What is wrong with the system's certificates, in words; empty if nothing is."""
    for variable in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        path = os.environ.get(variable)
        if path and not os.path.exists(path):
            return f"{variable} names {path!r}, which is not there"
    # Those of a directory are loaded one by one, when they are asked for.
    directory = ssl.get_default_verify_paths().capath
    is_full = directory and os.access(directory, os.R_OK) and os.listdir(directory)
    if not is_full and not context.cert_store_stats()["x509"]:
        return "this system has no certificates to trust"
    return ""


class TLSLayer:
    """One TLS connection over bytes.

    Arguments:
        context: Used as it is, never changed.
        server_name: Whose certificate is expected.

    Attributes:
        has_ended: The stream is over; nothing more can be read.
    """

    def __init__(self, context: ssl.SSLContext, server_name: str) -> None:
        self.has_ended = False
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=server_name)

    def shake_hands(self) -> bool:
        """Go on with the handshake; whether it is done. Raises ssl.SSLError if it failed."""
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            return False
        return True

    def feed(self, records: bytes) -> None:
        """Records from below; empty bytes at the end of the stream."""
        if records:
            self._incoming.write(records)
        else:
            self._incoming.write_eof()

    def read(self) -> bytes | None:
        """Plain bytes; None if more records are needed; empty at the end of the stream.

        Raises:
            ssl.SSLError: The records are broken.
        """
        try:
            return self._tls.read(_RECORD)
        except ssl.SSLWantReadError:
            return None
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
            self.has_ended = True
            return b""

    def read_into(self, room: memoryview) -> int:
        """As `read`, into the room; the number of bytes, 0 if none are here."""
        try:
            count: Any = self._tls.read(len(room), room)  # the stubs know bytes only
            return int(count)
        except ssl.SSLWantReadError:
            return 0
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
            self.has_ended = True
            return 0

    def write(self, data: bytes) -> None:
        """Plain bytes from above."""
        view = memoryview(data)
        while view:
            view = view[self._tls.write(view) :]

    def end(self) -> None:
        """Nothing more will be written: close_notify."""
        with contextlib.suppress(ssl.SSLError, ValueError):
            self._tls.unwrap()

    def take(self) -> bytes:
        """Records to be written below."""
        return self._outgoing.read()
