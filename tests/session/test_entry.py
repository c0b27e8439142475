"""What a program does first with a connection, over time: in pretend time."""

from __future__ import annotations

from collections.abc import Generator
from functools import partial
from typing import Any

import pytest

from lomond.errors import Refused
from lomond.options import Timing
from lomond.protocol import frames
from lomond.protocol.mask import mask
from lomond.session.entry import Entry
from lomond.testing.alone import PretendDoor
from lomond.testing.peer import Hear, Pause, Peer, Say, Talk, say
from played import names

Step = Generator[Any, Any, None]


def is_answer(event: Any) -> bool:
    return event.name == "text" and event.text == "answer"


def asks(event: Any) -> Step:
    yield {"op": "auth", "key": "very secret"}
    yield is_answer


def timing(**options: Any) -> Timing:
    return Timing(enter=asks, ping_rate=0, **options)


def accepts_and_never_answers(peer: Peer) -> Talk:
    yield from peer.upgrade()
    yield from peer.hear_until(frames.TEXT)
    yield from peer.hear_end()


def test_a_server_that_never_answers_is_given_up() -> None:
    door = PretendDoor(accepts_and_never_answers, timing())
    seen = door.play()
    ready = next(moment for moment, event in seen if event.name == "ready")
    assert names(seen)[2:] == ["ready", "disconnected"]
    assert seen[-1][0] - ready == pytest.approx(10.0, abs=0.2)
    ending = seen[-1][1].ending
    assert (ending.kind, ending.phase, ending.deadline) == ("timed_out", "enter", "enter_timeout")
    assert seen[-1][1].reason == "disconnected; enter was not through within 10s"
    said = str(ending)
    assert "it had sent an object with op, key last" in said
    assert "it waited for is_answer (test_entry.py:" in said
    assert "for 10 s" in said
    assert "secret" not in said
    # The close frame, of 17 bytes and masked, is what was sent last.
    frame = door.sent[-23:]
    assert frame[0] == 0x88
    assert mask(frame[6:], frame[2:6]) == b"\x03\xf0enter timed out"


def talks_on(peer: Peer) -> Talk:
    """Never answers, and is never silent."""
    yield from peer.upgrade()
    while True:
        yield say(frames.TEXT, b"news")
        yield Pause(0.05)


def test_a_server_that_says_something_else_is_given_up_too() -> None:
    seen = PretendDoor(talks_on, timing(enter_timeout=3)).play()
    assert seen[-1][1].ending.kind == "timed_out"
    assert 3.0 <= seen[-1][0] - seen[2][0] <= 3.2


def test_what_comes_where_nobody_looked_in_time_is_looked_at_first() -> None:
    """The thread was kept from it over the deadline, and something had come: no answer."""

    def act(door: PretendDoor, event: Any) -> None:
        if event.name == "ready":
            door.at(door.now + 2.99, lambda: door.spend(0.5))

    seen = PretendDoor(talks_on, timing(enter_timeout=3)).play(act)
    assert seen[-1][1].ending.kind == "timed_out"
    texts = [now for now, event in seen if event.name == "text"]
    assert texts[-1] == seen[-1][0]


def answers_late(seconds: float, peer: Peer) -> Talk:
    yield from peer.upgrade()
    yield from peer.hear_until(frames.TEXT)
    yield say(frames.TEXT, b"something")
    yield Pause(seconds)
    yield say(frames.TEXT, b"answer")
    yield from peer.hear_until(frames.CLOSE)
    yield say(frames.CLOSE, code=1000)


def test_without_a_limit_it_waits() -> None:
    for none in (None, 0):
        door = PretendDoor(partial(answers_late, 500), timing(enter_timeout=none, poll=None))
        seen = door.play(lambda door, event: event.name == "entered" and door.close())
        assert "entered" in names(seen)


def test_what_a_handler_takes_does_not_count() -> None:
    def act(door: PretendDoor, event: Any) -> None:
        if event.name == "text" and event.text == "something":
            door.spend(40)
        elif event.name == "entered":
            door.close()

    seen = PretendDoor(partial(answers_late, 0.5), timing()).play(act)
    assert "entered" in names(seen)


def test_an_answer_in_time_behind_a_slow_handler_counts() -> None:
    def act(door: PretendDoor, event: Any) -> None:
        if event.name == "ready":
            door.spend(100)
        elif event.name == "entered":
            door.close()

    seen = PretendDoor(partial(answers_late, 9.8), timing()).play(act)
    assert "entered" in names(seen)


@pytest.mark.parametrize("poll", [0, 2, None])
def test_no_poll_before_it_is_through(poll: float | None) -> None:
    def act(door: PretendDoor, event: Any) -> None:
        if event.name == "poll" or (event.name == "entered" and poll is None):
            door.close()
            door.spend(0.1)  # at poll=0 nobody waits

    seen = PretendDoor(partial(answers_late, 7), timing(poll=poll)).play(act)
    before, _, behind = "|".join(names(seen)).partition("entered")
    assert "poll" not in before
    assert ("poll" in behind) == (poll is not None)


def test_pings_go_on_meanwhile() -> None:
    def asks_pongs(peer: Peer) -> Talk:
        yield from peer.upgrade()
        yield say(frames.PING, b"1")
        pong = yield from peer.hear_until(frames.PONG)
        assert pong is not None
        yield say(frames.TEXT, b"answer")
        yield from peer.hear_until(frames.PING)
        yield say(frames.CLOSE, code=1000)
        yield from peer.hear_end()

    seen = PretendDoor(asks_pongs, Timing(enter=asks, poll=None, ping_rate=3)).play()
    assert names(seen)[2:5] == ["ready", "ping", "text"]
    assert "entered" in names(seen)


def test_a_close_meanwhile_ends_its_time() -> None:
    def act(door: PretendDoor, event: Any) -> None:
        if event.name == "ready":
            door.at(door.now + 1, door.close)

    seen = PretendDoor(accepts_and_never_answers, timing(close_timeout=30)).play(act)
    ending = seen[-1][1].ending
    assert ending.deadline == "close_timeout"


def test_a_close_before_it_begins() -> None:
    def act(door: PretendDoor, event: Any) -> None:
        if event.name == "ready":
            door.close()

    def answers_the_close(peer: Peer) -> Talk:
        yield from peer.upgrade()
        yield from peer.hear_until(frames.CLOSE)
        yield say(frames.CLOSE, code=1000)
        yield Hear()

    seen = PretendDoor(answers_the_close, timing()).play(act)
    assert names(seen)[2:] == ["ready", "closed", "disconnected"]
    assert seen[-1][1].ending.kind == "closed"


def test_one_that_ends_on_a_connection_that_closes_has_not_entered() -> None:
    """What handles Entered sends: that would be an exception."""

    def closes(peer: Peer) -> Talk:
        yield from peer.upgrade()
        yield say(frames.CLOSE, code=1013)
        yield from peer.hear_end()

    def enter(event: Any) -> Step:
        yield lambda event: event.name in ("text", "closing")

    door = PretendDoor(closes, Timing(enter=enter, ping_rate=0, poll=None))
    assert names(door.play())[2:] == ["ready", "closing", "disconnected"]
    assert door.session.course.served_at is None


def test_nor_has_one_that_had_nothing_to_do_behind_a_close() -> None:
    def act(door: PretendDoor, event: Any) -> None:
        if event.name == "ready":
            door.close()

    def enter(event: Any) -> Step:
        yield from ()

    def answers_the_close(peer: Peer) -> Talk:
        yield from peer.upgrade()
        yield from peer.hear_until(frames.CLOSE)
        yield say(frames.CLOSE, code=1000)
        yield Hear()

    seen = PretendDoor(answers_the_close, Timing(enter=enter, poll=None)).play(act)
    assert names(seen)[2:] == ["ready", "closed", "disconnected"]


def glues_all(peer: Peer) -> Talk:
    yield from peer.upgrade(
        glued=say(frames.TEXT, b"early").data + say(frames.TEXT, b"answer").data
    )
    yield from peer.hear_until(frames.TEXT)
    yield Say(say(frames.TEXT, b"late").data + say(frames.CLOSE, code=1000).data)
    yield from peer.hear_end()


def test_an_answer_that_came_before_the_question_is_looked_at() -> None:
    # It came before, but nobody has seen it: to the program it comes later.
    seen = PretendDoor(glues_all, timing(poll=None)).play()
    assert names(seen)[2:] == [
        "ready", "text", "text", "entered", "text", "closing", "disconnected"
    ]  # fmt: skip


# The program refuses it


def refuses(event: Any) -> Step:
    yield is_answer
    raise Refused("no \x1b[2J good")


def refused(talk: Any, **options: Any) -> tuple[list[str], Any]:
    seen = PretendDoor(talk, Timing(enter=refuses, ping_rate=0, poll=None, **options)).play()
    return names(seen)[2:], seen[-1][1].ending


def test_a_refusal_closes_and_waits_for_the_answer() -> None:
    def answers(peer: Peer) -> Talk:
        yield from peer.upgrade(glued=say(frames.TEXT, b"answer").data)
        yield from peer.hear_until(frames.CLOSE)
        yield Pause(2)
        yield say(frames.CLOSE, code=1000)
        yield from peer.hear_end()

    seen, ending = refused(answers)
    assert seen == ["ready", "text", "closed", "disconnected"]
    assert (ending.kind, ending.code, ending.reason) == ("refused", 1000, "no \x1b[2J good")
    assert str(ending) == "this program refused the connection: no \\x1b[2J good"


def test_a_refusal_without_words() -> None:
    def enter(event: Any) -> Step:
        yield from ()
        raise Refused

    def hears(peer: Peer) -> Talk:
        yield from peer.upgrade()
        yield from peer.hear_end()

    seen = PretendDoor(hears, Timing(enter=enter, ping_rate=0, poll=None)).play()
    assert str(seen[-1][1].ending) == "this program refused the connection"
    assert seen[-1][1].reason == "refused by the program"


def test_a_refusal_that_nobody_answers() -> None:
    def hears(peer: Peer) -> Talk:
        yield from peer.upgrade(glued=say(frames.TEXT, b"answer").data)
        yield from peer.hear_end()

    seen, ending = refused(hears, close_timeout=3)
    assert seen == ["ready", "text", "disconnected"]
    assert ending.kind == "refused"


def test_a_refusal_of_what_the_server_closes_keeps_its_code() -> None:
    def closes(peer: Peer) -> Talk:
        yield from peer.upgrade()
        yield say(frames.CLOSE, b"bad key", code=4401)
        yield from peer.hear_end()

    def enter(event: Any) -> Step:
        closing = yield lambda event: event.name == "closing"
        raise Refused(closing.reason, final=True)

    seen = PretendDoor(closes, Timing(enter=enter, ping_rate=0, poll=None)).play()
    assert names(seen)[2:] == ["ready", "closing", "disconnected"]
    ending = seen[-1][1].ending
    assert (ending.kind, ending.code, ending.reason) == ("refused", 4401, "bad key")
    assert ending.cause.final


# In words


def test_how_far_it_has_come() -> None:
    entry = Entry(PretendDoor(talks_on, timing()).session, 100.0)
    assert (
        entry.told(103.0)
        == "it had sent nothing, and since then, for 3 s, it had not come to a wait"
    )
    entry.sent("password", b"password", 101.0)
    assert (
        entry.told(103.0)
        == "it had sent a text of 8 bytes last, and since then, for 2 s, it went on by itself"
    )
    entry.waits(partial(is_answer), 102.0)
    assert "for 1 s, it waited for functools.partial(" in entry.told(103.0)
    entry.sent([1, 2], b"[1,2]", 102.0)
    assert "a list of 5 bytes" in entry.told(103.0)
    entry.sent(b"abc", b"abc", 102.0)
    assert "a binary of 3 bytes" in entry.told(103.0)
    entry.sent(dict.fromkeys("abcdefghij"), b"...", 102.0)
    assert "an object with a, b, c, d, e, f, g, h, ..." in entry.told(103.0)
    entry.sent({"\x1b[2J" * 100: 1}, b"...", 102.0)
    assert "\x1b" not in entry.told(103.0)
    assert len(entry.told(103.0)) < 400


def test_a_place_is_a_files_name_on_any_system() -> None:
    names: dict[str, Any] = {}
    exec(compile("def mine(event): pass", "C:\\feeds\\feed.py", "exec"), names)
    entry = Entry(PretendDoor(talks_on, timing()).session, 100.0)
    entry.waits(names["mine"], 100.0)
    assert entry.told(101.0).endswith("it waited for mine (feed.py:1)")


def test_it_serves_from_its_end_on() -> None:
    door = PretendDoor(partial(answers_late, 3), timing())
    for event in door.events():
        if event.name == "entered":
            assert door.session.course.served_at == door.now
            door.close()
        elif event.name == "ready":
            assert door.session.course.served_at is None
