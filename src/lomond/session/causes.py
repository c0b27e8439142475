"""Failures in words, and their causes made fit to be kept."""

from __future__ import annotations

import re

from ..url import redact

_OPENSSL = re.compile(r"^\[[A-Z0-9_: ]+\] | \(_ssl\.c:\d+\)$")  # what only it understands


def kept(cause: BaseException | None) -> BaseException | None:
    """The cause without its traceback and chain (they keep frames alive) and without secrets."""
    if cause is not None:
        cause.__traceback__ = None
        cause.__context__ = None
        cause.__cause__ = None
        if any(isinstance(arg, str) and redact(arg) != arg for arg in cause.args):
            cause.args = tuple(redact(a) if isinstance(a, str) else a for a in cause.args)
    return cause


def words(cause: BaseException) -> str:
    """What the system or TLS said, without numbers that only it understands."""
    verify_message = getattr(cause, "verify_message", None)
    if verify_message:
        return f"certificate not accepted: {verify_message}{_hint(cause)}"
    said = getattr(cause, "strerror", None) or str(cause) or type(cause).__name__
    return _OPENSSL.sub("", str(said))


def tls_words(cause: BaseException) -> str:
    """As `words`, of a TLS handshake, with a hint where the server speaks something else."""
    # Its name is OpenSSL's: what came as a record's head holds no version of TLS.
    is_other = getattr(cause, "reason", None) == "WRONG_VERSION_NUMBER"
    hint = "; the server does not speak TLS there; use ws://?" if is_other else ""
    return words(cause) + hint


def _hint(cause: BaseException) -> str:
    code = getattr(cause, "verify_code", None)
    if code in (18, 19, 20, 21):
        return "; if the server has a private CA, name it with ssl_cafile"
    if code == 10:
        return "; check the clock of this machine too"
    if code in (62, 64):
        return "; the certificate is for another name, see server_name"
    return ""
