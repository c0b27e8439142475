"""Failures in words, and their causes made fit to be kept."""

from __future__ import annotations

from ..url import redact


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
    return str(said)


def _hint(cause: BaseException) -> str:
    code = getattr(cause, "verify_code", None)
    if code in (18, 19, 20, 21):
        return "; if the server has a private CA, name it with ssl_cafile"
    if code == 10:
        return "; check the clock of this machine too"
    if code in (62, 64):
        return "; the certificate is for another name, see server_name"
    return ""
