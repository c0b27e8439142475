"""Compression from the offer to the Ready event, over the pretend door, with each library."""

from __future__ import annotations

import zlib
from itertools import islice

import pytest

from lomond.compression import chosen_backend
from lomond.options import Deflate
from lomond.protocol import frames
from lomond.testing.alone import PretendDoor
from lomond.testing.peer import Peer, Talk, say

pytestmark = pytest.mark.usefixtures("each_library")


def packs(peer: Peer) -> Talk:
    yield from peer.upgrade(
        b"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits=12\r\n"
    )
    stream = zlib.compressobj(9, zlib.DEFLATED, -15)
    payload = (stream.compress(b"packed " * 9) + stream.flush(zlib.Z_SYNC_FLUSH))[:-4]
    yield say(frames.TEXT | frames.RSV1, payload)
    yield from peer.hear_end()


def overrides(peer: Peer) -> Talk:
    yield from peer.upgrade(b"Sec-WebSocket-Extensions: permessage-deflate; mux\r\n")


def test_ready_tells_what_was_negotiated() -> None:
    door = PretendDoor(packs, compress=Deflate())
    seen = []
    for event in door.events():
        seen.append(event)
        if event.name == "text":
            door.send_text("x" * 100)
            break
    ready, text = seen[2], seen[4]
    assert ready.name == "ready"
    assert text.name == "text"
    assert text.text == "packed " * 9
    assert ready.extensions == {"permessage-deflate"}
    assert ready.compression is not None
    assert ready.compression is door.session.compression
    assert ready.compression.backend == chosen_backend().name
    assert ready.compression.client_max_window_bits == 12
    assert ready.compression.received_raw == 63
    assert 0 < ready.compression.sent_compressed < ready.compression.sent_raw == 100
    request, _, _ = door.sent.partition(b"\r\n\r\n")
    assert b"\r\nSec-WebSocket-Extensions: permessage-deflate; client_max_window_bits" in request


def test_an_answer_that_may_not_be_is_a_rejection() -> None:
    rejected = list(PretendDoor(overrides, compress=Deflate()).events())[2]
    assert rejected.name == "rejected"
    assert rejected.reason == "permessage-deflate has no parameter mux"
    rejected = list(PretendDoor(packs).events())[2]
    assert rejected.name == "rejected"
    assert "which was not offered" in rejected.reason


def test_a_server_may_decline() -> None:
    def declines(peer: Peer) -> Talk:
        yield from peer.upgrade()
        yield say(frames.TEXT, b"plain")

    _, _, ready, *_ = islice(PretendDoor(declines, compress=Deflate()).events(), 3)
    assert ready.name == "ready"
    assert (ready.extensions, ready.compression) == (set(), None)
