"""Where a test connects: one server, plain or over TLS, and what is needed to trust it."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lomond import WebSocket
from real.conversations import Conversation
from real.server_kinds import SERVER_KINDS, ServerKind

SCHEMES = ["ws", "wss"]


@dataclass(frozen=True)
class Endpoint:
    """A running server as the client sees it."""

    url: str
    authority: Path

    def websocket(self, **options: Any) -> WebSocket:
        """Make a client that trusts the server's authority, if the server uses TLS."""
        if self.url.startswith("wss:"):
            options.setdefault("ssl_cafile", str(self.authority))
        return WebSocket(self.url, **options)

    @contextmanager
    def conversation(self, **options: Any) -> Iterator[Conversation]:
        """Give a conversation that is ready, and leave it at the end of the block."""
        with self.websocket(**options) as websocket:
            conversation = Conversation(websocket)
            conversation.begin()
            yield conversation


def on_servers(
    kinds: Iterable[ServerKind] = SERVER_KINDS, schemes: Iterable[str] = SCHEMES
) -> pytest.MarkDecorator:
    """Run a test with `endpoint` on each of these servers, plain and over TLS."""
    schemes = list(schemes)
    parameters = [
        pytest.param((kind, scheme), id=f"{kind.name}-{scheme}")
        for kind in kinds
        for scheme in schemes
    ]
    return pytest.mark.parametrize("endpoint", parameters, indirect=True)
