"""Which failures no further attempt can mend: somebody has to change something first."""

from __future__ import annotations

from .causes import reason_of

#: Of a name that is not, or has no address: in glibc, the BSDs and macOS, and Windows.
_NO_NAME = frozenset([-2, -5, 8, 7, 11001, 11004])
_UNTIL = "no attempt can succeed until {}: persist() waits max_wait before each"


def lasting(cause: BaseException | None) -> str | None:
    """What has to change before an attempt can succeed; None where one may.

    Arguments:
        cause: Why there was no connection.
    """
    if hasattr(cause, "verify_code"):
        return "the certificate is accepted"
    if type(cause).__name__ == "gaierror" and getattr(cause, "errno", None) in _NO_NAME:
        return "that name exists"
    if hasattr(cause, "is_of_scheme"):
        return "that URL has another scheme"
    said = reason_of(cause)  # what has ALERT the other side said
    if "ALERT" in said and ("CERTIFICATE" in said or "UNKNOWN_CA" in said):
        return "the server accepts our certificate"
    return None


def hint(cause: BaseException | None) -> str | None:
    """What to do about a failure that lasts, for people; None where none does."""
    change = lasting(cause)
    return None if change is None else _UNTIL.format(change)
