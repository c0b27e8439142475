"""What every kind of WebSocket is made of: its options, and what they say of the connection.

Decides nothing about the protocol.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from . import constants, options
from .io import given
from .protocol.request import check_header, check_protocols
from .url import Url, parse, redact, userinfo

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

    They have slots, because a dict of more than 30 names is no longer shared by the instances and
    takes 1.5 KiB each.
    """

    __slots__ = (
        "_environ", "_headers", "_ssl_password", "_timing", "agent", "auth", "compress", "cookies",
        "headers", "host", "limits", "max_redirects", "origin", "port", "protocols", "proxies",
        "proxy_ssl_context", "resource", "scheme", "server_name", "socket", "socket_options",
        "source_address", "ssl_cafile", "ssl_certfile", "ssl_context", "ssl_keyfile", "ssl_verify",
        "tcp_keepalive", "trace", "truststore", "unix_socket", "url",
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
        parts = parse(url)
        self.url = url
        self.proxies = proxies
        # The original reads it here too; a redirect may need another variable of it.
        self._environ = _proxy_variables() if proxies is None else {}
        self.protocols = check_protocols([] if protocols is None else protocols)
        self.agent = constants.USER_AGENT if agent in (None, "") else agent
        self.compress = compress
        options.check_flag("ssl_verify", ssl_verify)
        self.ssl_verify = ssl_verify
        self.ssl_cafile = ssl_cafile
        self.ssl_context = ssl_context
        self.trace = trace
        self.scheme = parts.scheme
        self.host = parts.host
        self.port = parts.port
        self.resource = parts.resource
        self.headers = headers
        self.origin = origin
        self.cookies = cookies
        self.auth = auth
        self.max_redirects = max_redirects
        self.ssl_certfile = ssl_certfile
        self.ssl_keyfile = ssl_keyfile
        self._ssl_password = ssl_password
        self.truststore = truststore
        self.proxy_ssl_context = proxy_ssl_context
        self.server_name = server_name
        self.socket = socket
        self.unix_socket = unix_socket
        self.source_address = source_address
        self.socket_options = given.check_socket_options(socket_options)
        self.tcp_keepalive = tcp_keepalive
        self._headers: list[tuple[bytes, bytes]] = []
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
        self._check_files()
        self._check_given()
        self._load()

    def _load(self) -> None:
        """Import what a connection will need."""

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

    # For the plan of a connection

    def parts(self) -> Url:
        """Where to, as the attributes say now."""
        return Url(self.scheme, self.host, self.port, self.resource, self.is_secure)

    def own_headers(self) -> list[tuple[bytes, bytes]]:
        """Those of the option, where a callable is asked now, and those of `add_header`."""
        if self.headers is None:
            return [*self._headers]
        asked = self.headers() if callable(self.headers) else self.headers
        return [*options.encoded_headers(asked), *self._headers]

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
            proxy = chosen(self.proxies, url.secure)
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

    # Checks

    def _check_files(self) -> None:
        """Raise unless the files that are named can be used. Once: they are read again later."""
        given.check_cafile(self.ssl_cafile)
        given.check_certificate(self.ssl_certfile, self.ssl_keyfile, self._ssl_password)

    def _check_given(self) -> None:
        """Raise unless the attributes, which anyone may set, can be used."""
        parse(self.url)
        check_header(b"User-Agent", options.encoded_agent(self.agent))
        check_compress(self.compress)
        given.check_path(self.ssl_cafile)
        given.check_truststore(self.truststore, self.ssl_cafile)
        given.check_context(self.ssl_context)
        given.check_context(self.proxy_ssl_context, "proxy_ssl_context")
        given.check_server_name(self.server_name)
        given.check_socket(self.socket)
        given.check_unix_socket(self.unix_socket)
        given.check_source_address(self.source_address)
        given.check_socket_options(self.socket_options)
        given.check_keepalive(self.tcp_keepalive)
        options.check_range("max_redirects", self.max_redirects, 0, options.MAX_REDIRECTS)
        if self.socket is not None and self.unix_socket is not None:
            raise ValueError("socket and unix_socket are both given; leave one out")
        if self.unix_socket is not None and self.source_address is not None:
            raise ValueError("unix_socket has no source_address; leave one out")
        self._check_request()
        if self.socket is None and self.unix_socket is None:
            self.proxy_for(self.parts())

    def _check_request(self) -> None:
        if self.headers is not None and not callable(self.headers):
            for name, value in options.encoded_headers(self.headers):
                check_header(name, value)
        options.check_origin(self.origin)
        if self.cookies is not None:
            from .cookies import check

            check(self.cookies)
        auth = userinfo(self.url) if self.auth is None else self.auth
        if auth is not None:
            from .credentials import authorization

            authorization(auth)


def check_compress(compress: object) -> options.Deflate | None:
    """What the option asks for. That its library can't be had is said here, not in the loop."""
    deflate = options.check_compress(compress)
    if deflate is not None:
        from .compression import chosen_backend

        chosen_backend()
    return deflate


def _proxy_variables() -> dict[str, str]:
    return {
        name: value
        for name, value in os.environ.items()
        if name.lower().endswith("_proxy") or name == "REQUEST_METHOD"
    }
