"""Messages of every frame-length class come back as they were sent."""

import pytest

from lomond.events import Binary, Text
from real.endpoints import Endpoint, on_servers
from real.payloads import SIZES, assert_same, bytes_of, text_of


@pytest.mark.parametrize("size", SIZES)
@on_servers()
def test_text_comes_back(endpoint: Endpoint, size: int) -> None:
    message = text_of(size)
    with endpoint.conversation() as conversation:
        conversation.websocket.send_text(message)
        assert_same(conversation.expect(Text).text, message)
        conversation.close()


@pytest.mark.parametrize("size", SIZES)
@on_servers()
def test_binary_comes_back(endpoint: Endpoint, size: int) -> None:
    message = bytes_of(size)
    with endpoint.conversation() as conversation:
        conversation.websocket.send_binary(message)
        assert_same(conversation.expect(Binary).data, message)
        conversation.close()


@on_servers()
def test_many_messages_share_a_connection(endpoint: Endpoint) -> None:
    texts = [text_of(size) for size in range(300)]
    blobs = [bytes_of(size) for size in range(300)]
    with endpoint.conversation() as conversation:
        for text, blob in zip(texts, blobs, strict=True):
            conversation.websocket.send_text(text)
            conversation.websocket.send_binary(blob)
        for text, blob in zip(texts, blobs, strict=True):
            assert_same(conversation.expect(Text).text, text)
            assert_same(conversation.expect(Binary).data, blob)
        conversation.close()
