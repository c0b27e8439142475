"""TLS contexts. By default they verify certificate and host name."""

from __future__ import annotations

import contextlib
import os
import ssl
from collections.abc import Hashable
from functools import lru_cache
from importlib import import_module

from . import descriptors, tickets
from .socket_checks import certificate_files, empty_directory, is_der, no_truststore

_UNKNOWN_ISSUER = (18, 19, 20, 21)  # OpenSSL's codes: nobody who is trusted has signed it


def make_context(
    verify: bool,
    cafile: str | None,
    *,
    certfile: str | None = None,
    keyfile: str | None = None,
    password: str | None = None,
    truststore: bool = False,
) -> ssl.SSLContext:
    """A context for clients; the same object again for the same settings and files.

    Arguments:
        verify: Whether certificate and host name are checked.
        cafile: PEM file of the certificates to trust, or a directory of such files; None for the
            system's.
        certfile: PEM file of our own certificate, for servers that want one; None for none.
        keyfile: PEM file of its private key; None if `certfile` holds it.
        password: What that key is encrypted with, if it is.
        truststore: Whether the system's own means verify, with the package truststore.

    Raises:
        OSError: A file can't be used; the message names it.
        ValueError: `truststore` and `cafile` are given.
        ImportError: `truststore` is asked for, and not installed.
    """
    if truststore and cafile is not None:
        raise ValueError("truststore and ssl_cafile exclude each other; leave one out")
    store = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
    changed = tuple(_changed_at(path) for path in (cafile, certfile, keyfile))
    return kept_context(verify, cafile, truststore, (certfile, keyfile), password, (changed, store))


def _changed_at(path: str | None) -> Hashable:
    """Something that changes when the file does, or one of the directory's files."""
    if path is None:
        return None
    try:
        if os.path.isdir(path):
            names = sorted(os.listdir(path))
            return tuple((name, _modified(os.path.join(path, name))) for name in names)
    except OSError:
        return None  # opening it says why
    return _modified(path)


def _modified(path: str) -> int | None:
    try:
        return os.stat(path).st_mtime_ns
    except (OSError, ValueError):
        return None


@lru_cache(maxsize=8)
def kept_context(
    verify: bool,
    cafile: str | None,
    truststore: bool,
    own: tuple[str | None, str | None],
    password: str | None,
    changed: Hashable,  # the files and the environment; part of the key only
) -> ssl.SSLContext:
    """What `make_context` gives, as long as it is kept; `cache_clear` forgets them all."""
    # Building one with the system's store takes 20 ms.
    context = _from_truststore() if truststore else _trusting(cafile)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ssl.HAS_NEVER_CHECK_COMMON_NAME:  # RFC 9525 section 2: a name is in subjectAltName, or none
        context.hostname_checks_common_name = False
    with contextlib.suppress(NotImplementedError):
        context.set_alpn_protocols(["http/1.1"])
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if own[0] is not None:
        _load_own(context, own[0], own[1], password)
    if verify and not truststore:
        # Of a user's own we don't know who it says that we are, nor whether that is changed.
        tickets.allow(context)
    return context


def _from_truststore() -> ssl.SSLContext:
    try:
        module = import_module("truststore")
    except ModuleNotFoundError:
        raise ImportError(no_truststore()) from None
    context: ssl.SSLContext = module.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return context


def _trusting(cafile: str | None) -> ssl.SSLContext:
    if cafile is not None and os.path.isdir(cafile):
        return _trusting_directory(cafile)
    try:
        context = ssl.create_default_context(cafile=cafile)
    except OSError as error:  # ssl.SSLError is one
        raise _unusable("ssl_cafile", cafile, error) from None
    if cafile is None:
        if not context.cert_store_stats()["x509"]:
            descriptors.check()  # OpenSSL says nothing of a file that it can't open
        context.sslobject_class = _TrustsTheSystem
    return context


def _trusting_directory(directory: str) -> ssl.SSLContext:
    """All that is in it is loaded: OpenSSL would only find names that are hashes."""
    context = ssl.create_default_context(capath=directory)
    path = directory
    is_empty = True
    try:
        for path in certificate_files(directory):
            is_empty = False
            with open(path, "rb") as file:
                data = file.read()
            if is_der(data):
                context.load_verify_locations(cadata=data)
            else:
                context.load_verify_locations(cafile=path)
    except OSError as error:
        raise _unusable("ssl_cafile", path, error) from None
    if is_empty:
        raise OSError(0, empty_directory(directory))
    return context


def _load_own(
    context: ssl.SSLContext, certfile: str, keyfile: str | None, password: str | None
) -> None:
    asked: list[bool] = []

    def opened() -> bytes:
        # Always given: without it OpenSSL would ask on the terminal, and wait.
        asked.append(True)
        return (password or "").encode("utf-8", "surrogatepass")

    try:
        context.load_cert_chain(certfile, keyfile, opened)
    except ssl.SSLError as error:
        key = f"ssl_certfile {certfile!r}" if keyfile is None else f"ssl_keyfile {keyfile!r}"
        if error.reason == "KEY_VALUES_MISMATCH":
            said = f"{key} holds the key of another certificate than {certfile!r} is"
        elif asked and not password:
            said = f"the private key in {key} is encrypted; give ssl_password"
        elif asked:
            said = f"ssl_password does not open the private key in {key}"
        else:
            pair = certfile if keyfile is None else f"{certfile}, {keyfile}"
            raise _unusable("ssl_certfile", pair, error) from None
        raise ssl.SSLError(error.errno, said) from None
    except OSError as error:
        if keyfile is not None and os.access(certfile, os.R_OK):
            raise _unusable("ssl_keyfile", keyfile, error) from None
        raise _unusable("ssl_certfile", certfile, error) from None
    except ValueError as error:  # longer than OpenSSL takes; it says no more than that
        raise OSError(0, f"ssl_password can't be used ({error})") from None


def _unusable(name: str, path: str | None, error: OSError) -> OSError:
    said = f"{name} {path!r} can't be used ({error.strerror or error})"
    return type(error)(error.errno, said)


class _TrustsTheSystem(ssl.SSLObject):
    """Says why nobody is trusted, where the system's certificates are to be."""

    def do_handshake(self) -> None:
        try:
            super().do_handshake()
        except ssl.SSLCertVerificationError as error:
            if error.verify_code not in _UNKNOWN_ISSUER:
                raise
            descriptors.check()  # with none left it can't look who has signed it
            missing = _missing_store(self.context)
            if missing:
                error.missing_store = missing  # type: ignore[attr-defined]  # for causes.py
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
