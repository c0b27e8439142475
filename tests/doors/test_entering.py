"""What a program does first with each connection, `enter=`, in every door."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest

from lomond import WebSocket
from lomond.errors import Refused
from lomond.persist import persist
from lomond.protocol import frames
from lomond.testing.peer import End, Peer, Talk, say
from lomond.testing.server import PeerServer

pytestmark = pytest.mark.every_door


def logs_in(peer: Peer) -> Talk:
    """Greets, answers a login, and a subscription; then it closes."""
    yield from peer.upgrade()
    yield say(frames.TEXT, b'{"greeting": 1}')
    login = yield from peer.hear_until(frames.TEXT)
    assert login is not None
    assert login.payload == b'{"op":"auth"}'
    yield say(frames.TEXT, b'{"op": "other"}')
    yield say(frames.TEXT, b'{"op": "auth", "success": true}')
    topic = yield from peer.hear_until(frames.TEXT)
    assert topic is not None
    assert topic.payload == b"subscribe"
    yield say(frames.TEXT, b"news")
    yield say(frames.CLOSE, code=1000)
    yield from peer.hear_until(frames.CLOSE)
    yield End()


Step = Generator[Any, Any, None]


def is_auth(event: Any) -> bool:
    return event.name == "text" and event.json.get("op") == "auth"


def enters(event: Any) -> Step:
    assert event.name == "ready"
    yield {"op": "auth"}
    answer = yield is_auth
    assert answer.json["success"]
    yield "subscribe"


def said(event: Any) -> str:
    return event.text if event.name == "text" else str(event.name)


def test_nothing_is_swallowed_and_polls_come_behind_it() -> None:
    with PeerServer(logs_in) as server:
        seen = [said(event) for event in WebSocket(server.url).connect(enter=enters)]
    assert [one for one in seen if one != "poll"][2:] == [
        "ready", '{"greeting": 1}', '{"op": "other"}', '{"op": "auth", "success": true}', "entered",
        "news", "closing", "disconnected",
    ]  # fmt: skip
    assert seen.index("poll") > seen.index("entered")


def test_the_first_step_comes_behind_readys_handler() -> None:
    order = []

    def enter(event: Any) -> Step:
        order.append("enter")
        yield from enters(event)

    with PeerServer(logs_in) as server:
        for event in WebSocket(server.url).connect(enter=enter):
            if event.name in ("ready", "entered"):
                order.append(event.name)
    assert order == ["ready", "enter", "entered"]


def test_it_is_advanced_before_the_event_is_handed_out() -> None:
    order = []

    def enter(event: Any) -> Step:
        yield {"op": "auth"}
        answer = yield is_auth
        order.append(answer.text)
        yield "subscribe"

    with PeerServer(logs_in) as server:
        for event in WebSocket(server.url).connect(enter=enter):
            if event.name == "text" and "auth" in event.text:
                order.append("handed out")
    assert order == ['{"op": "auth", "success": true}', "handed out"]


@pytest.mark.parametrize("final", [False, True])
def test_refused_closes_with_1000(final: bool) -> None:
    def enter(event: Any) -> Step:
        yield {"op": "auth"}
        yield is_auth
        raise Refused("auth", final=final)

    def refuses(peer: Peer) -> Talk:
        yield from peer.upgrade()
        yield from peer.hear_until(frames.TEXT)
        yield say(frames.TEXT, b'{"op": "auth", "success": false}')
        close = yield from peer.hear_until(frames.CLOSE)
        assert close is not None
        assert close.payload == b"\x03\xe8auth"
        yield say(frames.CLOSE, close.payload)
        yield End()

    with PeerServer(refuses) as server:
        websocket = WebSocket(server.url)
        seen = [event.name for event in websocket.connect(enter=enter)]
    assert [name for name in seen if name != "poll"][2:] == [
        "ready", "text", "closed", "disconnected"
    ]  # fmt: skip
    ending = websocket.ending
    assert ending is not None
    assert (ending.kind, ending.by, ending.code, ending.phase) == (
        "refused",
        "client",
        1000,
        "enter",
    )
    assert isinstance(ending.cause, Refused)
    assert ending.cause.final == final
    assert ending.is_failure
    assert str(ending) == "this program refused the connection: auth"


def test_its_own_exceptions_come_out_of_the_loop() -> None:
    def enter(event: Any) -> Step:
        yield {"op": "auth"}
        answer = yield is_auth
        raise KeyError(answer.json.get("no", "no"))

    with pytest.raises(KeyError, match="no"), PeerServer(logs_in_and_is_left) as server:
        for _ in WebSocket(server.url).connect(enter=enter):
            pass
    [peer] = server.peers
    assert peer.heard[-1].payload[:2] == (1001).to_bytes(2, "big")


def logs_in_and_is_left(peer: Peer) -> Talk:
    yield from peer.upgrade()
    yield from peer.hear_until(frames.TEXT)
    yield say(frames.TEXT, b'{"op": "auth"}')
    yield from peer.hear_until(frames.CLOSE)


def test_a_predicate_that_fails_is_told_at_its_yield() -> None:
    caught = []

    def enter(event: Any) -> Step:
        yield {"op": "auth"}
        try:
            yield lambda event: event.json["none"] if event.name == "text" else False
        except KeyError as error:
            caught.append(error)
        yield is_auth
        yield "subscribe"

    with PeerServer(logs_in) as server:
        seen = [said(event) for event in WebSocket(server.url).connect(enter=enter)]
    assert len(caught) == 1
    assert seen.count('{"greeting": 1}') == 1
    assert "entered" in seen


def test_what_can_not_be_sent_is_told_at_its_yield() -> None:
    caught = []

    def enter(event: Any) -> Step:
        for wrong in (5, {"x": object()}, None):
            try:
                yield wrong
            except TypeError as error:
                caught.append(str(error))
        yield from enters(event)

    with PeerServer(logs_in) as server:
        seen = [event.name for event in WebSocket(server.url).connect(enter=enter)]
    assert "entered" in seen
    assert len(caught) == 3
    assert caught[0].startswith("enter can yield a message, or what tells of an event")


def test_a_server_that_hangs_up_meanwhile_ends_it() -> None:
    closed = []

    def enter(event: Any) -> Step:
        try:
            yield {"op": "auth"}
            yield is_auth
        finally:
            closed.append(True)

    def hangs_up(peer: Peer) -> Talk:
        yield from peer.upgrade()
        yield from peer.hear_until(frames.TEXT)
        yield End()

    with PeerServer(hangs_up) as server:
        websocket = WebSocket(server.url)
        seen = [event.name for event in websocket.connect(enter=enter)]
    assert "entered" not in seen
    assert seen[-1] == "disconnected"
    assert closed == [True]
    assert websocket.ending is not None
    assert websocket.ending.kind == "lost"


def test_a_plain_function_is_refused_in_words() -> None:
    with (
        pytest.raises(TypeError, match="enter gave None and not a generator"),
        PeerServer(logs_in_and_is_left) as server,
    ):
        for _ in WebSocket(server.url).connect(enter=lambda event: None):  # type: ignore[arg-type,return-value]  # wrong, on purpose
            pass


def test_numbers_and_gaps() -> None:
    with PeerServer(logs_in) as server:
        websocket = WebSocket(server.url)
        told = []
        for _ in range(2):
            for event in websocket.connect(enter=enters):
                if event.name in ("ready", "entered"):
                    told.append((event.name, event.number, event.gap))
                elif event.name == "text":
                    last = event.received_time
            ended = websocket.ending
            if len(told) == 2:
                first_last, first_ended = last, ended
    assert [(name, number) for name, number, _ in told] == [
        ("ready", 1), ("entered", 1), ("ready", 2), ("entered", 2)
    ]  # fmt: skip
    assert told[0][2] is None
    assert told[1][2] is None
    for _, _, gap in told[2:]:
        assert gap.since == first_last
        assert 0.0 < gap.seconds < 20.0
        assert gap.unconfirmed == first_ended.unconfirmed
        assert gap.ending is first_ended


# With persist


AT_ONCE: dict[str, Any] = {"min_wait": 0, "max_wait": 0}


def test_each_connection_enters_anew() -> None:
    entered = []
    with PeerServer(logs_in) as server:
        websocket = WebSocket(server.url)
        for event in persist(websocket, enter=enters, **AT_ONCE):
            if event.name == "entered":
                entered.append(event)
                if len(entered) == 3:
                    break
    assert [event.number for event in entered] == [1, 2, 3]
    assert [event.gap is None for event in entered] == [True, False, False]


def says_no(peer: Peer) -> Talk:
    yield from peer.upgrade()
    yield from peer.hear_until(frames.TEXT)
    yield say(frames.TEXT, b'{"op": "auth", "success": false}')
    yield from peer.hear_until(frames.CLOSE)
    yield say(frames.CLOSE, code=1000)
    yield End()


def test_a_final_refusal_ends_persist() -> None:
    def enter(event: Any) -> Step:
        yield {"op": "auth"}
        answer = yield is_auth
        if not answer.json["success"]:
            raise Refused("wrong key", final=True)

    with PeerServer(says_no) as server:
        websocket = WebSocket(server.url)
        seen = [event.name for event in persist(websocket, enter=enter, **AT_ONCE)]
    assert seen[-1] == "disconnected"
    assert "back_off" not in seen
    assert str(websocket.ending) == "this program refused the connection: wrong key"


def test_a_refusal_is_a_failed_attempt() -> None:
    def enter(event: Any) -> Step:
        yield {"op": "auth"}
        yield is_auth
        raise Refused("not now")

    with PeerServer(says_no) as server:
        attempts = [
            (event.attempt, str(event.ending))
            for event in persist(
                WebSocket(server.url), enter=enter, max_attempts=3, stable_after=0, **AT_ONCE
            )
            if event.name == "back_off"
        ]
    told = "this program refused the connection: not now"
    assert attempts == [(1, told), (2, told)]


def test_what_did_not_serve_is_a_part_of_the_gap() -> None:
    """A connection whose login failed brought messages; none of them is what was missed."""
    refuses = iter([False, True, False])

    def enter(event: Any) -> Step:
        yield {"op": "auth"}
        yield is_auth
        if next(refuses):
            raise Refused("not now")
        yield "subscribe"

    told: dict[int, Any] = {}
    last: dict[int, float] = {}
    number = 0
    with PeerServer(logs_in_or_is_refused) as server:
        websocket = WebSocket(server.url)
        for event in persist(websocket, enter=enter, **AT_ONCE):
            if event.name == "ready":
                number = event.number
            elif event.name == "text":
                last[number] = event.received_time
            elif event.name == "entered":
                told[number] = event.gap
                if number == 3:
                    break
    assert list(told) == [1, 3]
    assert told[3].since == last[1] < last[2]


def logs_in_or_is_refused(peer: Peer) -> Talk:
    yield from peer.upgrade()
    yield from peer.hear_until(frames.TEXT)
    yield say(frames.TEXT, b'{"op": "auth"}')
    frame = yield from peer.hear_frame()
    if frame is not None and frame.opcode == frames.TEXT:
        yield say(frames.TEXT, b"news")
    yield say(frames.CLOSE, code=1000)
    yield End()


def test_without_enter_a_gap_is_on_ready() -> None:
    def greets(peer: Peer) -> Talk:
        yield from peer.upgrade()
        if len(servers.peers) != 2:
            yield say(frames.TEXT, b"hello")
        yield say(frames.PING)
        yield say(frames.CLOSE, code=1011)
        yield from peer.hear_until(frames.CLOSE)
        yield End()

    gaps, last = [], []
    with PeerServer(greets) as servers:
        websocket = WebSocket(servers.url)
        for event in persist(websocket, **AT_ONCE):
            if event.name == "ready":
                gaps.append(event.gap)
                ready = event.received_time
                if event.number == 4:
                    break
            elif event.name == "text":
                last.append(event.received_time)
            elif event.name == "disconnected" and len(gaps) == 2:
                second = ready
    assert gaps[0] is None
    assert [gap.ending.code for gap in gaps[1:]] == [1011, 1011, 1011]
    assert gaps[1].since == last[0]
    # It said nothing: since it was Ready something may have been missed.
    assert gaps[2].since == pytest.approx(second, abs=0.05)
    assert gaps[3].since == last[-1]


def test_reset_forgets_what_was_before() -> None:
    with PeerServer(logs_in) as server:
        websocket = WebSocket(server.url)
        for _ in websocket.connect(enter=enters):
            pass
        websocket.reset()
        for event in websocket.connect(enter=enters):
            if event.name == "entered":
                assert (event.number, event.gap) == (1, None)
                break
        else:
            pytest.fail("it was not entered")
