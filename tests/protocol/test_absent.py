"""An attribute that only other events have is answered with theirs."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

from lomond import events
from lomond.response import Response

READY = events.Ready(Response(b""), None, set())


class Mine(events.Connecting):
    """A user's event."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.more = 1


@pytest.mark.parametrize(
    ("event", "name", "said"),
    [
        (events.Connecting("ws://h/"), "text", "this is connecting; only text has .text"),
        (events.Connecting("ws://h/"), "json", "this is connecting; only text has .json"),
        (events.Poll(), "data", "this is poll; only ping, pong and binary have .data"),
        (events.Text("x"), "data", "this is text; only ping, pong and binary have .data"),
        (events.Binary(b"x"), "text", "this is binary; only text has .text"),
        (events.Binary(b"x"), "json", "this is binary; only text has .json"),
        (events.Ping(b"x"), "graceful", "this is ping; only disconnected has .graceful"),
        (
            events.Disconnected(),
            "code",
            "this is disconnected; only protocol_error, closed and closing have .code",
        ),
        (READY, "proxy", "this is ready; only connected has .proxy"),
        (Mine("ws://h/"), "text", "this is connecting; only text has .text"),
    ],
)
def test_what_only_others_have(event: Any, name: str, said: str) -> None:
    with pytest.raises(AttributeError) as told:
        getattr(event, name)
    assert str(told.value) == f"{said}: look at event.name first"
    assert not hasattr(event, name)
    assert getattr(event, name, 5) == 5


def test_a_base_is_called_by_its_class() -> None:
    with pytest.raises(AttributeError, match=r"^this is FailureEvent; only text has \.text: "):
        _ = events.FailureEvent().text  # type: ignore[attr-defined]  # it has none, on purpose


def test_what_none_has() -> None:
    with pytest.raises(
        AttributeError, match=r"^'Connecting' object has no attribute 'txt'$"
    ) as told:
        _ = events.Connecting("ws://h/").txt  # type: ignore[attr-defined]  # it has none, on purpose
    assert told.value.name == "txt"
    with pytest.raises(AttributeError, match="Text' object has no attribute 'txt'"):
        _ = events.Text("x").txt  # type: ignore[attr-defined]  # it has none, on purpose


def test_a_base_has_no_name() -> None:
    with pytest.raises(AttributeError, match=r"^'FailureEvent' object has no attribute 'name'$"):
        _ = events.FailureEvent().name  # type: ignore[attr-defined]  # it has none, on purpose


def test_copies_and_pickles_and_matches_are_as_ever() -> None:
    event = Mine("ws://h/")
    for other in (copy.copy(event), copy.deepcopy(event), pickle.loads(pickle.dumps(event))):
        assert (other.url, other.more) == ("ws://h/", 1)
    match events.Connecting("ws://h/"):
        case events.Event(text=_):  # type: ignore[misc]  # it has none, on purpose
            raise AssertionError("it has none")
        case events.Connecting(url=url):
            assert url == "ws://h/"
