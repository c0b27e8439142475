"""Where a conversation goes, up to a stream of bytes to the server: addresses, proxy, redirects.

A script, as opening.py, which it belongs to.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, NamedTuple, Protocol

from ..errors import ProxyError
from ..options import BODY_TIMEOUT, RACE_DELAY
from ..url import Url, authority, parse, tls_name
from .causes import tls_words, words
from .course import sooner
from .requests import (
    AddressInfo,
    Adopt,
    Answer,
    Drop,
    Failed,
    Interrupted,
    Peer,
    Read,
    Request,
    Resolve,
    Send,
    StartTLS,
    TimedOut,
    race,
    resolve,
)

if TYPE_CHECKING:
    from ..proxies import Proxy
    from ..response import Response
    from .session import Session


CLOSED_BY_USER = "closed by the user"
#: Whether TLS, host, port.
Origin = tuple[bool, str, int]


class Target(NamedTuple):
    """Where to, and how."""

    url: str  #: for people and for cookies; may hold a password
    host: str
    port: int
    secure: bool
    server_name: str  #: whose certificate is expected
    has_socket: bool = False  #: the user gave a connected socket
    addresses: list[AddressInfo] | None = None  #: instead of those of the host
    proxy: Proxy | None = None

    @property
    def peer(self) -> Peer | None:
        """What tells its server from others; None where the user says where it is."""
        if self.has_socket or self.addresses is not None:
            return None
        return self.host, self.port, None if self.proxy is None else self.proxy.url

    @property
    def origin(self) -> Origin:
        """What must be the same for credentials to be sent there (RFC 6454)."""
        return (self.secure, self.host, self.port)


class Tunnel(Protocol):
    """What is said to a proxy; see protocol/tunnel.py."""

    is_done: bool
    rest: bytes

    @property
    def is_reading_body(self) -> bool: ...
    def start(self) -> bytes: ...
    def receive(self, data: bytes) -> bytes: ...
    def refused(self) -> ProxyError | None: ...
    def may_try_again(self, error: ProxyError) -> bool: ...


class MakesTunnels(Protocol):
    """Who knows what to say to a proxy."""

    def tunnel(self, target: Target, host: str) -> Tunnel: ...


#: Returns the first bytes if they came already, and when it was done.
Steps = Generator[Request, Answer, tuple[bytes, float]]


def reach(
    session: Session, target: Target, maker: MakesTunnels, now: float, deadline: float | None
) -> Steps:
    """Connect through the proxy; or take the socket that the user gave."""
    if target.has_socket:
        session.course.enter("connect", now)
        answer = yield Adopt()
        session.course.address = answer.value
        return b"", answer.now
    proxy = target.proxy
    assert proxy is not None
    hosts = [target.host]
    if proxy.scheme in ("socks4", "socks5"):
        hosts, now = yield from _resolve(session, target, proxy, now, deadline)
    first: Failed | None = None
    for host in hosts:
        tunnel = maker.tunnel(target, host)
        while True:
            began = yield from connect(session, (proxy.host, proxy.port), None, now, deadline)
            session.course.enter("proxy", began)
            if proxy.scheme == "https":
                there = proxy.host, proxy.port, None
                yield StartTLS(tls_name(proxy.host), deadline, of_proxy=True, peer=there)
            error, answer = yield from _talk(session, tunnel, deadline)
            if error is None:
                session.course.timings.proxy = answer.now - began
                return tunnel.rest, answer.now
            if not tunnel.may_try_again(error):
                break
            now = (yield Drop()).now
        first = first or Failed(error, answer.now, session.course.address)
        first.now = answer.now
        if host != hosts[-1]:
            now = (yield Drop()).now
    assert first is not None
    raise first


def connect(
    session: Session,
    where: tuple[str, int],
    addresses: list[AddressInfo] | None,
    now: float,
    deadline: float | None,
) -> Generator[Request, Answer, float]:
    """Connect to a host, or to what is given instead of its addresses; when it was done."""
    timings = session.course.timings
    session.course.address = authority(*where)
    if addresses is None:
        session.course.enter("resolve", now)
        answer = yield resolve((*where, deadline))
        timings.resolve = answer.now - now
        now = answer.now
        found: list[AddressInfo] = answer.value
        addresses = found
    session.course.enter("connect", now)
    try:
        answer = yield race((addresses, RACE_DELAY, deadline))
    except Failed as failure:
        timings.attempts += tuple(failure.attempts)
        raise
    session.course.address, attempts = answer.value
    timings.attempts += tuple(attempts)
    return answer.now


def _resolve(
    session: Session, target: Target, proxy: Proxy, now: float, deadline: float | None
) -> Generator[Request, Answer, tuple[list[str], float]]:
    """The addresses of the server, for a proxy that is not to resolve names."""
    session.course.enter("resolve", now)
    session.course.address = authority(target.host, target.port)
    answer = yield Resolve(target.host, target.port, deadline)
    hosts: list[str] = [info[4][0].partition("%")[0] for info in answer.value]
    if proxy.scheme == "socks4":
        hosts = [host for host in hosts if ":" not in host]
    if not hosts:
        said = "it has no IPv4 address, and SOCKS4 knows no other; use socks5://"
        raise Failed(OSError(said), answer.now)
    return list(dict.fromkeys(hosts)), answer.now


def _talk(
    session: Session, tunnel: Tunnel, deadline: float | None
) -> Generator[Request, Answer, tuple[ProxyError | None, Answer]]:
    """Have the proxy connect us. Returns why it does not, or None."""
    words = tunnel.start()
    while True:
        try:
            answer = yield from _answered(session, words, deadline)
        except Failed as failure:
            refusal = tunnel.refused()
            if refusal is None or isinstance(failure, Interrupted):
                raise
            return refusal, Answer(failure.now)
        try:
            words = tunnel.receive(answer.value)
        except ProxyError as error:
            return error, answer
        if tunnel.is_done:
            return None, answer
        if tunnel.is_reading_body:  # only for a little, from its first byte on
            deadline = sooner(deadline, session.course.counted(answer.now) + BODY_TIMEOUT)


def _answered(
    session: Session, words: bytes, deadline: float | None
) -> Generator[Request, Answer, Answer]:
    """Say the words, if there are any; what comes then, or came already."""
    if words:
        session.output.ask(words)
        try:
            yield Send(deadline)
        except Failed as failure:
            data, now = yield from last_words(session, failure, deadline)
            return Answer(now, value=data)
    return (yield Read(deadline))


def last_words(session: Session, failure: Failed, deadline: float | None) -> Steps:
    """Writing failed: what the other side said before, and when it was read.

    Raises:
        Failed: It said nothing, and the failure is this one; or it said why inside TLS, in an
            alert, and the failure is that.
    """
    if isinstance(failure, (TimedOut, Interrupted)):
        raise failure
    try:
        answer = yield Read(sooner(deadline, session.course.counted(failure.now) + BODY_TIMEOUT))
    except Interrupted:
        raise
    except Failed as told:
        # The class of TLS's errors has it; the system's, which say no more than ours, have not.
        raise (told if isinstance(getattr(told.cause, "reason", None), str) else failure) from None
    if not answer.value:
        raise failure
    return answer.value, answer.now


# Redirects: whether one is followed, and where it leads (RFC 9110 section 15.4).


class NotFollowedError(ValueError):
    """Why a redirect is not followed, in words."""


def destination(target: Target, response: Response, done: int, most: int) -> Url:
    """Where to go on.

    Arguments:
        target: Who sent the redirect.
        response: What it sent.
        done: Redirects that were followed already.
        most: How many may be.

    Raises:
        NotFollowedError: Nowhere.
    """
    from urllib.parse import urljoin  # which takes long to import, and few are sent on

    locations = [value for name, value in response.items() if name.lower() == "location"]
    location = locations[0] if locations else ""
    if not location:
        raise NotFollowedError("it has no Location")
    if len(locations) > 1:
        raise NotFollowedError("it has more than one Location")
    if "\ufffd" in location:
        raise NotFollowedError("its Location is not ASCII")
    if done >= most:
        raise NotFollowedError(f"it is number {done + 1}, and max_redirects is {most}")
    if target.has_socket:
        raise NotFollowedError("the socket was given, and another connection would be needed")
    scheme = "https" if target.secure else "http"
    base = f"{scheme}://{authority(target.host, target.port)}{parse(target.url).resource}"
    try:
        joined = urljoin(base, location)
    except ValueError:  # a bracket too much or too few, which Python's own parser refuses
        raise NotFollowedError("its Location is not a URL") from None
    # A fragment is for whoever shows the page (RFC 9110 section 10.2.2).
    where, mark, query = joined.partition("#")[0].partition("?")
    try:
        parse(where)
    except ValueError as error:
        raise NotFollowedError(str(error)) from None
    try:
        url = parse(where + mark + query)
    except ValueError:  # which would show the query, that may be secret
        raise NotFollowedError("the query of its Location can't be") from None
    host, zone, _ = target.host.partition("%")
    if zone and url.host == host:
        url = url._replace(host=target.host)  # a zone means something on this machine only
    if target.addresses is not None and (url.secure, url.host, url.port) != target.origin:
        raise NotFollowedError("it leads elsewhere than the Unix socket that was given")
    if target.secure and not url.secure:
        raise NotFollowedError("it leads from wss:// to ws://, which is not encrypted")
    return url


# Why there is no connection, in words: what happened, where, and what to look at.


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
    if session.finish.event is not None:
        return session.finish.event.reason
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
