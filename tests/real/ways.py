"""A way to an echo server through a forward proxy."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pytest

from lomond import WebSocket
from real.endpoints import SCHEMES, Endpoint
from real.forward_proxies import FORWARD_PROXIES, ForwardProxy


@dataclass(frozen=True)
class Way:
    """A running proxy and a running server, as the client sees them."""

    endpoint: Endpoint
    proxy: ForwardProxy
    proxy_port: int

    @property
    def proxy_address(self) -> str:
        return f"127.0.0.1:{self.proxy_port}"

    @property
    def shown(self) -> str:
        """How events name the proxy."""
        return self.proxy_url("***@" if self.proxy.password else "")

    def proxy_url(self, credentials: str | None = None) -> str:
        """The proxy's URL, with the right credentials if it asks for any, or with these."""
        if credentials is None:
            credentials = self.proxy.credentials
        return f"{self.proxy.scheme}://{credentials}{self.proxy_address}"

    def options(self, credentials: str | None = None) -> dict[str, Any]:
        """What a WebSocket needs to go this way."""
        url = self.proxy_url(credentials)
        proxies = {"http": url, "https": url}
        return {"proxies": proxies, "ssl_cafile": str(self.endpoint.authority)}

    def websocket(self, credentials: str | None = None, **options: Any) -> WebSocket:
        """A client that goes this way."""
        return self.endpoint.websocket(**(self.options(credentials) | options))


def on_ways(
    proxies: Iterable[ForwardProxy] = FORWARD_PROXIES, schemes: Iterable[str] = SCHEMES
) -> pytest.MarkDecorator:
    """Run a test with `way` through each of these proxies, to a server with and without TLS."""
    schemes = list(schemes)
    parameters = [
        pytest.param((proxy, scheme), id=f"{proxy.name}-{scheme}")
        for proxy in proxies
        for scheme in schemes
    ]
    return pytest.mark.parametrize("way", parameters, indirect=True)
