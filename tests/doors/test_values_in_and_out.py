"""What users send and get as values: bytes-like objects, and JSON by their own functions."""

from __future__ import annotations

import array
import json
import math
import mmap
import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from doors.raw_server import echo, raw_server, until
from lomond import WebSocket

pytestmark = pytest.mark.every_door


@contextmanager
def ready(**options: Any) -> Iterator[tuple[Any, Any]]:
    """A WebSocket whose server answers with what it gets."""
    with raw_server(echo) as server:
        websocket = WebSocket(server.url, **options)
        stream = websocket.connect(poll=None)
        until(stream, "ready")
        yield websocket, stream
        stream.close()


@pytest.mark.parametrize("size", [0, 5, 70_000, 300_000])
def test_whatever_is_bytes_like_goes_as_binary(size: int) -> None:
    with ready() as (websocket, stream):
        data = bytearray(size)
        for given in (data, memoryview(data), array.array("B", data), bytes(data)):
            websocket.send_binary(given)
            assert next(stream).data == data
        data += b"more"  # nothing keeps it
        websocket.send_ping(bytearray(b"p"))
        assert next(stream).data == b"p"


def test_a_mapped_file_goes_as_binary_and_can_be_closed_then() -> None:
    with ready() as (websocket, stream), mmap.mmap(-1, 4096) as mapped:
        mapped[:5] = b"hello"
        websocket.send_binary(mapped)
        assert next(stream).data == b"hello" + bytes(4091)


def test_bytes_that_change_behind_a_send_that_is_held_do_not_change_it() -> None:
    with raw_server(echo) as server:
        websocket = WebSocket(server.url)
        stream = websocket.connect(poll=None)
        data = bytearray(b"before")
        until(stream, "connected")
        websocket.send_binary(data)
        data[:] = b"after!"
        assert until(stream, "binary").data == b"before"
        stream.close()


def test_json_goes_compactly_and_in_utf_8() -> None:
    with ready() as (websocket, stream):
        websocket.send_json({"a": [1, "ž"], "b": None})
        assert next(stream).text == '{"a":[1,"ž"],"b":null}'
        websocket.send_json(compress=1, a=2)  # every keyword is a key
        assert next(stream).json == {"compress": 1, "a": 2}
        websocket.send_json({"a": 1}, compress=False)
        assert next(stream).json == {"a": 1}
        websocket.send_json()
        assert next(stream).json == {}


def test_compress_is_said_beside_the_object() -> None:
    seen: list[dict[str, Any]] = []
    with ready(trace=seen.append) as (websocket, stream):
        websocket.send_json([1], compress=False)
        websocket.send_json([1])
        assert [next(stream).name for _ in range(2)] == ["text", "text"]
    sent = [record["compressed"] for record in seen if record["stage"] == "send_text"]
    assert sent == [False, True]


def test_nan_is_refused_before_anything_is_sent() -> None:
    with ready() as (websocket, stream):
        with pytest.raises(ValueError, match=r"^JSON has no nan, which is at \['a'\]\[1\];"):
            websocket.send_json(a=[1, math.nan])
        websocket.send_json([1])
        assert next(stream).json == [1]


def test_functions_of_the_programs_write_and_read() -> None:
    given: list[Any] = []

    def loads(text: str) -> Any:
        given.append(text)
        return {"read": json.loads(text)}

    with ready(loads=loads, dumps=lambda value: json.dumps([value]).encode()) as (
        websocket,
        stream,
    ):
        for number in range(3):
            websocket.send_json(number)
            event: Any = next(stream)
            assert not given
            assert event.json == {"read": [number]}
            assert event.json is event.json
            assert given == [f"[{number}]"]
            assert pickle.loads(pickle.dumps(event)).json == [number]
            given.clear()
        websocket.send_json(n=1)
        assert next(stream).json == {"read": [{"n": 1}]}


def functions_of(library: str) -> tuple[Any, Any]:
    if library == "msgspec":
        module = pytest.importorskip("msgspec.json")
        return module.decode, module.encode
    module = pytest.importorskip(library)
    return module.loads, module.dumps


@pytest.mark.parametrize("library", ["json", "orjson", "msgspec"])
def test_functions_of_libraries_work_as_they_are(library: str) -> None:
    loads, dumps = functions_of(library)
    with ready(loads=loads, dumps=dumps) as (websocket, stream):
        value = {"a": [1, 2.5, None, "ž"]}
        websocket.send_json(value)
        assert next(stream).json == value
        websocket.send_text("no json")
        event: Any = next(stream)
        with pytest.raises(Exception, match=r"(?i)invalid|malformed|expect|unexpect") as told:
            _ = event.json
        assert told.value.__notes__ == ["loads= was given the text 'no json'"]


def test_what_comes_in_one_read_is_read_by_it_too() -> None:
    with ready(loads=str.upper) as (websocket, stream):
        for _ in range(5):
            websocket.send_text("a")
        assert [next(stream).json for _ in range(5)] == ["A"] * 5


def test_what_is_set_meanwhile_is_the_next_connections() -> None:
    with ready() as (websocket, stream):
        websocket.loads = str.upper
        websocket.dumps = repr
        websocket.send_json("a")
        text = next(stream)
        assert (text.text, text.json) == ('"a"', "a")


def test_json_that_is_none_is_shown() -> None:
    with ready() as (websocket, stream):
        websocket.send_text("<html>")
        with pytest.raises(json.JSONDecodeError, match=r"^Expecting value in the text '<html>'"):
            _ = next(stream).json


@pytest.mark.parametrize("name", ["loads", "dumps"])
def test_what_is_no_function_is_refused_with_what_is_one(name: str) -> None:
    with pytest.raises(TypeError, match=rf"^{name} must be a callable, like json\.{name}, not 5"):
        WebSocket("ws://h/", **{name: 5})
    websocket = WebSocket("ws://h/")
    with pytest.raises(TypeError, match=rf"^{name} must be a callable, like pickle\.{name}, not <"):
        setattr(websocket, name, pickle)
    with pytest.raises(TypeError, match=rf"no argument json_{name}: did you mean {name}\?"):
        WebSocket("ws://h/", **{f"json_{name}": json.loads})


def test_names_of_the_short_way_are_not_changed_by_it() -> None:
    with ready(loads=json.loads) as (websocket, stream):
        websocket.send_binary(b"x")
        websocket.close()
        assert [event.name for event in stream] == ["binary", "closed", "disconnected"]
