"""What an Ending says, to people and to programs."""

from __future__ import annotations

import pickle
import socket
from typing import Any, get_type_hints

import pytest

from lomond import Ending
from lomond.ending import duration
from lomond.errors import ConnectionFailed, RestoredCause, WebSocketError
from lomond.events import Disconnected
from lomond.response import Response
from lomond.stats import Traffic

REFUSAL = Response(b"HTTP/1.1 403 Forbidden\r\n\r\n", body=b"not \x1b[m you")
REFUSED = "Websocket upgrade failed (code=403)"


@pytest.mark.parametrize(
    ("ending", "said"),
    [
        (
            Ending("closed", "server", 1011, "oops", was_ready=True, lasted=12.345),
            "the server closed the connection with 1011 'oops' after 12.3 s",
        ),
        (
            Ending("closed", "server", 1011, was_ready=True, lasted=600.0),
            "the server closed the connection with 1011 (internal error) after 10 min",
        ),
        (
            Ending("closed", "server", was_ready=True, lasted=36_000.0),
            "the server closed the connection without a code after 10 h",
        ),
        (
            Ending("closed", code=4000, reason="a\nb", was_ready=True),
            r"this program closed the connection with 4000 'a\nb' after 0 s",
        ),
        (
            Ending("rejected", "server", status=403, response=REFUSAL, detail=REFUSED),
            r"the server refused the upgrade with 403 Forbidden; it said 'not \x1b[m you'",
        ),
        (
            Ending("rejected", "server", status=403, detail=REFUSED),
            "the server refused the upgrade with 403",
        ),
        (
            Ending("rejected", "server", status=101, detail="No Accept"),
            "the server's answer to the upgrade is not right: No Accept",
        ),
        (
            Ending("rejected", status=302, detail=f"{REFUSED.replace('403', '302')}; it is not"),
            "the server answered the upgrade with 302; it is not",
        ),
        (
            Ending("lost", "network", was_ready=True, lasted=1.0, detail="recv fail; reset"),
            "the connection was lost after 1 s: recv fail; reset",
        ),
        (
            Ending("lost", "network", detail="connection lost"),
            "the connection was lost before it was ready: connection lost",
        ),
        (
            Ending("protocol", "server", detail="bad mask", hint="ask them"),
            "the server broke the protocol: bad mask; ask them",
        ),
        (
            Ending("left", detail="disconnected by the user"),
            "this program left the connection before it was ready: disconnected by the user",
        ),
        (
            Ending("left", was_ready=True, lasted=5.0),
            "this program left the connection after 5 s",
        ),
        (
            Ending("replaced", was_ready=True, lasted=5.0, detail="replaced by a new connection"),
            "this program replaced the connection by a new one after 5 s",
        ),
        *[
            (Ending(kind, detail="what happened"), "what happened")  # type: ignore[arg-type]  # wrong, on purpose
            for kind in (
                "unreachable", "credentials", "unresponsive", "timed_out", "resources",
            )
        ],
    ],
)  # fmt: skip
def test_one_line_for_people(ending: Ending, said: str) -> None:
    assert str(ending) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.0, "0 s"),
        (0.0000837, "0.0001 s"),
        (0.0123, "0.0123 s"),
        (119.9, "120 s"),
        (120.0, "2 min"),
        (7200.0, "2 h"),
    ],
)
def test_durations(seconds: float, said: str) -> None:
    assert duration(seconds) == said


FAILURES: list[Ending] = [
    Ending("closed", "server", 1011),
    Ending("closed", "server"),
    Ending("left", cause=ValueError("of a handler")),
    *[
        Ending(kind)  # type: ignore[arg-type]  # wrong, on purpose
        for kind in (
            "rejected", "unreachable", "credentials", "lost", "unresponsive", "protocol",
            "timed_out", "resources",
        )
    ],
]  # fmt: skip


@pytest.mark.parametrize("ending", FAILURES, ids=lambda ending: ending.kind)
def test_a_failure_is_raised(ending: Ending) -> None:
    assert ending.is_failure
    with pytest.raises(ConnectionFailed) as raised:
        ending.raise_for_failure()
    assert raised.value.ending is ending
    assert raised.value.__cause__ is ending.cause
    assert str(raised.value) == str(ending)
    assert isinstance(raised.value, WebSocketError)
    assert isinstance(raised.value, ConnectionError)
    other = pickle.loads(pickle.dumps(raised.value))
    assert str(other) == str(ending)
    assert other.ending.kind == ending.kind


@pytest.mark.parametrize(
    "ending",
    [
        Ending("closed", "server", 1000),
        Ending("closed", "server", 1001),
        Ending("closed", "client", 1000),
        Ending("left"),
        Ending("replaced"),
    ],
)
def test_what_was_to_be_is_not_raised(ending: Ending) -> None:
    assert not ending.is_failure
    ending.raise_for_failure()


class OddError(Exception):
    """What no pickle holds: a socket."""


@pytest.mark.parametrize(
    ("cause", "kind", "said"),
    [
        (ConnectionResetError(104, "reset"), ConnectionResetError, "[Errno 104] reset"),
        (OddError("strange", 7), RestoredCause, "('strange', 7)"),
        (RestoredCause("OddError", "strange"), RestoredCause, "strange"),
        (None, type(None), "None"),
    ],
)
def test_it_travels(cause: BaseException | None, kind: type, said: str) -> None:
    ending = Ending(
        "lost", "network", response=REFUSAL, cause=cause, was_ready=True, lasted=3.0,
        unconfirmed=5, hint="h", detail="d",
    )  # fmt: skip
    other = pickle.loads(pickle.dumps(ending))
    assert str(other) == str(ending)
    assert type(other.cause) is kind
    assert str(other.cause) == said
    assert (other.unconfirmed, other.response.status_code) == (5, 403)


def test_a_cause_that_can_not_be_pickled_travels_as_its_text() -> None:
    with socket.socket() as sock:
        other: Any = pickle.loads(pickle.dumps(Ending("lost", cause=OddError(sock))))
        assert repr(other.cause) == f"OddError({str(OddError(sock))!r})"


class TwoError(Exception):
    """What can be written and not be read: its constructor wants more than it keeps."""

    def __init__(self, first: str, second: str) -> None:
        super().__init__(first)


class MuteError(Exception):
    """What can't even say what it is."""

    def __str__(self) -> str:
        raise ValueError("no")


#: Not Python's, which is made of five things.
OtherError = type("UnicodeDecodeError", (Exception,), {})


@pytest.mark.parametrize(
    ("cause", "said"),
    [
        (RuntimeError(TwoError("a", "b")), "RuntimeError('a')"),
        (MuteError(print_it := lambda: None), "MuteError()"),
        (OtherError("odd"), "UnicodeDecodeError('odd')"),
        (OtherError(print_it), f"UnicodeDecodeError({str(print_it)!r})"),
        (ExceptionGroup("two", [ValueError(1)]), "ExceptionGroup('two', [ValueError(1)])"),
        (
            UnicodeDecodeError("ascii", b"a", 0, 1, "no"),
            "UnicodeDecodeError('ascii', b'a', 0, 1, 'no')",
        ),
    ],
)  # fmt: skip
def test_whatever_the_cause_is_it_arrives(cause: BaseException, said: str) -> None:
    other = pickle.loads(pickle.dumps(Ending("lost", cause=cause)))
    assert repr(other.cause) == said
    event = pickle.loads(pickle.dumps(Disconnected("lost", cause=cause)))
    assert repr(event.cause) == said


def test_it_does_not_change() -> None:
    ending = Ending("lost")
    with pytest.raises(AttributeError, match="can't be changed"):
        ending.kind = "left"  # type: ignore[misc]  # frozen, on purpose
    assert ending == Ending("lost")
    assert "kind='lost'" in repr(ending)


def test_a_subclass_may_have_another_base_and_show_fewer_fields() -> None:
    seen: list[type] = []

    class Told:
        def __init_subclass__(cls, **arguments: Any) -> None:
            super().__init_subclass__(**arguments)
            seen.append(cls)

    class Short(Ending, Told):
        __match_args__ = ("kind", "code")

    short = Short("closed", by="server", code=1000)
    assert seen == [Short]
    assert (short.kind, short.by, short.code) == ("closed", "server", 1000)
    assert repr(short) == "Short(kind='closed', code=1000)"
    assert short == Short("closed", code=1000)


def test_whoever_goes_past_what_it_refuses_changes_nothing() -> None:
    ending = Ending("left")
    with pytest.raises(AttributeError, match="does not change"):
        object.__setattr__(ending, "kind", "closed")
    assert ending.kind == "left"
    assert get_type_hints(Traffic)["texts"] is int
