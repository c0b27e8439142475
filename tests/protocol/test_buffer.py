"""No view of a message's bytes outlives its use: while one lives, the bytes can't become more.

CPython ends a view when nobody has it any more, which hides one that was not released; PyPy ends it
at some later time. Here every view is kept, so that CPython raises what PyPy would.
"""

from __future__ import annotations

from pkgutil import walk_packages
from typing import Any

import pytest

import lomond.protocol
from lomond import twin
from lomond.compression import Compression, load_backend
from lomond.options import Deflate, Limits
from lomond.protocol import frames
from lomond.protocol.buffer import joined
from lomond.testing.alone import counting_bytes
from protocol.compressed import deflated, frame
from sources import source

PAYLOAD = "".join(f"á{number}" for number in range(90_000)).encode()  # 650 KB


@pytest.fixture
def views(monkeypatch: pytest.MonkeyPatch) -> list[memoryview]:
    """All that are made by the sources."""
    made: list[memoryview] = []

    def keep(data: Any) -> memoryview:
        made.append(memoryview(data))
        return made[-1]

    for _, name, _ in walk_packages(lomond.protocol.__path__, "lomond.protocol."):
        monkeypatch.setattr(source(name.removeprefix("lomond.")), "memoryview", keep, raising=False)
    return made


def is_held(view: memoryview) -> bool:
    """Whether it keeps bytes that may have to grow."""
    try:
        return isinstance(view.obj, bytearray)
    except ValueError:  # it is released
        return False


def arrive(connection: Any, data: bytes, step: int) -> list[Any]:
    """The events of bytes that come in steps: into the room, where there is one."""
    events = []
    while data:
        room = connection.room()
        if room is None:
            count = min(step, len(data))
            connection.receive(data[:count], 1.0)
        else:
            count = min(step, len(data), len(room))
            room[:count] = data[:count]
            room.release()
            connection.filled(count, 1.0)
        data = data[count:]
        while (event := connection.next_event()) is not None:
            events.append(event)
    return events


@pytest.mark.parametrize("step", [1000, 70_000, 1 << 20])
@pytest.mark.parametrize("pieces", [1, 3, 40])
@pytest.mark.parametrize("kind", ["text", "binary", "compressed text"])
def test_every_view_is_released_before_the_bytes_become_more(
    views: list[memoryview], kind: str, pieces: int, step: int
) -> None:
    keys = source("protocol.output").MaskingKeys(counting_bytes())
    connection = source("protocol.connection").Connection(Limits(), keys)
    backend = load_backend("zlib")
    deflates = source("protocol.extensions.permessage_deflate")
    deflate = deflates.PerMessageDeflate(Compression(), Deflate(), backend)
    connection.opened([deflate] if kind == "compressed text" else [])
    payload = deflated(PAYLOAD) if kind == "compressed text" else PAYLOAD
    size = -(-len(payload) // pieces)
    data = b""
    for number in range(pieces):
        opcode = frames.BINARY if kind == "binary" else frames.TEXT
        data += frame(
            0 if number else opcode,
            payload[number * size : (number + 1) * size],
            rsv1=kind == "compressed text" and not number,
            final=number == pieces - 1,
        )
    (event,) = arrive(connection, data, step)
    assert (event.data if kind == "binary" else event.text.encode()) == PAYLOAD
    assert not any(map(is_held, views))


@pytest.mark.parametrize("end", [7, 9])
def test_bytes_of_a_piece_with_a_tail(end: int) -> None:
    assert joined(b"0123456789", 7, end, b"tail") == b"0123456789"[7:end] + b"tail"
    assert joined(b"0123456789", 0, 10, b"") == b"0123456789"


@pytest.mark.skipif(twin.running == "pure", reason="slices of the pure twin are cut")
@pytest.mark.parametrize(("start", "end"), [(0, 11), (-1, 5), (6, 5)])
def test_bytes_that_are_not_there_are_not_copied(start: int, end: int) -> None:
    with pytest.raises(ValueError, match="no such bytes"):
        joined(b"0123456789", start, end, b"tail")
