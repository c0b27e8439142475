"""Pings in both directions, between messages."""

import pytest

from lomond.events import Ping, Pong, Text
from real.endpoints import Endpoint, on_servers
from real.server_kinds import SERVER_KINDS


@pytest.mark.parametrize("data", [b"", b"x", bytes(range(125))], ids=["empty", "one", "longest"])
@on_servers()
def test_server_answers_our_ping(endpoint: Endpoint, data: bytes) -> None:
    with endpoint.conversation() as conversation:
        for number in range(3):
            conversation.websocket.send_ping(data)
            assert conversation.expect(Pong).data == data
            conversation.websocket.send_text(f"message {number}")
            assert conversation.expect(Text).text == f"message {number}"
        conversation.close()


@on_servers()
def test_ping_among_messages_disturbs_none(endpoint: Endpoint) -> None:
    """Servers may answer a ping before messages that came earlier."""
    with endpoint.conversation() as conversation:
        conversation.websocket.send_text("before")
        conversation.websocket.send_ping(b"between")
        conversation.websocket.send_text("after")
        events = [conversation.next_event() for _ in range(3)]
        assert [event.text for event in events if isinstance(event, Text)] == ["before", "after"]
        assert [event.data for event in events if isinstance(event, Pong)] == [b"between"]
        conversation.close()


@on_servers(kind for kind in SERVER_KINDS if kind.can_ping)
def test_server_recognises_our_pong(endpoint: Endpoint) -> None:
    with endpoint.conversation() as conversation:
        for number in range(3):
            conversation.websocket.send_text(f"ping:{number}")
            assert conversation.expect(Ping).data == str(number).encode()
            assert conversation.expect(Text).text == f"pong:{number}"
        conversation.close()
