"""Any bytes in any split give the same events, and never an exception."""

from __future__ import annotations

from hypothesis import given, settings, strategies as st

from lomond.errors import ProtocolError
from lomond.options import Limits
from lomond.protocol import frames
from lomond.protocol.connection import Connection
from lomond.protocol.http.request import Request
from lomond.protocol.http.upgrade import Upgrade
from lomond.protocol.mask import mask
from lomond.protocol.output import MaskingKeys

payloads = st.one_of(
    st.binary(max_size=200), st.text(max_size=80).map(str.encode), st.binary(max_size=2000)
)
built = st.builds(
    lambda opcode, payload, final: (
        lambda whole: whole if final else bytes([whole[0] & 0x7F]) + whole[1:]
    )(frames.build(opcode, payload, None)),
    st.sampled_from([0, 1, 2, 8, 9, 10]),
    payloads,
    st.booleans(),
)
streams = st.lists(st.one_of(built, built, built, st.binary(max_size=20)), max_size=8).map(b"".join)
cuts = st.lists(st.integers(min_value=1, max_value=60), min_size=1, max_size=40)


def split(data: bytes, sizes: list[int]) -> list[bytes]:
    chunks = []
    position = number = 0
    while position < len(data):
        size = sizes[number % len(sizes)]
        chunks.append(data[position : position + size])
        position += size
        number += 1
    return chunks


def outcome(chunks: list[bytes]) -> tuple[list[str], bytes, str]:
    limits = Limits(max_message_size=1000, max_fragments=5)
    connection = Connection(limits, MaskingKeys(lambda size: bytes(size)))
    connection.opened()
    seen = []
    for chunk in chunks:
        connection.receive(chunk, 1.0)
        while (event := connection.next_event()) is not None:
            details = [getattr(event, name) for name in event.__match_args__]
            seen.append(f"{event.name} {details}")
    connection.next_event()
    return seen, connection.output.take(), connection.state


@given(streams, cuts)
@settings(max_examples=400)
def test_frames_whole_or_in_pieces(data: bytes, sizes: list[int]) -> None:
    assert outcome(split(data, sizes)) == outcome([data])


@given(st.binary(max_size=300), cuts)
@settings(max_examples=300)
def test_any_bytes_as_frames(data: bytes, sizes: list[int]) -> None:
    whole, pieces = outcome([data]), outcome(split(data, sizes))
    assert pieces[1:] == whole[1:]
    # Where a text ends inside a code point at its end, or before it, only the words differ.
    assert [line.split(" ")[0] for line in pieces[0]] == [line.split(" ")[0] for line in whole[0]]


heads = st.one_of(
    st.binary(max_size=300),
    st.lists(
        st.sampled_from(
            [
                b"HTTP/1.1 101 X\r\n", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 100 C\r\n", b"\r\n",
                b"Upgrade: websocket\r\n", b"Connection: Upgrade\r\n", b"Content-Length: 3\r\n",
                b"Sec-WebSocket-Accept: ICX+Yqv66kxgM0FcWaLWlFLwTAI=\r\n", b"abc", b"\n", b"\x00",
                b"Transfer-Encoding: chunked\r\n", b"X: y\r\n", b" folded\r\n", b": \r\n",
            ]
        ),
        max_size=12,
    ).map(b"".join),
)  # fmt: skip


def answer(chunks: list[bytes]) -> str:
    upgrade = Upgrade(
        Request("/", "h:80", "a"), lambda size: bytes(size), Limits(max_header_size=2000)
    )
    for number, chunk in enumerate(chunks):
        try:
            found = upgrade.receive(chunk)
        except ProtocolError:
            return "protocol error"
        if found is not None:
            rest = b"".join(chunks[number + 1 :])
            if hasattr(found, "rest"):
                return f"accepted {found.rest + rest!r}"
            return f"refused {found.reason} {found.response.body!r}"
    end = upgrade.end_of_stream()
    return f"end {end and (end.reason, end.response.body)}"


@given(heads, cuts)
@settings(max_examples=400)
def test_answers_whole_or_in_pieces(data: bytes, sizes: list[int]) -> None:
    assert answer(split(data, sizes)) == answer([data] if data else [])


@given(st.binary(max_size=5000), st.binary(min_size=4, max_size=4))
def test_masking_twice_is_nothing(payload: bytes, key: bytes) -> None:
    assert bytes(mask(mask(payload, key), key)) == payload
