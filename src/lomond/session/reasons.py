"""Why there is no connection, in words: what happened, where, and what to look at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import ProxyError
from ..url import authority
from .causes import tls_words, words
from .requests import Failed, Interrupted, TimedOut

if TYPE_CHECKING:
    from .reaching import Target
    from .session import Session

CLOSED_BY_USER = "closed by the user"


def why(session: Session, failure: Failed, target: Target) -> str:
    """A failure to connect.

    Arguments:
        session: Its `phase` and `address` tell how far it came.
        failure: What failed.
        target: Where to.
    """
    phase = session.phase
    if isinstance(failure, Interrupted):
        said = CLOSED_BY_USER
    elif isinstance(failure, TimedOut):
        said = f"not done within open_timeout ({session.timing.open_timeout:g} s)"
    elif phase == "tls" or (phase == "proxy" and not isinstance(failure.cause, ProxyError)):
        said = tls_words(failure.cause)
    else:
        said = words(failure.cause)
    address = failure.address or session.address or ""
    wanted = authority(target.host, target.port)
    if target.proxy is None:
        there = _both(wanted, address)
    else:
        through = authority(target.proxy.host, target.proxy.port)
        there = f"proxy {target.proxy.url}"
        if phase == "connect" and address not in ("", through):
            there = f"{there} at {address}"
    if phase == "resolve":
        # Of the server, or of the proxy: whichever was asked for last.
        host = wanted if target.proxy is None or address == wanted else there
        return f"unable to resolve host name {_name(target, address)!r}; {said}" + (
            "" if host == wanted else f" ({host})"
        )
    if phase == "connect":
        return f"unable to connect to {there}; {said}"
    if phase == "proxy":
        return f"{there} did not connect us to {wanted}; {said}"
    behind = "" if target.proxy is None else f" through {there}"
    there = wanted if target.proxy is not None else there
    if phase == "tls":
        return f"TLS with {there}{behind} failed; {said}"
    return f"request failed; {said} (upgrade request to {there}{behind})"


def _name(target: Target, address: str) -> str:
    if target.proxy is not None and address == authority(target.proxy.host, target.proxy.port):
        return target.proxy.host
    return target.host


def _both(wanted: str, address: str) -> str:
    return wanted if address in ("", wanted) else f"{wanted} at {address}"
