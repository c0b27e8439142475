"""Messages that a server sends in fragments, with pings between them.

The parts of a text are cut inside characters: RFC 6455 section 5.6 asks for valid UTF-8 of the
whole message only.
"""

import pytest

from lomond.events import Binary, Ping, Text
from real.conversations import Conversation
from real.endpoints import Endpoint, on_servers
from real.payloads import assert_same, fragmented_text_of
from real.server_kinds import SERVER_KINDS

COUNTS_AND_SIZES = [(2, 1), (4, 125), (10, 127), (4, 65_535), (8, 131_073), (1000, 3)]


def expect_pings(conversation: Conversation, count: int) -> None:
    for number in range(count):
        assert conversation.expect(Ping).data == str(number).encode()


@pytest.mark.parametrize(("count", "size"), COUNTS_AND_SIZES)
@on_servers(kind for kind in SERVER_KINDS if kind.can_fragment)
def test_text_in_fragments(endpoint: Endpoint, count: int, size: int) -> None:
    with endpoint.conversation() as conversation:
        conversation.websocket.send_text(f"fragment:text:{count}:{size}")
        expect_pings(conversation, count)
        assert_same(conversation.expect(Text).text, fragmented_text_of(count * size))
        conversation.close()


@pytest.mark.parametrize(("count", "size"), COUNTS_AND_SIZES)
@on_servers(kind for kind in SERVER_KINDS if kind.can_fragment)
def test_binary_in_fragments(endpoint: Endpoint, count: int, size: int) -> None:
    with endpoint.conversation() as conversation:
        conversation.websocket.send_text(f"fragment:binary:{count}:{size}")
        expect_pings(conversation, count)
        assert_same(conversation.expect(Binary).data, fragmented_text_of(count * size).encode())
        conversation.close()
