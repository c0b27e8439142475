"""What a program gives to send: as bytes, or as text; and JSON both ways."""

from __future__ import annotations

import array
import json
import math
import mmap
import pickle
from typing import Any

import pytest

from lomond.payloads import as_bytes, read_json, refuse_text, write_json


@pytest.mark.parametrize(
    "data",
    [
        b"\x01\x02\x03\x04",
        bytearray(b"\x01\x02\x03\x04"),
        memoryview(b"\x01\x02\x03\x04"),
        memoryview(b"\0\x01\x02\x03\x04\0")[1:5],
        memoryview(b"\x01\x02\x03\x04").cast("B", (2, 2)),
        array.array("B", [1, 2, 3, 4]),
    ],
    ids=repr,
)
def test_whatever_lies_in_one_piece_is_bytes(data: Any) -> None:
    assert as_bytes(data) == b"\x01\x02\x03\x04"
    assert type(as_bytes(data)) is bytes


def test_items_of_several_bytes_go_as_they_lie_in_memory() -> None:
    numbers = array.array("d", [1.5, -2.0])
    assert as_bytes(numbers) == numbers.tobytes()


def test_nothing_keeps_what_was_given() -> None:
    """A bytearray of which a view is left can't grow."""
    data = bytearray(b"one")
    kept = as_bytes(data)
    data += b" two"
    assert kept == b"one"
    with mmap.mmap(-1, 8) as mapped:
        mapped[:3] = b"one"
        assert as_bytes(mapped) == b"one\0\0\0\0\0"  # to close it with a view is a BufferError


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (
            "hello",
            "data argument must be bytes or bytes-like, not str ('hello'); write send_text(text), "
            "or data.encode()",
        ),
        ("x" * 100, "not str ('xxxxxxxxxxxxxxxxxxxxxxxx' + 76 chars); write send_text(text)"),
        (None, "data argument must be bytes or bytes-like, not NoneType (None)"),
        (5, "not int (5)"),
        ([1, 2], "not list ([1, 2]); write bytes(data), or send_json(data) for JSON"),
        ({"a": 1}, "not dict ({'a': 1}); write send_json(data) for JSON"),
    ],
)
def test_what_is_not_bytes_is_refused_with_what_to_write(data: Any, said: str) -> None:
    with pytest.raises(TypeError) as told:
        as_bytes(data)
    assert said in str(told.value)


def test_bytes_in_several_pieces_are_refused() -> None:
    with pytest.raises(ValueError, match=r"in one piece; write send_binary\(data\.tobytes\(\)\)"):
        as_bytes(memoryview(b"abcdef")[::2])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            b"abc",
            "text argument must not be bytes (b'abc'); write send_text(data.decode()), or "
            "send_binary(data). JSON that a library gives as bytes: "
            "WebSocket(url, dumps=...) and send_json(obj)",
        ),
        (bytearray(b"abc"), "text argument must not be bytearray (bytearray(b'abc')); write"),
        ({"a": 1}, "text argument must be str, not dict ({'a': 1}); write send_json(obj)"),
        (None, "text argument must be str, not NoneType (None)"),
        (5, "text argument must be str, not int (5); write str(value), or send_json(obj)"),
    ],
)
def test_what_is_not_text_is_refused_with_what_to_write(text: Any, said: str) -> None:
    with pytest.raises(TypeError) as told:
        refuse_text(text)
    assert said in str(told.value)


# JSON out


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"a": [1, 2.5, None, True]}, '{"a":[1,2.5,null,true]}'),
        ({"name": "Žluťoučký kůň 🐴"}, '{"name":"Žluťoučký kůň 🐴"}'),
        ('\x00\x1f"\\', '"\\u0000\\u001f\\"\\\\"'),
        ({}, "{}"),
        (None, "null"),
    ],
)
def test_json_is_compact_text(value: Any, text: str) -> None:
    assert write_json(value, None) == text
    assert json.loads(text) == value


def test_half_a_surrogate_pair_is_written_as_json_escapes_it() -> None:
    """Python's strings may have one; UTF-8 may not. (It went as \\ud800 from lomond 0.3.4.)"""
    text = write_json({"ž": "a\ud800b"}, None)
    assert text == '{"ž":"a\\ud800b"}'
    assert json.loads(text) == {"ž": "a\ud800b"}


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (math.nan, "JSON has no nan;"),
        (
            {"prices": [1.0, {"last": math.inf}]},
            "JSON has no inf, which is at ['prices'][1]['last'];",
        ),
        ([(-math.inf,)], "JSON has no -inf, which is at [0][0];"),
        ({math.nan: 1}, "JSON has no nan, which is a key;"),
    ],
)
def test_nan_is_refused_with_where_it_is(value: Any, said: str) -> None:
    with pytest.raises(ValueError, match=r"^JSON has no ") as told:
        write_json(value, None)
    assert str(told.value).startswith(said)
    assert str(told.value).endswith(
        "; send None for it, or let WebSocket(url, dumps=json.dumps) write it"
    )


def test_other_mistakes_of_json_stay() -> None:
    round_trip: list[Any] = []
    round_trip.append(round_trip)
    with pytest.raises(ValueError, match="Circular reference"):
        write_json(round_trip, None)
    with pytest.raises(TypeError, match="keys must be str") as told:
        write_json({(1, 2): 3}, None)
    assert "dumps=" in str(told.value)


def test_what_json_can_not_say_names_dumps() -> None:
    with pytest.raises(
        TypeError,
        match=r"^Object of type bytes is not JSON serializable; .* dumps=functools\.partial",
    ):
        write_json({"data": b"x"}, None)


def test_dumps_of_the_programs_may_give_text_or_bytes() -> None:
    assert write_json({"a": 1}, json.dumps) == '{"a": 1}'
    assert write_json({"a": "ž"}, lambda value: json.dumps(value, ensure_ascii=False).encode()) == (
        '{"a": "ž"}'
    )
    assert write_json(math.nan, json.dumps) == "NaN"


def test_dumps_that_gives_no_json_is_named() -> None:
    with pytest.raises(TypeError, match=r"^dumps= gave NoneType \(None\); .* str or bytes"):
        write_json({}, lambda value: None)  # type: ignore[arg-type, return-value]  # it gives none, on purpose
    with pytest.raises(
        ValueError, match=r"^dumps= gave bytes that are no UTF-8 \(b'.*\); .* send_binary"
    ):
        write_json({}, pickle.dumps)


# JSON in


def test_json_is_read() -> None:
    assert read_json('{"a": 1}', None) == {"a": 1}
    assert read_json("7", lambda text: f"<{text}>") == "<7>"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("no", "Expecting value in the text 'no': line 1 column 1 (char 0)"),
        ("", "Expecting value in the text '': line 1 column 1 (char 0)"),
        (
            "[1,\n" + "x" * 100,
            "Expecting value in the text '[1,\\nxxxxxxxxxxxxxxxxxxxx' + 80 chars: line 2 column 1 "
            "(char 4)",
        ),
    ],
)
def test_what_is_no_json_is_shown(text: str, said: str) -> None:
    with pytest.raises(json.JSONDecodeError) as told:
        read_json(text, None)
    assert str(told.value) == said
    assert told.value.doc == text
    assert str(pickle.loads(pickle.dumps(told.value))) == said


def test_what_loads_of_the_programs_raises_stays_and_has_the_text_beside_it() -> None:
    def refuse(text: str) -> Any:
        raise KeyError(text)

    with pytest.raises(KeyError) as told:
        read_json("x" * 30, refuse)
    assert told.value.__notes__ == [
        "loads= was given the text 'xxxxxxxxxxxxxxxxxxxxxxxx' + 6 chars"
    ]
