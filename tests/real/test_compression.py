"""Compressed messages, with each library, against servers that compress by ones of their own."""

from __future__ import annotations

from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor

import pytest

from lomond import Deflate, WebSocket
from lomond.compression import chosen_backend
from lomond.events import Binary, Ping, Text
from real.conversations import Conversation
from real.endpoints import Endpoint, on_servers
from real.payloads import assert_same, bytes_of, fragmented_text_of, text_of
from real.server_kinds import (
    COMPRESSING_KINDS,
    FORGETFUL,
    LIBWEBSOCKETS,
    NARROW,
    NODE_WS,
    REVERSE_PROXIES,
    WEBSOCKETS,
)

pytestmark = pytest.mark.usefixtures("each_library")

SIZES = [1, 127, 65_536, 1024 * 1024]
LARGEST = 16 * 1024 * 1024
EACH_FOR_ITSELF = Deflate(
    server_no_context_takeover=True, client_no_context_takeover=True, memory_level=5
)
THREADS = 8
MESSAGES = 300


@pytest.mark.parametrize("size", SIZES)
@on_servers([*COMPRESSING_KINDS, *REVERSE_PROXIES])
def test_texts_and_binaries_come_back(endpoint: Endpoint, size: int) -> None:
    send_both_ways(endpoint, size)


@pytest.mark.parametrize("size", SIZES)
@on_servers([LIBWEBSOCKETS], ["ws"])
def test_libwebsockets(endpoint: Endpoint, size: int) -> None:
    send_both_ways(endpoint, size)


@pytest.mark.parametrize("size", [1, 127, 1000])
@on_servers([LIBWEBSOCKETS], ["wss"])
def test_libwebsockets_over_tls(endpoint: Endpoint, size: int) -> None:
    send_both_ways(endpoint, size)


def send_both_ways(endpoint: Endpoint, size: int) -> None:
    text, data = text_of(size), bytes_of(size)
    with endpoint.conversation(compress=True) as conversation:
        for compress in (True, False, True):
            conversation.websocket.send_text(text, compress=compress)
            conversation.websocket.send_binary(data, compress=compress)
            assert_same(conversation.expect(Text).text, text)
            assert_same(conversation.expect(Binary).data, data)
        assert_compressed(conversation, at_least=size)
        conversation.close()


@on_servers(COMPRESSING_KINDS, ["ws"])
def test_the_largest_message_comes_back(endpoint: Endpoint) -> None:
    text = text_of(LARGEST)
    with endpoint.conversation(compress=True) as conversation:
        conversation.websocket.send_text(text)
        assert_same(conversation.expect(Text).text, text)
        assert_compressed(conversation, at_least=LARGEST)
        conversation.close()


@on_servers([*COMPRESSING_KINDS, *REVERSE_PROXIES, LIBWEBSOCKETS])
def test_many_messages_share_a_window(endpoint: Endpoint) -> None:
    symbol = '"symbol": "BTC-EUR", "book": "BTC-EUR", "best": "BTC-EUR"'
    texts = [f'{{"price": {number * 7919 % 1000}, {symbol}}}' for number in range(300)]
    with endpoint.conversation(compress=True) as conversation:
        for text in texts:
            conversation.websocket.send_text(text)
        for text in texts:
            assert conversation.expect(Text).text == text
        assert_compressed(conversation, at_least=300)
        conversation.close()


@on_servers([WEBSOCKETS, NODE_WS], ["ws"])
def test_each_message_for_itself_when_asked_for(endpoint: Endpoint) -> None:
    with endpoint.conversation(compress=EACH_FOR_ITSELF) as conversation:
        compression = conversation.websocket.compression
        assert compression is not None
        assert compression.server_no_context_takeover
        assert compression.client_no_context_takeover
        for _ in range(3):
            conversation.websocket.send_text("again and again " * 20)
            assert conversation.expect(Text).text == "again and again " * 20
        conversation.close()


@on_servers([FORGETFUL])
def test_a_server_that_demands_no_context_takeover(endpoint: Endpoint) -> None:
    with endpoint.conversation(compress=True) as conversation:
        compression = conversation.websocket.compression
        assert compression is not None
        assert compression.server_no_context_takeover
        assert compression.client_no_context_takeover
        conversation.close()


@on_servers([NARROW])
def test_a_server_that_demands_small_windows(endpoint: Endpoint) -> None:
    with endpoint.conversation(compress=True) as conversation:
        compression = conversation.websocket.compression
        assert compression is not None
        assert (compression.server_max_window_bits, compression.client_max_window_bits) == (9, 10)
        conversation.close()


@pytest.mark.parametrize("kind", ["text", "binary"])
@pytest.mark.parametrize(("count", "size"), [(2, 1), (10, 127), (8, 131_073), (1000, 3)])
@on_servers(kind for kind in COMPRESSING_KINDS if kind.can_fragment)
def test_fragments_with_pings_between(endpoint: Endpoint, kind: str, count: int, size: int) -> None:
    with endpoint.conversation(compress=True) as conversation:
        conversation.websocket.send_text(f"fragment:{kind}:{count}:{size}")
        events = [conversation.next_event() for _ in range(count + 1)]
        assert [event for event in events[:-1] if not isinstance(event, Ping)] == []
        expected = fragmented_text_of(count * size)
        message = events[-1]
        if isinstance(message, Text):
            assert_same(message.text, expected)
        else:
            assert isinstance(message, Binary)
            assert_same(message.data, expected.encode())
        conversation.close()


@pytest.mark.parametrize("compress", [True, EACH_FOR_ITSELF], ids=["window", "each"])
@on_servers([WEBSOCKETS, NODE_WS], ["ws"])
def test_eight_threads_compress_on_one_connection_b1(
    endpoint: Endpoint, compress: bool | Deflate
) -> None:
    received = defaultdict(list)

    def send(websocket: WebSocket, thread: int) -> None:
        for number in range(MESSAGES):
            websocket.send_text(f"{thread}:{number}:" + "é" * (number % 50))

    with (
        endpoint.conversation(compress=compress) as conversation,
        ThreadPoolExecutor(THREADS) as threads,
    ):
        sending = [threads.submit(send, conversation.websocket, n) for n in range(THREADS)]
        for _ in range(THREADS * MESSAGES):
            text = conversation.expect(Text).text
            received[text.partition(":")[0]].append(text)
        for future in sending:
            future.result()
        assert_compressed(conversation, at_least=THREADS * MESSAGES)
        conversation.close()
    for thread in range(THREADS):
        expected = [f"{thread}:{number}:" + "é" * (number % 50) for number in range(MESSAGES)]
        assert received[str(thread)] == expected


def assert_compressed(conversation: Conversation, at_least: int) -> None:
    compression = conversation.websocket.compression
    assert compression is not None, conversation.ready.response
    assert compression.backend == chosen_backend().name
    assert conversation.ready.extensions == {"permessage-deflate"}
    if at_least >= 32:
        assert compression.sent_raw >= at_least
        assert 0 < compression.sent_compressed < compression.sent_raw
        assert compression.received_raw > 0
