"""What a user asked of one connection, made ready: whom to ask for what, through what.

The attributes of a WebSocket may be set at any time; a plan is given a copy of what they were at
`connect()` (`base.options_now`). What the user gave that is code (a callable, a mapping, a
CookieJar) is asked later, as a step of the opening, for it may take its time and fail.
"""

# pyright: reportPrivateUsage=false
# Of the attributes that were copied for it, those too that users do not see.

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from . import base, checks, options
from .place import placed
from .protocol.extensions.negotiation import offers
from .protocol.http.request import Request, check_protocols
from .protocol.http.upgrade import Upgrade
from .session.dialling import Target
from .session.opening import Route
from .settable import ASKED
from .system.sockets import SocketSettings
from .url import Url, authority, tls_name, userinfo

if TYPE_CHECKING:
    import socket
    import ssl

    from .base import Base
    from .place import Place
    from .response import Response
    from .session.dialling import Tunnel
    from .session.requests import AddressInfo

Headers = list[tuple[bytes, bytes]]
_NO_NAMES = frozenset[bytes]()


class Plan:
    """The plan of one connection.

    Attributes:
        url: Where to first, as the user wrote it; None where that is to be asked for.
        awaits: Whether what the user's callables give may be awaited.
        asked: What of the user's is used just now; for people.

    Arguments:
        websocket: Whose attributes say what is asked for; they do not change any more.
        contexts: Makes the TLS context for the proxy, if the first argument is true, or for the
            server, to which the second tells whether it may know who we are.
        awaits: As the attribute.
        keep_place: Is told where to, once that was asked for.
    """

    __slots__ = (
        "_addresses", "_agent", "_asked_headers", "_auth", "_contexts", "_cookies", "_extensions",
        "_first", "_headers", "_is_ours", "_keep_place", "_limits", "_origin",
        "_protocols", "_server_name", "_url", "_websocket", "asked", "asks", "awaits",
        "max_redirects", "socket", "socket_settings", "url",
    )  # fmt: skip

    def __init__(
        self,
        websocket: Base,
        contexts: Callable[[bool, bool], ssl.SSLContext],
        awaits: bool = False,
        keep_place: Callable[[Place], object] | None = None,
    ) -> None:
        self._websocket = websocket
        self._contexts = contexts
        self.awaits = awaits
        place = base.place(websocket)
        self.url = None if place is None else place.url
        self._url: Any = None if place is None else place.parts
        self.max_redirects: int = websocket.max_redirects
        self.socket: socket.socket | None = websocket.socket
        self.socket_settings = SocketSettings(
            websocket.source_address,
            websocket.socket_options,
            websocket.tcp_keepalive,
        )
        self._agent = websocket.agent
        self._protocols: Any = websocket.protocols
        self._extensions = offers(options.check_compress(websocket.compress))
        self._limits = websocket._limits
        self._asked_headers: Any = websocket.headers
        self._headers = base.added_headers(websocket)
        self._origin = websocket.origin
        self._cookies = websocket.cookies
        self._auth: Any = websocket.auth
        self._server_name = websocket.server_name
        self._addresses: list[AddressInfo] | None = None
        self._is_ours = True
        url = websocket._ask_url
        self._keep_place = None if url is None else keep_place
        self.asks = url is not None or (
            callable(self._asked_headers) or callable(self._auth) or callable(self._protocols)
        )
        self.asked = "the options"

    def __repr__(self) -> str:
        return f"<plan of {self._websocket!r}>"

    def context(self, of_proxy: bool) -> ssl.SSLContext:
        """The context of TLS with the server, or with the proxy."""
        return self._contexts(of_proxy, self._is_ours and not of_proxy)

    def questions(self) -> list[tuple[str, Callable[[], Any]]]:
        """The options that are callables, in the order in which they are asked."""
        given = self._websocket
        values = given._ask_url, given.headers, given.auth, given.protocols
        pairs = zip(ASKED, values, strict=True)
        return [(name, value) for name, value in pairs if callable(value)]

    def answer(self, name: str, value: Any) -> None:
        """Use what such a callable gave. Raises TypeError or ValueError: it can't be that."""
        if hasattr(value, "__await__"):
            if hasattr(value, "close"):
                value.close()  # or Python would complain of it too
            raise TypeError(f"{name} must give it at once; it is not awaited here")
        if name == "url":
            place = placed(value)
            self.url, self._url = place
            if self._keep_place is not None:
                self._keep_place(place)
        elif name == "headers":
            checks.encoded_headers(value)
            self._asked_headers = value
        elif name == "auth":
            if value is not None:
                from .credentials import authorization

                authorization(value)
            self._auth = value
        else:
            self._protocols = check_protocols([] if value is None else value)

    def first(self) -> Route:
        """Where the user wants to go, and what is said there. Raises what the user's code does."""
        self.asked = "the options"
        if not self._websocket._fits:
            base.check_together(self._websocket)
        assert self.url is not None
        if self._auth is None:
            self._auth = userinfo(self.url)
        self._addresses = base.unix_addresses(self._websocket)
        self.asked = "headers="
        if self._asked_headers is not None:
            self._headers = [*checks.encoded_headers(self._asked_headers), *self._headers]
        self.asked = "proxies="
        return self.route(self._target(self.url, is_first=True))

    def redirected(self, url: Url, is_ours: bool) -> Target:
        """Where a server sends us on to; it gets what is secret only if `is_ours`.

        Raises:
            ValueError, ImportError: There is no way through its proxy; the message tells why.
        """
        self._url, self._is_ours = url, is_ours
        scheme = "wss" if url.secure else "ws"
        self.asked = "proxies="
        return self._target(f"{scheme}://{url.authority}{url.resource}", is_first=False)

    def route(self, target: Target) -> Route:
        """What is said to the target. Raises what the user's code does."""
        url = self._url
        headers = self._sent_headers(target.url, self._is_ours)
        request = Request(
            url.resource, url.authority, self._agent, headers, self._protocols, self._extensions
        )
        upgrade = Upgrade(request, os.urandom, self._limits)
        return Route(target, upgrade)

    def answered(self, url: str, response: Response) -> None:
        """A server has answered: keep its cookies, if somebody wants them."""
        if self._cookies is not None:
            from . import cookies

            cookies.keep(self._cookies, url, response.items(), self._limits)

    def tunnel(self, target: Target, host: str) -> Tunnel:
        """What is said to the target's proxy."""
        proxy = target.proxy
        assert proxy is not None
        if proxy.scheme.startswith("socks"):
            from .protocol.socks import SocksTunnel

            return SocksTunnel(proxy, host, target.port, target.host)
        from .protocol.http.tunnel import HttpTunnel

        there = authority(host, target.port)
        return HttpTunnel(proxy, there, self._agent, self._limits, os.urandom)

    def _target(self, shown: str, *, is_first: bool) -> Target:
        url = self._url
        has_socket = is_first and self.socket is not None
        name = self._server_name if self._is_ours else None
        is_direct = has_socket or self._addresses is not None
        return Target(
            shown,
            url.host,
            url.port,
            url.secure,
            tls_name(url.host) if name is None else name,
            has_socket,
            self._addresses,
            None if is_direct else base.proxy_for(self._websocket, url),
        )

    def _sent_headers(self, url: str, is_ours: bool) -> Headers:
        """The user's headers for this URL."""
        headers = list(self._headers) if is_ours else []
        names = {name.lower() for name, _ in headers} if headers else _NO_NAMES
        if self._origin is not None and b"origin" not in names:
            headers.append((b"Origin", self._origin.encode()))
        self.asked = "cookies="
        said = None
        # A jar knows itself which cookies are for whom.
        if self._cookies is not None:
            from . import cookies

            if is_ours or cookies.is_jar(self._cookies):
                said = cookies.header(self._cookies, url, self._limits)
        if said is not None:
            given = [value for name, value in headers if name.lower() == b"cookie"]
            headers = [item for item in headers if item[0].lower() != b"cookie"]
            headers.append((b"Cookie", b"; ".join([*given, said.encode()])))
        self.asked = "the request"
        if self._auth is not None and is_ours and b"authorization" not in names:
            from .credentials import authorization

            headers.append((b"Authorization", authorization(self._auth).encode()))
        return headers
