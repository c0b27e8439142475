"""What a user asked of one connection, made ready: whom to ask for what, through what.

The attributes of a WebSocket may be set at any time; a plan is what they were at `connect()`.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from . import cookies, credentials, options
from .engine import engine
from .io.given import check_socket_options, check_source_address
from .io.settings import SocketSettings
from .protocol.request import Request, check_header, check_protocols
from .session.opening import Route
from .session.reaching import Target
from .url import Url, authority, tls_name, userinfo

if TYPE_CHECKING:
    import socket
    import ssl

    from .base import Base
    from .response import Response
    from .session.reaching import Tunnel

Headers = list[tuple[bytes, bytes]]


class Plan:
    """The plan of one connection.

    Arguments:
        websocket: Whose attributes say what is asked for.
        contexts: Makes the TLS context for the proxy, if the first argument is true, or for the
            server, to which the second tells whether it may know who we are.
    """

    __slots__ = (
        "_addresses", "_agent", "_auth", "_contexts", "_cookies", "_deflate", "_headers",
        "_is_ours", "_limits", "_origin", "_protocols", "_route", "_server_name", "_websocket",
        "max_redirects", "socket", "socket_settings",
    )  # fmt: skip

    def __init__(self, websocket: Base, contexts: Callable[[bool, bool], ssl.SSLContext]) -> None:
        self._websocket = websocket
        self._contexts = contexts
        self.max_redirects: int = websocket.max_redirects
        self.socket: socket.socket | None = websocket.socket
        self.socket_settings = SocketSettings(
            check_source_address(websocket.source_address),
            check_socket_options(websocket.socket_options),
            websocket.tcp_keepalive,
        )
        self._agent = websocket.agent
        self._protocols = check_protocols(websocket.protocols)
        self._deflate = options.check_compress(websocket.compress)
        self._limits = websocket.limits
        self._headers = websocket.own_headers()
        self._origin = websocket.origin
        self._cookies = websocket.cookies
        self._auth = userinfo(websocket.url) if websocket.auth is None else websocket.auth
        self._server_name = websocket.server_name
        self._addresses = websocket.unix_addresses()
        self._route: Route | None = self._made(
            websocket.parts(), websocket.url, is_first=True, is_ours=True
        )

    def __repr__(self) -> str:
        return f"<plan of {self._websocket!r}>"

    def context(self, of_proxy: bool) -> ssl.SSLContext:
        """For TLS with the server, or with the proxy."""
        return self._contexts(of_proxy, self._is_ours and not of_proxy)

    def first(self) -> Route:
        """Where the user wants to go; asked for once."""
        route, self._route = self._route, None
        assert route is not None
        return route

    def redirected(self, url: Url, is_ours: bool) -> Route:
        """Where a server sends us on to; it gets what is secret only if `is_ours`.

        Raises:
            ValueError, ImportError: What is asked for can't be said there, or not through its
                proxy; the message tells why.
        """
        scheme = "wss" if url.secure else "ws"
        shown = f"{scheme}://{url.authority}{url.resource}"
        return self._made(url, shown, is_first=False, is_ours=is_ours)

    def answered(self, url: str, response: Response) -> None:
        """A server has answered: keep its cookies, if somebody wants them."""
        cookies.keep(self._cookies, url, response.items(), self._limits)

    def tunnel(self, target: Target, host: str) -> Tunnel:
        """What is said to the target's proxy."""
        proxy = target.proxy
        assert proxy is not None
        if proxy.scheme.startswith("socks"):
            socks: Tunnel = engine.module("protocol", "socks").SocksTunnel(proxy, host, target.port)
            return socks
        there = authority(host, target.port)
        http: Tunnel = engine.module("protocol", "tunnel").HttpTunnel(
            proxy, there, self._agent, self._limits, os.urandom
        )
        return http

    def _made(self, url: Url, shown: str, *, is_first: bool, is_ours: bool) -> Route:
        self._is_ours = is_ours
        upgrade = engine.Upgrade(
            Request(
                url.resource,
                url.authority,
                self._agent,
                self._sent_headers(shown, is_ours),
                self._protocols,
                self._deflate,
            ),
            os.urandom,
            self._limits,
        )
        has_socket = is_first and self.socket is not None
        name = self._server_name if is_ours else None
        is_direct = has_socket or self._addresses is not None
        target = Target(
            shown,
            url.host,
            url.port,
            url.secure,
            tls_name(url.host) if name is None else name,
            has_socket,
            self._addresses,
            None if is_direct else self._websocket.proxy_for(url),
        )
        return Route(target, upgrade, upgrade.request_bytes())

    def _sent_headers(self, url: str, is_ours: bool) -> Headers:
        """The user's headers for this URL."""
        headers = list(self._headers) if is_ours else []
        names = {name.lower() for name, _ in headers}
        if self._origin is not None and b"origin" not in names:
            headers.append((b"Origin", self._origin.encode()))
        # A jar knows itself which cookies are for whom.
        are_for_it = is_ours or cookies.is_jar(self._cookies)
        said = cookies.header(self._cookies if are_for_it else None, url, self._limits)
        if said is not None:
            given = [value for name, value in headers if name.lower() == b"cookie"]
            headers = [item for item in headers if item[0].lower() != b"cookie"]
            headers.append((b"Cookie", b"; ".join([*given, said.encode()])))
        if self._auth is not None and is_ours and b"authorization" not in names:
            headers.append((b"Authorization", credentials.authorization(self._auth).encode()))
        for name, value in headers:
            check_header(name, value)
        return headers
