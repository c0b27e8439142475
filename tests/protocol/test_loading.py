"""Texts that know how the program reads JSON, however they come; what else comes knows nothing."""

from __future__ import annotations

import json
import pickle
from typing import Any

from lomond.events import AnyEvent
from lomond.options import Limits
from lomond.protocol import frames
from lomond.protocol.loading import Loading
from lomond.protocol.output import MaskingKeys
from lomond.protocol.short import short_messages


def loads(text: str) -> Any:
    return ["by the program", text]


def opened() -> Loading:
    connection = Loading(Limits(), MaskingKeys(bytes), True, loads)
    connection.opened()
    return connection


def next_text(connection: Loading) -> Any:
    event: AnyEvent | None = connection.next_event()
    assert event is not None
    assert event.name == "text"
    return event


def test_a_text_of_one_frame() -> None:
    connection = opened()
    connection.receive(frames.build(frames.TEXT, b"1", None), 1.0)
    event = next_text(connection)
    assert event.json == ["by the program", "1"]
    assert event.json is event.json


def test_a_text_of_several_frames() -> None:
    connection = opened()
    start = frames.build(frames.TEXT, b"1", None)
    connection.receive(bytes([frames.TEXT]) + start[1:], 1.0)
    connection.receive(frames.build(frames.CONTINUATION, b"2", None), 1.0)
    assert next_text(connection).json == ["by the program", "12"]


def test_short_messages() -> None:
    connection = opened()
    data = frames.build(frames.TEXT, b"1", None)
    connection.receive(data + data + frames.build(frames.BINARY, b"2", None) + data, 1.0)
    connection.shorten()
    connection.due = 10.0
    connection.next_event()
    text, binary, other = short_messages(connection)()
    assert text.json == other.json == ["by the program", "1"]  # type: ignore[union-attr]  # the event that has it
    assert binary.data == b"2"  # type: ignore[union-attr]  # the event that has it
    assert connection.short_message() is None


def test_other_events_and_none() -> None:
    connection = opened()
    assert connection.next_event() is None
    connection.receive(frames.build(frames.PONG, b"", None), 1.0)
    assert repr(connection.next_event()) == "Pong(data=b'')"


def test_a_pickle_has_the_text_alone() -> None:
    connection = opened()
    connection.receive(frames.build(frames.TEXT, b"[1]", None), 1.0)
    event = next_text(connection)
    assert event.json == ["by the program", "[1]"]
    again = pickle.loads(pickle.dumps(event))
    assert again.text == "[1]"
    assert again.json == json.loads("[1]")
