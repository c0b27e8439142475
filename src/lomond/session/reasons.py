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


def why(session: Session, failure: Failed, target: Target | None) -> str:
    """A failure to connect.

    Arguments:
        session: Its course tells how far it came.
        failure: What failed.
        target: Where to; None where what the user gave could not even be asked.
    """
    said = _said(session, failure)
    if target is None:
        return f"the request can't be made; {said}"
    phase = session.course.phase
    address = failure.address or session.course.address or ""
    wanted = authority(target.host, target.port)
    proxy = target.proxy
    if phase == "resolve":
        # The server's name is resolved too where the proxy is not to do it.
        is_proxys = proxy is not None and address == authority(proxy.host, proxy.port)
        host = proxy.host if proxy is not None and is_proxys else target.host
        behind = f" (of proxy {proxy.url})" if proxy is not None and is_proxys else ""
        return f"unable to resolve host name {host!r}{behind}; {said}"
    if proxy is None:
        there, through = _both(wanted, address), ""
    else:
        there = _both(f"proxy {proxy.url}", "" if phase != "connect" else address)
        through = f" through {there}"
    if phase == "connect":
        return f"unable to connect to {there}; {said}"
    if phase == "proxy":
        return f"{there} did not connect us to {wanted}; {said}"
    there = there if proxy is None else wanted
    if phase == "tls":
        return f"TLS with {there}{through} failed; {said}"
    return f"request failed; {said} (upgrade request to {there}{through})"


def _said(session: Session, failure: Failed) -> str:
    if session.ending.event is not None:
        return session.ending.event.reason
    if isinstance(failure, Interrupted):
        return CLOSED_BY_USER
    if isinstance(failure, TimedOut):
        said = f"not done within open_timeout ({session.timing.open_timeout:g} s)"
        return f"{said}; {failure.said}" if failure.said else said
    if failure.said:
        return failure.said
    if session.course.phase == "tls":
        return tls_words(failure.cause)
    if session.course.phase == "proxy" and not isinstance(failure.cause, ProxyError):
        return tls_words(failure.cause, of_proxy=True)
    return words(failure.cause)


def _both(wanted: str, address: str) -> str:
    return wanted if not address or wanted.endswith(address) else f"{wanted} at {address}"
