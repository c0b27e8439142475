"""What every kind of WebSocket is made of: its options, and what they say of the connection.

Decides nothing about the protocol.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from . import constants, options, settable
from .io import given
from .place import Place, moved, placed
from .protocol.http.request import check_header, check_protocols
from .url import Url, redact, userinfo

if TYPE_CHECKING:
    import socket as socket_module
    import ssl
    from http.cookiejar import CookieJar

    from .proxies import Proxy
    from .session.requests import AddressInfo
    from .tracing import Tracer

__all__ = ["Base"]

_HAS_SETTINGS = sys.platform in ("darwin", "win32")  # of the system, for proxies

Headers = Mapping[str, str] | Callable[[], Mapping[str, str]]
Auth = tuple[str, str] | str
SocketOption = tuple[int, int, int | bytes]


class Base:
    """The options of a WebSocket; `WebSocket` says what they mean.

    They may be set afterwards, for the next connection; what can't be is refused at once. They have
    slots, because a dict of more than 30 names is no longer shared by the instances and takes
    1.5 KiB each.
    """

    __slots__ = (
        "_environ", "_headers", "_place", "_ssl_password", "_timing", "agent", "auth", "compress",
        "cookies", "headers", "limits", "max_redirects", "origin", "protocols", "proxies",
        "proxy_ssl_context", "server_name", "socket", "socket_options", "source_address",
        "ssl_cafile", "ssl_certfile", "ssl_context", "ssl_keyfile", "ssl_verify", "tcp_keepalive",
        "trace", "truststore", "unix_socket",
    )  # fmt: skip

    def __init__(
        self,
        url: str,
        proxies: Mapping[str, str | None] | None = None,
        protocols: Iterable[str] | None = None,
        agent: str | None = None,
        compress: bool | options.Deflate = False,
        ssl_verify: bool = True,
        ssl_cafile: str | os.PathLike[str] | None = None,
        ssl_context: ssl.SSLContext | None = None,
        trace: object = None,
        *,
        headers: Headers | None = None,
        origin: str | None = None,
        cookies: Mapping[str, str] | CookieJar | None = None,
        auth: Auth | None = None,
        max_redirects: int = 0,
        ssl_certfile: str | os.PathLike[str] | None = None,
        ssl_keyfile: str | os.PathLike[str] | None = None,
        ssl_password: str | None = None,
        truststore: bool = False,
        proxy_ssl_context: ssl.SSLContext | None = None,
        server_name: str | None = None,
        socket: socket_module.socket | None = None,
        unix_socket: str | os.PathLike[str] | None = None,
        source_address: tuple[str, int] | None = None,
        socket_options: Iterable[SocketOption] = (),
        tcp_keepalive: float | None = None,
        open_timeout: float | None = options.OPEN_TIMEOUT,
        send_timeout: float | None = options.SEND_TIMEOUT,
        frame_timeout: float | None = options.FRAME_TIMEOUT,
        max_message_size: int | None = options.MAX_MESSAGE_SIZE,
        max_fragments: int | None = options.MAX_FRAGMENTS,
        max_header_size: int = options.MAX_HEADER_SIZE,
        max_header_lines: int = options.MAX_HEADER_LINES,
        max_header_line: int = options.MAX_HEADER_LINE,
        max_interim_responses: int = options.MAX_INTERIM_RESPONSES,
        max_body_size: int = options.MAX_BODY_SIZE,
        max_cookie_size: int = options.MAX_COOKIE_SIZE,
        max_cookies_set: int = options.MAX_COOKIES_SET,
        max_domain_cookies: int = options.MAX_DOMAIN_COOKIES,
        max_cookies: int = options.MAX_COOKIES,
        max_cookie_header: int = options.MAX_COOKIE_HEADER,
        max_read_ahead: int = options.MAX_READ_AHEAD,
        max_held: int = options.MAX_HELD,
    ) -> None:
        self._place = placed(url)
        self._headers: list[tuple[bytes, bytes]] = []
        self._environ: dict[str, str] = {}
        self.limits = options.Limits(
            max_message_size,
            max_fragments,
            max_header_size,
            max_read_ahead,
            max_held,
            max_header_lines,
            max_header_line,
            max_interim_responses,
            max_body_size,
            max_cookie_size,
            max_cookies_set,
            max_domain_cookies,
            max_cookies,
            max_cookie_header,
        )
        self._timing = options.Timing(
            open_timeout=open_timeout, send_timeout=send_timeout, frame_timeout=frame_timeout
        )
        self.protocols = check_protocols([] if protocols is None else protocols)
        self.agent = constants.USER_AGENT if agent in (None, "") else agent
        self.compress = compress
        self.ssl_verify = ssl_verify
        self.ssl_context = ssl_context
        self.trace = trace
        self.headers = headers
        self.origin = origin
        self.cookies = cookies
        self.auth = auth
        self.max_redirects = max_redirects
        self.ssl_cafile = ssl_cafile
        self.ssl_certfile = ssl_certfile
        self.ssl_keyfile = ssl_keyfile
        self.ssl_password = ssl_password
        self.truststore = truststore
        self.proxy_ssl_context = proxy_ssl_context
        self.server_name = server_name
        self.socket = socket
        self.unix_socket = unix_socket
        self.source_address = source_address
        self.socket_options = given.check_socket_options(socket_options)
        self.tcp_keepalive = tcp_keepalive
        self.proxies = proxies
        given.check_certificate(self.ssl_certfile, self.ssl_keyfile, self._ssl_password)
        self.check_together()
        self._load()

    def _load(self) -> None:
        """Import what a connection will need."""

    def __setattr__(self, name: str, value: Any) -> None:
        if name[:1] != "_":
            value = settable.checked(type(self), name, value)
            if name == "proxies" and value is None:
                # The original reads it here too; a redirect may need another variable of it.
                self._environ = _proxy_variables()
        object.__setattr__(self, name, value)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({redact(self.url)!r})"

    @property
    def is_secure(self) -> bool:
        """Whether the connection is encrypted."""
        return self.scheme in ("wss", "https")

    def add_header(self, header: bytes, value: bytes) -> None:
        """Add a header to the request of every later connection.

        Arguments:
            header: Its name.
            value: Its value.

        Raises:
            TypeError: One of them is not bytes.
            ValueError: It can't stand in a request, or is one that lomond writes.
        """
        if not isinstance(header, bytes):
            raise TypeError("'header' must be bytes")
        if not isinstance(value, bytes):
            raise TypeError("'value' must be bytes")
        check_header(header, value)
        self._headers.append((header, value))

    # Options that are kept elsewhere

    @property
    def url(self) -> str:
        """Where the next connection goes; to set it sets scheme, host, port and resource."""
        return self._place.url

    @url.setter
    def url(self, url: str) -> None:
        self._place = placed(url)

    @property
    def scheme(self) -> str:
        """Of the URL, as are host, port and resource; to set one of them changes the URL."""
        return self._place.parts.scheme

    @scheme.setter
    def scheme(self, scheme: str) -> None:
        self._place = moved(self._place, "scheme", scheme)

    @property
    def host(self) -> str:
        """Lower case, without brackets, ASCII."""
        return self._place.parts.host

    @host.setter
    def host(self, host: str) -> None:
        self._place = moved(self._place, "host", host)

    @property
    def port(self) -> int:
        """From 1 to 65535."""
        return self._place.parts.port

    @port.setter
    def port(self, port: int) -> None:
        self._place = moved(self._place, "port", port)

    @property
    def resource(self) -> str:
        """Path and query, ASCII, as they are sent."""
        return self._place.parts.resource

    @resource.setter
    def resource(self, resource: str) -> None:
        self._place = moved(self._place, "resource", resource)

    @property
    def ssl_password(self) -> str | None:
        """What `ssl_keyfile` is encrypted with."""
        return self._ssl_password

    @ssl_password.setter
    def ssl_password(self, password: str | None) -> None:
        given.check_password(password)
        self._ssl_password = password

    open_timeout = settable.Part[float | None]("_timing")
    send_timeout = settable.Part[float | None]("_timing")
    frame_timeout = settable.Part[float | None]("_timing")
    max_message_size = settable.Part[int | None]("limits")
    max_fragments = settable.Part[int | None]("limits")
    max_header_size = settable.Part[int]("limits")
    max_header_lines = settable.Part[int]("limits")
    max_header_line = settable.Part[int]("limits")
    max_interim_responses = settable.Part[int]("limits")
    max_body_size = settable.Part[int]("limits")
    max_cookie_size = settable.Part[int]("limits")
    max_cookies_set = settable.Part[int]("limits")
    max_domain_cookies = settable.Part[int]("limits")
    max_cookies = settable.Part[int]("limits")
    max_cookie_header = settable.Part[int]("limits")
    max_read_ahead = settable.Part[int]("limits")
    max_held = settable.Part[int]("limits")

    # For the plan of a connection

    def options_now(self) -> Base:
        """All options as they are now: what is set later does not change these."""
        now = Base.__new__(Base)
        for name in Base.__slots__:
            object.__setattr__(now, name, getattr(self, name))
        return now

    def place(self) -> Place:
        """Where to, as the attributes say now."""
        return self._place

    def added_headers(self) -> list[tuple[bytes, bytes]]:
        """Those of `add_header`."""
        return [*self._headers]

    def proxy_for(self, url: Url) -> Proxy | None:
        """The proxy for a URL, if there is one.

        Raises:
            TypeError, ValueError: What says so can't be.
            ImportError: What the proxy needs is not installed.
        """
        if self.proxies is None and not self._environ and not _HAS_SETTINGS:
            return None
        from .proxies import chosen, from_environment

        if self.proxies is not None:
            proxy = chosen(self.proxies, url.secure, url.host, url.port)
        else:
            proxy = from_environment(url.secure, url.host, url.port, self._environ)
        if proxy is not None and proxy.scheme.startswith("socks"):
            from importlib.util import find_spec

            if find_spec("socksio") is None:
                raise ImportError(
                    f"a {proxy.scheme}:// proxy needs a package; run: pip install 'lomond[socks]'"
                )
        return proxy

    def unix_addresses(self) -> list[AddressInfo] | None:
        """What to connect to instead of the host, if `unix_socket` is given."""
        if self.unix_socket is None:
            return None
        import socket

        return [(socket.AF_UNIX, socket.SOCK_STREAM, 0, "", os.fspath(self.unix_socket))]

    def _make_context(self, of_proxy: bool, with_own: bool) -> ssl.SSLContext:
        context = self.proxy_ssl_context if of_proxy else self.ssl_context
        if self.trace:
            self._tracer()(
                "tls_wrapped",
                verify=self.ssl_verify is not False,
                has_context=context is not None,
                cafile=self.ssl_cafile is not None,
            )
        if context is not None:
            return context
        from .io.tls import make_context

        return make_context(
            # Whatever else was put there: only False switches it off.
            self.ssl_verify is not False,
            given.check_path(self.ssl_cafile),
            # Who we are is for the server, not for a proxy on the way, nor where we are sent on to.
            certfile=given.check_path(self.ssl_certfile) if with_own else None,
            keyfile=given.check_path(self.ssl_keyfile) if with_own else None,
            password=self._ssl_password if with_own else None,
            truststore=self.truststore,
        )

    def _tracer(self) -> Tracer:
        from .tracing import Tracer

        return Tracer(self.trace, self.url)

    def check_together(self) -> None:
        """Raise unless the options that depend on each other can be used together."""
        if self.truststore and self.ssl_cafile is not None:
            raise ValueError("truststore and ssl_cafile exclude each other; leave one out")
        if self.ssl_certfile is None:
            given.check_certificate(None, self.ssl_keyfile, self._ssl_password)
        if self.socket is not None and self.unix_socket is not None:
            raise ValueError("socket and unix_socket are both given; leave one out")
        if self.unix_socket is not None and self.source_address is not None:
            raise ValueError("unix_socket has no source_address; leave one out")
        if self.auth is None and (user := userinfo(self.url)) is not None:
            from .credentials import authorization

            authorization(user)
        if self.socket is None and self.unix_socket is None:
            self.proxy_for(self._place.parts)


def _proxy_variables() -> dict[str, str]:
    return {
        name: value
        for name, value in os.environ.items()
        if name.lower().endswith("_proxy") or name == "REQUEST_METHOD"
    }
