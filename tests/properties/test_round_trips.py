"""Valid conversations come back as they were, whichever way their bytes are read."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

from hypothesis import given, settings, strategies as st

from lomond import events as public
from lomond.options import Limits
from lomond.protocol import frames
from lomond.protocol.connection import Connection
from lomond.url import Url, parse, parse_any
from protocol.connections import opened

controls = st.tuples(st.sampled_from([frames.PING, frames.PONG]), st.binary(max_size=125))
fractions_of_it = st.lists(st.floats(0, 1), max_size=4)  # where it is cut into fragments
texts = st.text(max_size=200).map(str.encode)
blobs = st.builds(lambda unit, times: unit * times, st.binary(max_size=100), st.integers(1, 700))
messages = st.one_of(
    st.tuples(st.just(frames.TEXT), texts, fractions_of_it),
    st.tuples(st.just(frames.BINARY), blobs, fractions_of_it),
)
cuts = st.lists(st.integers(min_value=1, max_value=30_000), min_size=1, max_size=20)
SIGNS = [b"\xff", b"\xe2", "€".encode()]
NAMES = {frames.TEXT: "text", frames.BINARY: "binary", frames.PING: "ping", frames.PONG: "pong"}


def unfinished(opcode: int, payload: bytes) -> bytes:
    built = frames.build(opcode, payload, None)
    return bytes([built[0] & 0x7F]) + built[1:]


def content(event: Any) -> bytes:
    return bytes(event.text.encode() if event.name == "text" else event.data)


def read(connection: Connection, data: bytes, sizes: list[int], uses_room: bool) -> list[Any]:
    """All events of the data, read in pieces, into the connection's room where it has one."""
    found: list[Any] = []
    position = number = 0
    while position < len(data):
        size = sizes[number % len(sizes)]
        number += 1
        room = connection.room() if uses_room else None
        if room is None:
            connection.receive(data[position : position + size], 1.0)
        else:
            with room:
                size = min(size, len(room), len(data) - position)
                room[:size] = data[position : position + size]
            connection.filled(size, 1.0)
        position += size
        while (event := connection.next_event()) is not None:
            found.append(event)
    return found


@given(st.lists(st.tuples(messages, controls), max_size=5), cuts)
@settings(max_examples=150)
def test_valid_frames_come_back_as_messages(conversation: list[Any], sizes: list[int]) -> None:
    wire, expected = [], []
    for (opcode, payload, fractions), (control, note) in conversation:
        borders = sorted(int(fraction * len(payload)) for fraction in fractions)
        first = opcode
        for start, end in zip([0, *borders], borders, strict=False):
            wire += [unfinished(first, payload[start:end]), frames.build(control, note, None)]
            expected.append((NAMES[control], note))
            first = frames.CONTINUATION
        wire.append(frames.build(first, payload[borders[-1] if borders else 0 :], None))
        expected.append((NAMES[opcode], payload))
    found = read(opened(), b"".join(wire), sizes, uses_room=False)
    assert [(event.name, content(event)) for event in found] == expected


@given(
    st.sampled_from([frames.TEXT, frames.BINARY]),
    st.integers(60_000, 400_000),
    st.lists(st.tuples(st.floats(0, 1), st.sampled_from(SIGNS)), max_size=2),
    cuts,
)
@settings(max_examples=60)
def test_a_large_message_is_the_same_through_its_room(
    opcode: int, size: int, changes: list[tuple[float, bytes]], sizes: list[int]
) -> None:
    payload = bytearray(b"x" * size)
    for place, change in changes:
        start = int(place * (size - 4))
        payload[start : start + len(change)] = change
    data = frames.build(opcode, bytes(payload), None) + frames.build(frames.TEXT, b"after", None)
    limits = Limits(max_message_size=None)
    results = []
    for uses_room in (True, False):
        connection = opened(limits)
        found = read(connection, data, [1000 + each for each in sizes], uses_room)
        assert not connection.is_mid_frame()
        connection.answer_now()
        fields = [[getattr(event, name) for name in event.__match_args__] for event in found]
        results.append((fields, connection.output.take(), connection.state))
    assert results[0] == results[1]


@given(st.text(max_size=60))
@settings(max_examples=300)
def test_a_url_is_fit_to_be_sent_or_refused(text: str) -> None:
    for candidate in (text, "ws://" + text, "wss://h/" + text, "ws://u:" + text + "@h/"):
        try:
            parts = parse(candidate)
        except ValueError:
            continue
        assert parts.resource.startswith("/")
        assert parts.resource.isascii()
        assert parts.resource.isprintable()
        assert " " not in parts.resource
        assert 1 <= parts.port <= 65535
        assert parts.host


def taken_apart(by: Callable[[str], Url], url: str) -> Url | str:
    try:
        return by(url)
    except ValueError as error:
        return str(error)


@given(st.text(max_size=30, alphabet="hA0.-_/?:@%&=+,;~!$'()*[]{}|^`\"#<>\\ \té"))
@settings(max_examples=500)
def test_a_plain_url_is_taken_apart_as_any(text: str) -> None:
    for scheme in ("ws", "wss", "http", "WSS", "ftp", ""):
        for rest in ("h" + text, text, "h:" + text, "h:8080/" + text, "h/" + text):
            for url in (f"{scheme}://{rest}", f"{scheme}:{rest}", rest):
                assert taken_apart(parse, url) == taken_apart(parse_any, url)


@given(st.text(min_size=1, max_size=30, alphabet=st.characters(exclude_characters="/?#@'\\\"")))
@settings(max_examples=200)
def test_a_password_is_in_no_repr(secret: str) -> None:
    secret = f"<{secret}>"
    url = f"ws://u:{secret}@h/"
    shown = ""
    try:
        parse(url)
        shown = repr(public.Connecting(url))
    except ValueError as error:
        shown = str(error)
    assert "***@h" in shown
    assert secret not in shown


@given(st.text(max_size=100), st.binary(max_size=100))
@settings(max_examples=50)
def test_events_survive_two_pickles(text: str, data: bytes) -> None:
    for event in (
        public.Text(text, received_time=1.0),
        public.Binary(data, received_time=2.0),
        public.ConnectFail(text, cause=_OddError(text, 1), phase="tls", received_time=3.0),
    ):
        once = pickle.loads(pickle.dumps(event))
        twice = pickle.loads(pickle.dumps(once))
        assert repr(event) == repr(once) == repr(twice)
        assert event.received_time == once.received_time == twice.received_time
        assert repr(getattr(once, "cause", None)) == repr(getattr(twice, "cause", None))
        assert "RestoredCause" not in repr(getattr(twice, "cause", None))


class _OddError(Exception):
    pass
