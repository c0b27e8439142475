"""TLS contexts. By default they verify certificate and host name."""

from __future__ import annotations

import contextlib
import os
import ssl
from functools import lru_cache

_UNKNOWN_ISSUER = (18, 19, 20, 21)  # OpenSSL's codes: nobody who is trusted has signed it


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
