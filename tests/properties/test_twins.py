"""The twins do the same: names, fields, bytes and states, for hostile and random input."""

from __future__ import annotations

import copy
import inspect
import pickle
from importlib import import_module
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from lomond import twin as chosen
from lomond.compression import Compression
from lomond.options import Deflate, Limits
from properties.test_any_bytes import cuts, split, streams
from sources import source

KEY = b"\x01\x02\x03\x04"

needs_both = pytest.mark.skipif(
    chosen.running != "compiled", reason="the compiled twin was not built, or LOMOND_PURE is set"
)


def twin(name: str) -> tuple[ModuleType, ModuleType]:
    """The same module of both."""
    return source(f"protocol.{name}"), import_module(f"lomond.protocol.{name}")


def opened(
    connections: ModuleType, keys: ModuleType, deflates: ModuleType, limits: Limits, packs: bool
) -> Any:
    numbers = iter(range(1 << 30))
    connection = connections.Connection(
        limits, keys.MaskingKeys(lambda size: bytes(next(numbers) % 251 for _ in range(size)))
    )
    deflate = deflates.PerMessageDeflate(Compression(), Deflate(min_size=1)) if packs else None
    connection.opened([deflate] if deflate else [])
    return connection


def fields(event: Any) -> tuple[object, ...]:
    _, *held = event.__reduce__()[1]  # the class, which differs, and all that a pickle keeps
    return (type(event).__name__, event.name, repr(held))


def clock_of(number: int) -> Any:
    """Where it is 1.0 for ever, for one twin."""

    class Clock(twin("input")[number].Clock):  # type: ignore[misc]  # a class of one twin
        def has_come(self, moment: float) -> bool:
            return moment <= 1.0

    return Clock()


def story(number: int, chunks: list[bytes], packs: bool, limits: Limits) -> list[object]:
    """All that can be seen of one twin while it gets the chunks and sends now and then."""
    modules = [
        twin(name)[number] for name in ("connection", "output", "extensions.permessage_deflate")
    ]
    connection = opened(*modules, limits, packs)
    seen: list[object] = []
    connection.clock = clock_of(number)
    for i, chunk in enumerate(chunks):
        connection.due = i % 4  # sometimes due, sometimes not
        room = connection.room()
        if room is not None and len(room) >= len(chunk):
            with room:
                room[: len(chunk)] = chunk
            connection.filled(len(chunk), float(i))
        else:
            if room is not None:
                room.release()
            connection.receive(chunk, float(i))
        while (event := connection.short_message() or connection.next_event()) is not None:
            seen.append(fields(event))
            if event.name == "closing" and i % 2:
                connection.send(1, b"last words", True)
        if i % 3 == 0 and connection.state == "open":
            connection.send(1 + i % 2, bytes(i % 256 for i in range(i * 7)), True)
            connection.output.has_backlog = i % 2 == 0
        if i % 5 == 4:
            connection.release_pong()
        seen.append((connection.output.is_ready, connection.output.take(), connection.state))
        seen.append((connection.is_mid_frame(), connection.room() is None))
    connection.next_event()
    connection.close(1000, "end")
    seen.append((connection.output.take(), connection.state, repr(connection.violation)))
    return seen


HOSTILE = [
    b"\x81\x7f" + b"\xff" * 8,
    b"\x82\x7f\x7f" + b"\xff" * 7,
    b"\x82\x7f\x40" + bytes(7),
    b"\x01\x7f\x00\x00\x00\x00\x00\x00\xff\xff" + b"x" * 70_000,
    b"\x81\x7e\xff\xff" + b"\xff" * 65_535,
    b"\x82\xff" + b"\x80" * 12,
    b"\x88\x7e\x00\x7e" + b"x" * 126,
    b"\x00\x80",
    b"\xff\xff\xff\xff",
    b"\x01\x02\xed\xa0" + b"\x80\x01\x80",
    b"\x81\x03\xe2\x82\xac\x01\x01\xe2\x89\x00\x80\x02\x82\xac",
    b"\x88\x02\x03\xe8after",
    b"\x88\x01x",
    b"\x88\x04\x03\xe8\xff\xff",
    b"\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00" * 3,
    b"\xc1\x04\xff\xff\xff\xff",
    b"\x89\x05pings" * 20 + b"\x8a\x00" * 3,
    b"\x02\x00" + b"\x00\x00" * 40,
]


@needs_both
@pytest.mark.parametrize("packs", [False, True])
@pytest.mark.parametrize("step", [1, 2, 7, 1 << 20])
@pytest.mark.parametrize("data", HOSTILE, ids=lambda data: data[:8].hex())
def test_hostile_bytes(data: bytes, step: int, packs: bool) -> None:
    for limits in (Limits(), Limits(max_message_size=None), Limits(10, 3), Limits(parts=5)):
        chunks = [data[i : i + step] for i in range(0, min(len(data), 3000 * step), step)]
        assert story(0, chunks, packs, limits) == story(1, chunks, packs, limits)


@needs_both
@given(streams, cuts, st.booleans(), st.sampled_from([Limits(), Limits(200, 4)]))
@settings(max_examples=400)
def test_random_bytes(data: bytes, sizes: list[int], packs: bool, limits: Limits) -> None:
    chunks = split(data, sizes)
    assert story(0, chunks, packs, limits) == story(1, chunks, packs, limits)


@needs_both
@given(st.binary(max_size=300), st.binary(min_size=4, max_size=4), st.integers(0, 9))
@settings(max_examples=300)
def test_masking(payload: bytes, key: bytes, offset: int) -> None:
    pure, compiled = twin("mask")
    payload = payload[offset:]
    assert compiled.mask(payload, key) == pure.mask(payload, key)
    view = memoryview(b"x" * offset + payload)[offset:]
    assert compiled.mask(view, key) == bytes(pure.mask(payload, key))


@needs_both
@pytest.mark.parametrize("size", [*range(66), 125, 126, 599, 600, 65_535, 65_536, 1_000_003])
def test_frames_of_every_size(size: int) -> None:
    pure, compiled = twin("frames")
    payload = bytes(i * 31 & 0xFF for i in range(size))
    for kind in (bytes, bytearray, memoryview):
        assert compiled.build(2, kind(payload), KEY) == pure.build(2, kind(payload), KEY)
    assert compiled.build(2, payload, None) == pure.build(2, payload, None)
    with pytest.raises(ValueError, match="4 bytes"):
        compiled.build(2, payload, b"abc")


def events_of(module: ModuleType) -> list[Any]:
    failure = {"cause": OSError(1, "no"), "phase": "read", "address": "a:1", "elapsed": 0.5}
    return [
        module.Connecting("ws://u:secret@h/"),
        module.ConnectFail("why", **failure),
        module.Connected("ws://h/", "http://u:p@proxy"),
        module.Ready(None, "chat", {"x"}, compression=Compression()),
        module.Rejected(None, "why", **failure),
        module.ProtocolError("rule", False, code=1002, section="5.2"),
        module.Unresponsive(**failure),
        module.Disconnected("closed", True),
        module.Closed(1000, "bye"),
        module.Closing(None, ""),
        module.UnknownMessage(None),
        module.Ping(b"x"),
        module.Pong(b"x" * 30),
        module.Text("text" * 10, received_time=5.5),
        module.Binary(b"data"),
        module.BackOff(1.25),
        module.Poll(),
    ]


@needs_both
def test_events_look_and_behave_the_same() -> None:
    for pure, compiled in zip(*map(events_of, twin("events")), strict=True):
        assert repr(compiled) == repr(pure)
        assert fields(compiled)[:2] == fields(pure)[:2]
        kinds = [type(pure), type(compiled)]
        assert [k.__name__ for k in kinds[0].__mro__] == [k.__name__ for k in kinds[1].__mro__]
        assert kinds[0].__match_args__ == kinds[1].__match_args__
        assert inspect.cleandoc(pure.__doc__) == inspect.cleandoc(compiled.__doc__)
        for event, kind in zip((pure, compiled), kinds, strict=True):
            with pytest.raises(AttributeError):
                event.unheard_of = 1
            event.received_time = 7.0
            assert event.received_time == 7.0
            subclass = type("Mine", (kind,), {})
            assert issubclass(subclass, kind)
            assert event == event
            assert hash(event) == object.__hash__(event)


@needs_both
def test_pickles_of_both_twins_are_the_same() -> None:
    for pure, compiled in zip(*map(events_of, twin("events")), strict=True):
        pure.received_time = compiled.received_time
        packed = pickle.dumps(compiled, 2)  # where names of modules may have any length
        assert pickle.dumps(pure, 2).replace(b"lomond_sources.", b"lomond.") == packed
        for copied in (pickle.loads(packed), copy.copy(compiled)):
            assert type(copied) is type(compiled)
            assert repr(copied) == repr(compiled)
            assert copied.received_time == compiled.received_time


@needs_both
def test_the_twins_are_two() -> None:
    for pure, compiled in map(twin, ["connection", "events", "mask"]):
        assert Path(str(pure.__file__)).suffix == ".py"
        assert Path(str(compiled.__file__)).suffix in EXTENSION_SUFFIXES[0]
        assert compiled.__name__ == pure.__name__.replace("lomond_sources.", "lomond.")
