"""What the pretend door's user asks for: one route, proxies and redirects included."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..options import Limits
from ..protocol.extensions.extension import Offer
from ..protocol.http.request import Request
from ..protocol.http.tunnel import HttpTunnel
from ..protocol.http.upgrade import Upgrade
from ..protocol.socks import SocksTunnel
from ..proxies import Proxy
from ..response import Response
from ..session.dialling import Target, Tunnel
from ..session.opening import Route
from ..session.requests import AddressInfo
from ..url import Url, authority


class PretendPlan:
    """A plan that is said in a few words.

    Arguments:
        random_bytes: Gives n bytes.
        secure: Whether to ask for TLS (which is then only pretended).
        has_socket: Whether the user gave a connected socket.
        extensions: To offer.
        proxy: To go through.
        addresses: To connect to instead of those of the host.
        max_redirects: How many are followed.
        limits: What an answer may cost.

    Attributes:
        url: Where to first.
        asked: What of the user's is used just now.
        awaits: Whether callables may be awaited.
        answers: What `answered` was told: URLs and answers.
        routes: Where redirects led: URLs, and whether credentials would go there.
    """

    def __init__(
        self,
        random_bytes: Callable[[int], bytes],
        *,
        secure: bool = False,
        has_socket: bool = False,
        extensions: Sequence[Offer] = (),
        proxy: Proxy | None = None,
        addresses: list[AddressInfo] | None = None,
        max_redirects: int = 0,
        limits: Limits | None = None,
    ) -> None:
        self.max_redirects = max_redirects
        self.answers: list[tuple[str, Response]] = []
        self.routes: list[tuple[str, bool]] = []
        self.awaits = False
        self._random_bytes = random_bytes
        self._extensions = extensions
        self._proxy = proxy
        self._addresses = addresses
        self._limits = limits or Limits()
        scheme, port = ("wss", 443) if secure else ("ws", 80)
        self._first = self._url = Url(scheme, "peer", port, "/", secure)
        self.url: str | None = f"{scheme}://peer/"
        self.asked = "headers="
        self.asks = False
        self._has_socket = has_socket

    def questions(self) -> list[tuple[str, Callable[[], Any]]]:
        """Callables of the user's."""
        return []

    def answer(self, name: str, value: Any) -> None:
        """Use what such a callable gave."""

    def first(self) -> Route:
        """Where the user wants to go, and what is said there."""
        return self.route(self._target(self._has_socket))

    def redirected(self, url: Url, is_ours: bool) -> Target:
        """Where a server sends us on to."""
        self.routes.append((f"{url.scheme}://{url.authority}{url.resource}", is_ours))
        self._url = url
        return self._target(False)

    def route(self, target: Target) -> Route:
        """What is said to the target."""
        url = self._url
        request = Request(url.resource, url.authority, "Lomond/test", extensions=self._extensions)
        upgrade = Upgrade(request, self._random_bytes, self._limits)
        return Route(target, upgrade)

    def answered(self, url: str, response: Response) -> None:
        """A server has answered."""
        self.answers.append((url, response))

    def tunnel(self, target: Target, host: str) -> Tunnel:
        """What is said to the proxy."""
        assert target.proxy is not None
        if target.proxy.scheme.startswith("socks"):
            return SocksTunnel(target.proxy, host, target.port, target.host)
        there = authority(host, target.port)
        return HttpTunnel(target.proxy, there, "Lomond/test", self._limits, self._random_bytes)

    def _target(self, has_socket: bool) -> Target:
        url = self._url
        scheme = "wss" if url.secure else "ws"
        is_first = url is self._first
        shown = self.url or "" if is_first else f"{scheme}://{url.authority}{url.resource}"
        return Target(
            shown,
            url.host,
            url.port,
            url.secure,
            url.host,
            has_socket,
            self._addresses,
            self._proxy,
        )
