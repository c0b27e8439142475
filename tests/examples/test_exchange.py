"""The stream manager of an exchange, with one that is scripted."""

from __future__ import annotations

import hmac
import json
from collections.abc import Generator, Iterator
from typing import Any

import pytest

from doors.peer_server import served
from examples.loaded import Hurried, example
from lomond.ending import Gap
from lomond.protocol import frames
from lomond.testing.peer import Action, End, Peer, Say, Talk, say

Heard = Generator[Action, bytes, dict[str, Any]]


def says(message: dict[str, Any]) -> Say:
    return say(frames.TEXT, json.dumps(message).encode())


def hears(peer: Peer, op: str) -> Heard:
    """The client's next message, which is no heartbeat unless that is waited for."""
    while True:
        frame = yield from peer.hear_until(frames.TEXT)
        assert frame is not None
        message: dict[str, Any] = json.loads(frame.payload)
        if message["op"] == op:
            return message
        assert message == {"op": "ping"}


def grants(peer: Peer, op: str, success: bool = True) -> Heard:
    message = yield from hears(peer, op)
    answer = {"req_id": message["req_id"], "op": op, "success": success, "ret_msg": "not yours"}
    yield says(answer)
    return message


def logs_in(peer: Peer) -> Talk:
    yield from peer.upgrade()
    message = yield from grants(peer, "auth")
    key, expires, signature = message["args"]
    assert key == "key"
    assert signature == hmac.new(b"secret", b"GET/realtime%d" % expires, "sha256").hexdigest()


def grants_topics(peer: Peer, *topics: str) -> Talk:
    for topic in topics:
        message = yield from grants(peer, "subscribe")
        assert message["args"] == [topic]


def trade(topic: str, number: int) -> dict[str, Any]:
    return {"topic": topic, "n": number}


def feed(url: str, *topics: str) -> Any:
    made = example("exchange").Feed(url, "key", "secret", topics)
    made.websocket = Hurried(url)
    return made


def test_all_of_it() -> None:
    def first(peer: Peer) -> Talk:
        yield from logs_in(peer)
        yield from grants_topics(peer, "a")
        yield says(trade("a", 1))  # before the other one is granted
        yield from grants_topics(peer, "b")
        yield says(trade("b", 2))
        yield from grants_topics(peer, "c")  # which was posted
        yield from hears(peer, "ping")
        yield says({"op": "pong"})
        yield says(trade("c", 3))
        yield End()

    def second(peer: Peer) -> Talk:
        yield from logs_in(peer)
        yield from grants_topics(peer, "a", "b", "c")
        yield says(trade("a", 4))
        yield End()

    def third(peer: Peer) -> Talk:
        yield from peer.upgrade()
        yield from grants(peer, "auth", success=False)
        frame = yield from peer.hear_until(frames.CLOSE)
        assert frame is not None
        closed.append(frame.payload)
        yield say(frames.CLOSE, frame.payload)

    closed: list[bytes] = []
    scripts = iter([first, second, third])
    with served(lambda peer: next(scripts)(peer)) as server:
        ours = feed(server.url, "b", "a")
        seen: list[Any] = []

        def hear() -> None:
            for message in ours:
                seen.append(message)
                if message == trade("b", 2):
                    ours.subscribe("c")

        with pytest.raises(PermissionError, match="refused the connection: auth: not yours"):
            hear()
    (gap,) = (one for one in seen if isinstance(one, Gap))
    assert gap.ending.by == "network"
    trades = [one for one in seen if one is not gap]
    assert trades == [trade("a", 1), trade("b", 2), trade("c", 3), trade("a", 4)]
    assert seen.index(gap) == 3
    assert closed[0][:2] == (1000).to_bytes(2, "big")


def test_a_topic_that_is_refused_later_is_not_asked_for_again() -> None:
    def first(peer: Peer) -> Talk:
        yield from logs_in(peer)
        yield says(trade("all", 1))
        yield from grants(peer, "subscribe", success=False)
        yield says(trade("all", 2))
        yield End()

    def second(peer: Peer) -> Talk:
        yield from logs_in(peer)
        yield says(trade("all", 3))
        yield from peer.hear_end()

    scripts = iter([first, second])
    with served(lambda peer: next(scripts)(peer)) as server:
        ours = feed(server.url)
        messages: Iterator[Any] = iter(ours)
        assert next(messages) == trade("all", 1)
        ours.subscribe("x")
        assert next(messages) == trade("all", 2)
        assert ours.topics == set()
        assert isinstance(next(messages), Gap)
        assert next(messages) == trade("all", 3)
        messages.close()  # type: ignore[attr-defined]  # a generator


def test_a_topic_that_is_wanted_between_two_connections_is_asked_for_by_the_next() -> None:
    def first(peer: Peer) -> Talk:
        yield from logs_in(peer)
        yield says(trade("all", 1))
        yield End()

    def second(peer: Peer) -> Talk:
        yield from logs_in(peer)
        ours.subscribe("x")  # while it logs in
        yield from grants_topics(peer, "x")
        yield says(trade("x", 2))
        yield from peer.hear_end()

    scripts = iter([first, second])
    with served(lambda peer: next(scripts)(peer)) as server:
        ours = feed(server.url)
        messages: Iterator[Any] = iter(ours)
        assert next(messages) == trade("all", 1)
        assert isinstance(next(messages), Gap)
        assert next(messages) == trade("x", 2)
        messages.close()  # type: ignore[attr-defined]  # a generator
