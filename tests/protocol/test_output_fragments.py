"""A message in fragments, RFC 6455 section 5.4, on its way out."""

from __future__ import annotations

import zlib

import pytest

from lomond.compression import Backend, Compression
from lomond.errors import WebSocketClosing, WebSocketUnavailable
from lomond.options import Limits
from lomond.protocol import frames
from lomond.protocol.connection import Connection
from lomond.protocol.mask import mask
from lomond.protocol.output import MaskingKeys
from protocol import compressed
from protocol.compressed import installed_backends
from protocol.connections import events, frame, opened


def masked(first: int, payload: bytes) -> bytes:
    built = frames.build(0, payload, bytes(4))
    return bytes([first]) + built[1:]


def test_control_frames_stand_between_and_messages_do_not() -> None:
    connection = opened()
    connection.begin_message(frames.TEXT, True)
    connection.send_fragment(b"one", False)
    connection.send(frames.PING, b"p")
    with pytest.raises(WebSocketUnavailable, match="send_stream"):
        connection.send(frames.TEXT, b"no")
    with pytest.raises(WebSocketUnavailable, match="send_stream"):
        connection.begin_message(frames.TEXT, True)
    events(connection, frame(frames.PING, b"q"))
    connection.send_fragment(b"two", True)
    connection.send(frames.TEXT, b"next")
    assert connection.output.take() == (
        masked(1, b"one") + masked(0x89, b"p") + masked(0x8A, b"q") + masked(0x80, b"two")
        + masked(0x81, b"next")
    )  # fmt: skip
    assert (connection.output.parts, connection.output.texts) == (2, 2)
    assert connection.output.sent == 10


def test_one_fragment_is_a_whole_message() -> None:
    connection = opened()
    connection.begin_message(frames.BINARY, True)
    connection.send_fragment(b"", True)
    assert connection.output.take() == masked(0x82, b"")
    assert connection.output.binaries == 1


def test_each_text_is_counted() -> None:
    connection = opened()
    for _ in range(3):
        connection.begin_message(frames.TEXT, True)
        connection.send_fragment(b"one", True)
    assert (connection.output.texts, connection.output.parts) == (3, 3)


def test_a_close_ends_it() -> None:
    connection = opened()
    connection.begin_message(frames.TEXT, True)
    connection.send_fragment(b"one", False)
    events(connection, frame(frames.CLOSE, b"\x03\xe8"))
    with pytest.raises(WebSocketClosing):
        connection.send_fragment(b"two", True)
    connection.answer_now()
    assert connection.output.take() == masked(1, b"one") + masked(0x88, b"\x03\xe8")


def test_before_the_upgrade_it_is_not_held() -> None:
    connection = Connection(Limits(), MaskingKeys(bytes))
    with pytest.raises(WebSocketUnavailable, match="not ready"):
        connection.begin_message(frames.TEXT, True)


def test_what_has_not_begun_may_be_withdrawn() -> None:
    connection = opened()
    connection.begin_message(frames.TEXT, True)
    assert connection.output.withdraw()
    connection.send(frames.TEXT, b"x")
    connection.begin_message(frames.TEXT, True)
    connection.send_fragment(b"one", False)
    assert not connection.output.withdraw()
    connection.send_fragment(b"", True)
    assert connection.output.withdraw()  # it has its end


def test_messages_together_are_queued_in_order() -> None:
    connection = opened()
    connection.send_all([(frames.TEXT, b"a"), (frames.BINARY, b"b")], True)
    assert connection.output.take() == masked(0x81, b"a") + masked(0x82, b"b")


@pytest.mark.parametrize("backend", installed_backends(), ids=lambda backend: backend.name)
@pytest.mark.parametrize("forgets", [False, True])
def test_one_compression_goes_over_all_fragments(backend: Backend, forgets: bool) -> None:
    compression = Compression(client_no_context_takeover=forgets)
    connection = compressed.opened(backend, compression)
    stream = zlib.decompressobj(-15)
    for _ in range(2):
        connection.begin_message(frames.BINARY, True)
        for piece in (b"price " * 20, b"", b"volume " * 20, b"price " * 20):
            connection.send_fragment(piece, False)
        connection.send_fragment(b"", True)
        sent = fragments(connection.output.take())
        assert [first for first, _ in sent] == [2 | frames.RSV1, 0, 0, 0, frames.FIN]
        if forgets:
            stream = zlib.decompressobj(-15)
        payload = b"".join(payload for _, payload in sent)
        whole = b"price " * 20 + b"volume " * 20 + b"price " * 20
        assert stream.decompress(payload + compressed.TAIL) == whole
    assert compression.sent_raw == 2 * len(whole)
    connection.begin_message(frames.TEXT, False)
    connection.send_fragment(b"plain", True)
    assert fragments(connection.output.take()) == [(0x81, b"plain")]


def fragments(data: bytes) -> list[tuple[int, bytes]]:
    """First bytes and payloads of short frames that no key has changed."""
    found = []
    while data:
        size = data[1] & 0x7F
        assert size < 126
        found.append((data[0], mask(data[6 : 6 + size], data[2:6])))
        data = data[6 + size :]
    return found


def test_what_can_not_be_finished_refuses_others_as_a_close_does() -> None:
    connection = opened()
    connection.begin_message(frames.TEXT, True)
    connection.send_fragment(b"one", False)
    connection.close(1011, "")
    with pytest.raises(WebSocketClosing):
        connection.send(frames.TEXT, b"no")
    connection = opened()
    connection.begin_message(frames.TEXT, True)
    connection.send_fragment(b"one", False)
    connection.receive(frame(frames.CLOSE, b"\x03\xe8"), 1.0)
    closing = connection.next_event()
    assert closing is not None
    assert closing.name == "closing"
    with pytest.raises(WebSocketClosing):
        connection.send(frames.TEXT, b"no")
