"""Events as users see them: reprs, pickles, match, JSON."""

from __future__ import annotations

import copy
import json
import pickle
import socket
import sys
import time
import weakref
from typing import Any, get_args

import pytest

from lomond import events
from lomond.ending import Ending
from lomond.errors import RestoredCause
from lomond.response import Response

RESPONSE = Response(b"HTTP/1.1 401 No\r\n\r\n")


REPRS = [
    (events.Connecting("ws://a"), "Connecting(url='ws://a')"),
    (events.Connecting("ws://u:secret@a"), "Connecting(url='ws://***@a')"),
    (events.Connecting("ws://a/?token=abc&n=1"), "Connecting(url='ws://a/?token=***&n=1')"),
    (events.Connecting(None), "Connecting(url=None)"),
    (events.ConnectFail("x"), "ConnectFail(reason='x')"),
    (events.Connected("u"), "Connected(url='u')"),
    (events.Connected("u", "http://me:secret@p"), "Connected(url='u', proxy='http://***@p')"),
    (events.Connected("ws://a/?api_key=abc"), "Connected(url='ws://a/?api_key=***')"),
    (
        events.Rejected(RESPONSE, "s"),
        "Rejected(response=<response HTTP/1.1 401 No>, reason='s')",
    ),
    (
        events.Ready(RESPONSE, "c", {"x"}),
        "Ready(response=<response HTTP/1.1 401 No>, protocol='c', extensions={'x'})",
    ),
    (events.Entered(2), "Entered(number=2, gap=None)"),
    (events.ProtocolError("e", True), "ProtocolError(error='e', critical=True)"),
    (events.Unresponsive(), "Unresponsive()"),
    (events.Disconnected(), "Disconnected(reason='closed', graceful=False)"),
    (events.Closed(None, ""), "Closed(code=None, reason='')"),
    (events.Closing(1000, "r"), "Closing(code=1000, reason='r')"),
    (events.Closed(1000, "x" * 200), f"Closed(code=1000, reason='{'x' * 200}')"),
    (events.Closed(1000, "x" * 201), f"Closed(code=1000, reason='{'x' * 197}...')"),
    (events.Closing(1000, "'" * 201), f"""Closing(code=1000, reason="{"'" * 197}...")"""),
    (events.UnknownMessage("m"), "UnknownMessage()"),
    (events.Ping(b"a" * 30), f"Ping(data={b'a' * 30!r})"),
    (events.Pong(b""), "Pong(data=b'')"),
    (events.Text("x" * 24), f"Text(text='{'x' * 24}')"),
    (events.Text("x" * 25), f"Text(text='{'x' * 24}' + 1 chars)"),
    (events.Text("x" * 100), f"Text(text='{'x' * 24}' + 76 chars)"),
    (events.Binary(b"x" * 100), f"Binary(data=b'{'x' * 24}' + 76 bytes)"),
    (events.Reply("asked", events.Text("x")), "Reply(message=Text(text='x'))"),
    (events.NoReply("asked"), "NoReply(ending=None)"),
    (events.BackOff(5.25), "BackOff(delay=5.2)"),
    (events.Posted("mine"), "Posted(value='mine')"),
    (events.Poll(), "Poll()"),
    (
        events.TextPart("abc", 5, False, True),
        "TextPart(text='abc', offset=5, is_first=False, is_last=True)",
    ),
    (
        events.BinaryPart(bytes(30)),
        f"BinaryPart(data={bytes(24)!r} + 6 bytes, offset=0, is_first=True, is_last=False)",
    ),
]


class Timed(events.Text):
    """A user's event, with fields of its own."""

    def __init__(self, text: str, **details: Any) -> None:
        super().__init__(text, **details)
        self.note = ""


class Refused(events.Disconnected):
    __slots__ = ("code", "never_set")


class Strict(events.Poll):
    def __init__(self, needed: int) -> None:
        super().__init__()


def test_every_event_is_among_them() -> None:
    assert {type(event) for event, _ in REPRS} == {*get_args(events.AnyEvent)}


@pytest.mark.parametrize(("event", "expected"), REPRS)
def test_reprs(event: events.AnyEvent, expected: str) -> None:
    assert repr(event) == expected


@pytest.mark.parametrize(("event", "expected"), REPRS)
def test_events_can_be_pickled(event: events.AnyEvent, expected: str) -> None:
    again = pickle.loads(pickle.dumps(event))
    assert type(again) is type(event)
    assert again.received_time == event.received_time
    if not isinstance(event, (events.Rejected, events.Ready)):
        assert repr(again) == expected


def test_an_event_of_a_user_knows_its_time() -> None:
    before = time.time()
    assert before <= events.Poll().received_time <= time.time()
    assert events.Text("x", received_time=7.0).received_time == 7.0


@pytest.mark.parametrize(("event", "_"), REPRS)
def test_events_take_no_further_attributes(event: events.AnyEvent, _: str) -> None:
    with pytest.raises(AttributeError):
        event.anything = 1  # type: ignore[union-attr]  # the event that has it
    assert isinstance(event, events.Event)


def test_json_is_decoded_once() -> None:
    event = events.Text('{"a": [1]}')
    assert event.json == {"a": [1]}
    assert event.json is event.json
    assert events.Text("null").json is None
    event_of_no_json = events.Text("no")
    for _ in range(2):
        with pytest.raises(json.JSONDecodeError, match=r"^Expecting value in the text 'no': line"):
            _ = event_of_no_json.json


def test_match_statements() -> None:
    match events.Closing(1001, "bye"):
        case events.Closing(code, reason):
            assert (code, reason) == (1001, "bye")
        case _:
            pytest.fail("no match")


def test_causes_travel_as_type_and_arguments() -> None:
    failed = events.ConnectFail(
        "r", cause=ConnectionRefusedError(111, "no"), phase="connect", address="a:1", elapsed=0.5
    )
    again = pickle.loads(pickle.dumps(failed))
    assert isinstance(again.cause, ConnectionRefusedError)
    assert again.cause.args == (111, "no")
    assert (again.phase, again.address, again.elapsed) == ("connect", "a:1", 0.5)

    class OddError(Exception):
        pass

    again = pickle.loads(pickle.dumps(events.Disconnected("r", cause=OddError(1))))
    assert isinstance(again.cause, RestoredCause)
    assert repr(again.cause) == "OddError(1)"
    assert repr(pickle.loads(pickle.dumps(again.cause))) == "OddError(1)"
    assert repr(pickle.loads(pickle.dumps(again)).cause) == "OddError(1)"


@pytest.mark.parametrize("kind", [events.ConnectFail, events.Disconnected])
def test_how_it_ended_travels_along(kind: type[events.ConnectFail | events.Disconnected]) -> None:
    ending = Ending("lost", "network", detail="gone")
    again = pickle.loads(pickle.dumps(kind("r", ending=ending)))
    assert again.ending == ending


def test_an_event_of_a_users_class_can_be_pickled() -> None:
    timed = Timed("x", received_time=7.0)
    timed.note = "seen"
    again = pickle.loads(pickle.dumps(timed))
    assert type(again) is Timed
    assert (again.text, again.received_time, again.note) == ("x", 7.0, "seen")

    refused = Refused("r", cause=ConnectionRefusedError(111, "no"), phase="connect")
    refused.code = 5
    again = pickle.loads(pickle.dumps(refused))
    assert type(again) is Refused
    assert (again.reason, again.phase, again.code) == ("r", "connect", 5)
    assert isinstance(again.cause, ConnectionRefusedError)

    again = copy.deepcopy(timed)
    assert (type(again), again.note) == (Timed, "seen")
    # It comes back without its own __init__, as other objects do.
    assert type(pickle.loads(pickle.dumps(Strict(1)))) is Strict


def test_a_class_that_can_not_be_found_again_can_not_be_pickled() -> None:
    class Local(events.Text):
        pass

    with pytest.raises((pickle.PicklingError, AttributeError), match="Local"):
        pickle.dumps(Local("x"))


def test_an_event_that_a_user_makes_has_the_time_of_its_making() -> None:
    before = time.time()
    assert before - 1e-3 <= events.Poll().received_time <= time.time() + 1e-3


def test_a_cause_that_was_restored_is_restored_again() -> None:
    event = events.ConnectFail("r", cause=socket.gaierror(-2, "no"), phase="resolve")
    for _ in range(3):
        event = pickle.loads(pickle.dumps(event))
        assert repr(event.cause) == "gaierror(-2, 'no')"
        assert event.phase == "resolve"


@pytest.mark.parametrize(("event", "_"), REPRS)
def test_the_module_that_an_event_names_has_its_class(event: events.AnyEvent, _: str) -> None:
    kind = type(event)
    assert kind.__module__ == "lomond.protocol.events"
    assert getattr(sys.modules[kind.__module__], kind.__name__) is kind


def test_what_an_unknown_message_and_a_wait_tell() -> None:
    assert events.UnknownMessage("m").message == "m"
    wait = events.BackOff(5.0)
    assert (wait.delay, wait.reason, wait.attempt, wait.unconfirmed) == (5.0, "", 0, 0)
    wait = events.BackOff(5.0, reason="lost", attempt=2, unconfirmed=7)
    assert (wait.delay, wait.reason, wait.attempt, wait.unconfirmed) == (5.0, "lost", 2, 7)


class OneSlot(events.Poll):
    __slots__ = "note"


class WithDict(events.Poll):
    __slots__ = ("__dict__", "__weakref__", "note")


def test_a_slot_that_is_named_alone_is_pickled() -> None:
    event = OneSlot()
    event.note = "mine"
    assert pickle.loads(pickle.dumps(event)).note == "mine"


def test_of_slots_that_python_fills_nothing_is_pickled() -> None:
    event = WithDict()
    event.note, event.other = "mine", 1  # type: ignore[attr-defined]  # what a program adds
    watched = weakref.ref(event)
    again = pickle.loads(pickle.dumps(event))
    assert (again.note, again.other) == ("mine", 1)
    other = copy.copy(event)
    other.other = 2  # type: ignore[attr-defined]  # what a program adds
    assert event.other == 1  # type: ignore[attr-defined]  # what a program adds
    assert watched() is event
