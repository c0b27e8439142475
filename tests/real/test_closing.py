"""The closing handshake, begun by either side."""

import pytest

from lomond.events import Text
from real.endpoints import Endpoint, on_servers


@on_servers()
def test_we_close_at_once(endpoint: Endpoint) -> None:
    with endpoint.conversation() as conversation:
        assert conversation.close().code == 1000


@on_servers()
def test_we_close_after_a_message(endpoint: Endpoint) -> None:
    with endpoint.conversation() as conversation:
        conversation.websocket.send_text("hello")
        assert conversation.expect(Text).text == "hello"
        assert conversation.close().code == 1000


@pytest.mark.parametrize(
    ("code", "reason"),
    [(1000, ""), (1001, "bye"), (1008, "é€😀"), (4999, "r" * 123)],
    ids=["empty", "leaving", "not_ascii", "longest"],
)
@on_servers()
def test_server_closes(endpoint: Endpoint, code: int, reason: str) -> None:
    with endpoint.conversation() as conversation:
        conversation.websocket.send_text(f"close:{code}:{reason}")
        closing = conversation.expect_close()
        assert (closing.code, closing.reason) == (code, reason)
