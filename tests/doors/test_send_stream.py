"""One message in fragments, as its source gives it: in every door."""

from __future__ import annotations

import io
import socket
import threading
import zlib
from collections.abc import Iterator
from time import monotonic, sleep
from typing import Any, NamedTuple

import pytest

from doors.raw_server import (
    accept_upgrade,
    frame,
    raw_server,
    read_all,
    read_exactly,
    read_request,
)
from lomond import WebSocket
from lomond.errors import TransportFail, WebSocketClosing, WebSocketUnavailable
from lomond.protocol import frames
from lomond.protocol.mask import mask
from patience import PATIENCE

pytestmark = pytest.mark.every_door

CLOSE = frame(frames.CLOSE, code=1000)
TAIL = b"\x00\x00\xff\xff"


class Frame(NamedTuple):
    first: int
    payload: bytes

    @property
    def opcode(self) -> int:
        return self.first & 15

    @property
    def is_last(self) -> bool:
        return self.first >= 128


def heard(connection: socket.socket) -> Frame:
    first, second = read_exactly(connection, 2)
    length = second & 127
    if length > 125:
        length = int.from_bytes(read_exactly(connection, 2 if length == 126 else 8), "big")
    key = read_exactly(connection, 4)
    return Frame(first, bytes(mask(read_exactly(connection, length), key)))


def message(connection: socket.socket) -> list[Frame]:
    """The fragments of a message."""
    found = [heard(connection)]
    while not found[-1].is_last:
        found.append(heard(connection))
    return found


class Server:
    """Hears messages, and closes after so many."""

    def __init__(self, count: int, compress: bool = False) -> None:
        self.messages: list[list[Frame]] = []
        self._count = count
        self._compress = compress

    def __call__(self, connection: socket.socket) -> None:
        request = read_request(connection)
        extension = b"Sec-WebSocket-Extensions: permessage-deflate\r\n"
        accept_upgrade(connection, request, extension if self._compress else b"")
        for _ in range(self._count):
            self.messages.append(message(connection))
        connection.sendall(CLOSE)
        read_all(connection)


def talk(server: Any, act: Any, at: str = "ready", **options: Any) -> list[Any]:
    """Call that at the event of that name, with the WebSocket; the events."""
    with raw_server(server, upgrades=False) as place:
        websocket = WebSocket(place.url, **options)
        found: list[Any] = []
        for event in websocket.connect(poll=None, ping_rate=0):
            found.append(event)
            if event.name == at:
                act(websocket)
        return found


def test_pieces_are_fragments_and_long_ones_are_cut() -> None:
    server = Server(4)
    progress: list[int] = []
    sent: list[int] = []

    def act(websocket: Any) -> None:
        pieces = [b"a" * 100_000, b"", bytearray(b"bc"), memoryview(b"defg")[::1]]
        sent.append(websocket.send_stream(pieces, on_progress=progress.append))
        sent.append(websocket.send_stream(iter(["aé" * 40_000, "x"]), text=True))
        sent.append(websocket.send_stream(io.BytesIO(b"z" * 200_000)))
        sent.append(websocket.send_stream([]))

    talk(server, act)
    first, second, third, fourth = server.messages
    assert [(one.first, len(one.payload)) for one in first] == [
        (2, 65_536), (0, 34_464), (0, 2), (0, 4), (128, 0),
    ]  # fmt: skip
    assert progress == [65_536, 100_000, 100_002, 100_006]
    assert [one.opcode for one in second] == [1, 0, 0, 0]
    assert "".join(one.payload.decode() for one in second) == "aé" * 40_000 + "x"
    assert b"".join(one.payload for one in third) == b"z" * 200_000
    assert fourth == [Frame(130, b"")]
    assert sent == [100_006, 120_001, 200_000, 0]


def test_one_compression_goes_over_all_fragments() -> None:
    server = Server(3, compress=True)
    pieces = [b"price " * 100, b"volume " * 100, b"price " * 100]

    def act(websocket: Any) -> None:
        websocket.send_stream(pieces)
        websocket.send_stream(pieces, compress=False)
        websocket.send_stream(["héllo"] * 50, text=True)
        assert websocket.compression.sent_raw == 1900 + 300

    talk(server, act, compress=True)
    packed, plain, text = server.messages
    assert [one.first & 0x70 for one in packed] == [frames.RSV1, 0, 0, 0]
    assert {one.first & 0x70 for one in plain} == {0}
    stream = zlib.decompressobj(-15)
    unpacked = stream.decompress(b"".join(one.payload for one in packed) + TAIL)
    assert unpacked == b"".join(pieces)
    assert len(packed[2].payload) < 20  # what was said before is referred to
    assert stream.decompress(b"".join(one.payload for one in text) + TAIL).decode() == "héllo" * 50


def test_pings_are_answered_between_the_fragments_in_the_body_of_the_loop_too() -> None:
    answered = threading.Event()

    def pings(connection: socket.socket) -> None:
        accept_upgrade(connection, read_request(connection))
        assert not heard(connection).is_last
        connection.sendall(frame(frames.TEXT, b"one") + frame(frames.PING, b"now"))
        while (one := heard(connection)).opcode == frames.CONTINUATION:
            assert not one.is_last
        assert one == Frame(frames.FIN | frames.PONG, b"now")
        answered.set()
        while not heard(connection).is_last:
            pass
        connection.sendall(frame(frames.TEXT, b"two") + CLOSE)
        read_all(connection)

    def source() -> Iterator[bytes]:
        end = monotonic() + PATIENCE
        while not answered.is_set():
            assert monotonic() < end
            yield b"more"
            sleep(0.001)

    found = talk(pings, lambda websocket: websocket.send_stream(source()))
    names = [event.name for event in found]
    assert names[names.index("ready") + 1 :] == ["text", "ping", "text", "closing", "disconnected"]
    assert [event.text for event in found if event.name == "text"] == ["one", "two"]


def test_what_comes_meanwhile_waits_in_its_order_and_no_more_of_it_than_max_read_ahead() -> None:
    count = 2000

    def says_much(connection: socket.socket) -> None:
        accept_upgrade(connection, read_request(connection))
        connection.settimeout(PATIENCE)
        heard(connection)
        said = threading.Thread(
            target=connection.sendall,
            args=(b"".join(frame(frames.BINARY, b"%8d" % n * 500) for n in range(count)),),
        )
        said.start()
        while not heard(connection).is_last:
            pass
        said.join()
        connection.sendall(CLOSE)
        read_all(connection)

    def source() -> Iterator[bytes]:
        for _ in range(200):
            yield bytes(1000)
            sleep(0.001)

    found = talk(says_much, lambda ws: ws.send_stream(source()), max_read_ahead=100_000)
    said = [int(event.data[:8]) for event in found if event.name == "binary"]
    assert said == list(range(count))


class Closed:
    """A source that tells whether it was closed."""

    def __init__(self, pieces: Any) -> None:
        self.is_closed = False
        self._pieces = pieces

    def source(self) -> Iterator[bytes]:
        try:
            yield from self._pieces
        finally:
            self.is_closed = True


def endless(gap: float = 0.001) -> Iterator[bytes]:
    end = monotonic() + PATIENCE
    while monotonic() < end:
        yield b"piece"
        sleep(gap)


def test_a_close_ends_it_at_once_and_the_source_is_closed() -> None:
    def closes(connection: socket.socket) -> None:
        accept_upgrade(connection, read_request(connection))
        heard(connection)
        connection.sendall(frame(frames.CLOSE, b"enough", code=1008))
        read_all(connection)

    one = Closed(endless())

    def act(websocket: Any) -> None:
        with pytest.raises(WebSocketClosing, match="the server had closed with 1008"):
            websocket.send_stream(one.source())
        assert one.is_closed

    found = talk(closes, act)
    assert [event.name for event in found][-2:] == ["closing", "disconnected"]
    assert found[-1].ending.code == 1008


def test_a_cut_ends_it_and_the_source_is_closed() -> None:
    def cuts(connection: socket.socket) -> None:
        accept_upgrade(connection, read_request(connection))
        heard(connection)

    one = Closed(endless())

    def act(websocket: Any) -> None:
        with pytest.raises((TransportFail, WebSocketUnavailable)):
            websocket.send_stream(one.source())
        assert one.is_closed

    found = talk(cuts, act)
    assert found[-1].name == "disconnected"
    assert found[-1].ending.kind == "lost"


def test_where_the_source_raises_the_connection_closes_with_1011() -> None:
    said: list[Frame] = []

    def hears(connection: socket.socket) -> None:
        accept_upgrade(connection, read_request(connection))
        while not said or said[-1].opcode != frames.CLOSE:
            said.append(heard(connection))
        connection.sendall(frame(frames.CLOSE, code=1011))
        read_all(connection)

    def source() -> Iterator[bytes]:
        yield b"half"
        raise ValueError("no more")

    def act(websocket: Any) -> None:
        with pytest.raises(ValueError, match="no more"):
            websocket.send_stream(source())

    found = talk(hears, act)
    assert [one.first for one in said] == [frames.BINARY, frames.FIN | frames.CLOSE]
    assert said[1].payload[:2] == (1011).to_bytes(2, "big")
    assert found[-1].ending.by == "client"
    assert found[-1].ending.code == 1011


def test_where_it_raises_before_the_first_piece_nothing_has_happened() -> None:
    server = Server(1)

    def act(websocket: Any) -> None:
        with pytest.raises(TypeError, match=r"a piece must be bytes-like.*give text=True"):
            websocket.send_stream(["text"])
        websocket.send_text("all is well")

    talk(server, act)
    assert server.messages == [[Frame(129, b"all is well")]]


def test_another_message_from_the_source_is_an_error_at_once() -> None:
    server = Server(2)

    def act(websocket: Any) -> None:
        def source() -> Iterator[bytes]:
            yield b"1"
            with pytest.raises(WebSocketUnavailable, match="send_stream"):
                websocket.send_stream([b"no"])
            yield b"2"

        websocket.send_stream(source())
        websocket.send_text("behind")

    talk(server, act)
    assert b"".join(one.payload for one in server.messages[0]) == b"12"
    assert server.messages[1] == [Frame(129, b"behind")]


def test_before_ready_it_is_an_error() -> None:
    def act(websocket: Any) -> None:
        one = Closed([b"x"])
        with pytest.raises(WebSocketUnavailable, match="not ready"):
            websocket.send_stream(one.source())

    talk(Server(0), act, at="connected")


def test_without_a_connection_it_is_an_error() -> None:
    with pytest.raises(WebSocketUnavailable, match="not connected"):
        WebSocket("ws://127.0.0.1:1/").send_stream([b"x"])


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (b"bytes", "write send_binary"),
        ("text", "write send_text"),
        ({"a": 1}, "write send_json"),
        (5, "not int"),
    ],
)
def test_what_is_no_source(source: Any, said: str) -> None:
    with pytest.raises(TypeError, match=said):
        WebSocket("ws://127.0.0.1:1/").send_stream(source)


def test_what_is_recorded_of_it() -> None:
    lines: list[dict[str, Any]] = []
    talk(
        Server(1),
        lambda websocket: websocket.send_stream(["a" * 65_536 + "é"], text=True),
        record=lines.append,
    )
    parts = [(one["text"], one["offset"], one["is_first"], one["is_last"]) for one in lines
             if one["op"] == "text_part"]  # fmt: skip
    assert parts == [("a" * 65_536, 0, True, False), ("é", 65_536, False, False),
                     ("", 65_538, False, True)]  # fmt: skip


def test_what_is_said_instead_of_pings_does_not_stand_in_it() -> None:
    server = Server(1)

    def source() -> Iterator[bytes]:
        for _ in range(30):
            yield b"x"
            sleep(0.01)

    with raw_server(server, upgrades=False) as place:
        websocket = WebSocket(place.url)
        for event in websocket.connect(ping_rate=0.02, ping_message="alive"):
            if event.name == "ready":
                websocket.send_stream(source())
    assert b"".join(one.payload for one in server.messages[0]) == b"x" * 30
