"""One connection to a server that others wrote, up to its end."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from lomond import Ending, WebSocket
from lomond.session import hints
from real.certificates import Certificate, Certificates
from real.server_kinds import ServerKind
from real.server_processes import ServerPool
from told import told

QUIET: dict[str, Any] = {"poll": None, "ping_rate": 0}


@dataclass(frozen=True)
class Through:
    """A forward proxy.

    Arguments:
        kind: Which.
        scheme: How it is spoken to.
        credentials: In its URL.
        variable: Of the environment, which names it; else the option does.
    """

    kind: ServerKind | None
    scheme: str = "http"
    credentials: str = ""
    variable: str = ""


@dataclass(frozen=True)
class Case:
    """One end.

    Arguments:
        kind: The server; None for nobody.
        path: What it is asked for.
        behind: The server behind it, where its kind knows of none itself.
        certificate: Which of ours the server has; none for a server without TLS.
        scheme: Instead of the right one.
        trusts: Whether the server's authority is.
        host: How the server is named.
        through: The proxy.
        at: Event's name -> what the user, or somebody else, does then; true to leave.
        before: What is done before all.
        options: For the WebSocket.
        timing: For `connect`.
        idle: Seconds of silence that are called long.
    """

    kind: ServerKind | None
    path: str = "/"
    behind: ServerKind | None = None
    certificate: str = ""
    scheme: str = ""
    trusts: bool = True
    host: str = "127.0.0.1"
    through: Through | None = None
    at: dict[str, Callable[[Run], object]] = field(default_factory=dict)
    before: Callable[[Run], object] = lambda run: None
    options: dict[str, Any] = field(default_factory=dict)
    timing: dict[str, Any] = field(default_factory=dict)
    idle: float = hints.IDLE


class Run:
    """A case, while it is tried.

    Arguments:
        case: Which.
        pool: The servers.
        certificates: Theirs.

    Attributes:
        websocket: The client.
    """

    websocket: WebSocket

    def __init__(self, case: Case, pool: ServerPool, certificates: Certificates) -> None:
        self._case = case
        self._pool = pool
        self._authority = str(certificates.authority)
        self._certificate = self._named(certificates, case.certificate)
        self._ports: list[int] = []
        self._stack = contextlib.ExitStack()

    def _named(self, certificates: Certificates, name: str) -> Certificate | None:
        return getattr(certificates, name) if name else None

    def told(self) -> str:
        """What is told of the end. Raises ServerUnavailableError."""
        with self._stack:
            self.websocket = WebSocket(self._url(), **self._options())
            return told(self._ended(), *self._ports)

    def _url(self) -> str:
        case = self._case
        scheme = case.scheme or ("wss" if case.certificate else "ws")
        query = f"?to={self._port(case.behind, None)}" if case.behind else ""
        port = self._port(case.kind, self._certificate)
        return f"{scheme}://{case.host}:{port}{case.path}{query}"

    def _port(self, kind: ServerKind | None, certificate: Certificate | None) -> int:
        if kind is None:
            return 1  # which is root's, and nobody's
        self._ports.append(self._pool.port_of(kind, certificate))
        return self._ports[-1]

    def _options(self) -> dict[str, Any]:
        case, options = self._case, dict(self._case.options)
        if case.trusts and "ssl_context" not in options:
            options["ssl_cafile"] = self._authority
        if case.trusts and "ssl_context" in options:
            options["ssl_context"].load_verify_locations(self._authority)
        through = case.through
        if through is None:
            return {"proxies": {}, **options}
        port = self._port(through.kind, self._certificate)
        url = f"{through.scheme}://{through.credentials}127.0.0.1:{port}"
        if not through.variable:
            return {"proxies": {"all": url}, **options}
        self._stack.enter_context(_variable(through.variable, url))
        return options

    def _ended(self) -> Ending:
        case = self._case
        case.before(self)
        with _called_long(case.idle):
            for event in self.websocket.connect(**{**QUIET, **case.timing}):
                if case.at.get(event.name, _goes_on)(self):
                    break
        ending = self.websocket.ending
        assert ending is not None
        return ending

    # What happens meanwhile

    def signal(self, number: int) -> None:
        """The server is sent a signal."""
        assert self._case.kind is not None
        self._pool.signal(self._case.kind, self._certificate, number)

    def stop(self) -> None:
        """The server, or that behind it, does nothing any more, until all is over."""
        kind = self._case.behind or self._case.kind
        assert kind is not None
        which = (kind, None if self._case.behind else self._certificate)
        self._pool.signal(*which, signal.SIGSTOP)
        self._stack.callback(self._pool.signal, *which, signal.SIGCONT)

    def use_up(self) -> None:
        """This process has no file descriptor left, until all is over."""
        limits = resource.getrlimit(resource.RLIMIT_NOFILE)
        self._stack.callback(resource.setrlimit, resource.RLIMIT_NOFILE, limits)
        lowest = os.dup(0)
        os.close(lowest)
        resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, limits[1]))


def _goes_on(_: Run) -> bool:
    return False


@contextlib.contextmanager
def _variable(name: str, value: str) -> Iterator[None]:
    os.environ[name] = value
    try:
        yield
    finally:
        del os.environ[name]


@contextlib.contextmanager
def _called_long(seconds: float) -> Iterator[None]:
    before, hints.IDLE = hints.IDLE, seconds
    try:
        yield
    finally:
        hints.IDLE = before


def newest_tls() -> ssl.SSLContext:
    """A context that speaks TLS 1.3 alone."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    return context


def speaks_http2() -> ssl.SSLContext:
    """A context that offers HTTP/2, as one that is shared with another library does."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_alpn_protocols(["h2", "http/1.1"])
    return context
