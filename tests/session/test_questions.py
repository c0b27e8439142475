"""Messages that wait for a reply, in pretend time; and which message that is."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from lomond.options import Timing
from lomond.protocol import events, frames
from lomond.session.questions import Question, Questions
from lomond.testing.alone import PretendDoor
from lomond.testing.peer import End, Pause, Peer, Talk, say
from played import names

QUIET = Timing(ping_rate=0, poll=None)


def text(value: object) -> Any:
    return say(frames.TEXT, json.dumps(value).encode())


def answers(*said: Any, after: float = 0.0) -> Callable[[Peer], Talk]:
    """Hears a text, says all that, and closes."""

    def talk(peer: Peer) -> Talk:
        yield from peer.upgrade()
        yield from peer.hear_until(frames.TEXT)
        yield Pause(after)
        for number in range(len(said)):
            yield said[number]
        yield say(frames.CLOSE, code=1000)
        yield from peer.hear_until(frames.CLOSE)
        yield End()

    return talk


def asks(*replies: Any, within: float | None = 5) -> Callable[[PretendDoor, Any], None]:
    def act(door: PretendDoor, event: Any) -> None:
        if event.name == "ready":
            for number, reply in enumerate(replies):
                door.send_text(f"question {number}", reply, within)

    return act


def played(talk: Any, *replies: Any, **options: Any) -> list[tuple[float, Any]]:
    return PretendDoor(talk, QUIET).play(asks(*replies, **options))[3:]


def test_a_key_of_an_object() -> None:
    seen = played(
        answers(text({"id": 6}), text({"id": 7, "result": 1}), text({"id": 7})), ("id", 7)
    )
    assert names(seen) == ["text", "reply", "text", "closing", "disconnected"]
    reply = seen[1][1]
    assert (reply.request, reply.message.json) == ("question 0", {"id": 7, "result": 1})
    assert reply.received_time == reply.message.received_time


@pytest.mark.parametrize(
    "other",
    [
        {"id": True},
        {"id": "1"},
        {"id": [1]},
        {"id": {"1": 1}},
        {"id": None},
        {"ID": 1},
        {},
        [{"id": 1}],
        "id",
        1,
        None,
    ],
)
def test_what_is_no_reply(other: object) -> None:
    assert names(played(answers(text(other)), ("id", 1)))[0] == "text"


@pytest.mark.parametrize(
    ("wanted", "said"), [(1, 1.0), (True, True), ("a", "a"), (None, None), (1.5, 1.5)]
)
def test_what_is_one(wanted: object, said: object) -> None:
    assert names(played(answers(text({"id": said})), ("id", wanted)))[0] == "reply"


def test_null_is_a_value_and_a_key_that_is_not_there_is_none() -> None:
    said = answers(text({"result": 1}), text({"error": None}))
    assert names(played(said, ("error", None)))[:2] == ["text", "reply"]


@pytest.mark.parametrize("said", [(1, True), (True, 1)])
def test_true_and_1_are_two_values(said: tuple[object, ...]) -> None:
    seen = played(answers(*(text({"ok": value}) for value in said)), ("ok", 1), ("ok", True))
    told = [(event.request, event.message.json["ok"]) for _, event in seen[:2]]
    assert sorted(told) == [("question 0", 1), ("question 1", True)]
    assert [value for _, value in told] == list(said)


def test_what_is_no_json_answers_no_key() -> None:
    assert names(played(answers(say(frames.TEXT, b"{no json")), ("id", 1)))[0] == "text"


def test_binaries_and_callables() -> None:
    def is_mine(message: Any) -> bool:
        return message.name == "binary" and bool(message.data == b"\x07yes")

    said = answers(say(frames.BINARY, b"\x08no"), say(frames.PING), say(frames.BINARY, b"\x07yes"))
    seen = played(said, is_mine)
    assert names(seen)[:3] == ["binary", "ping", "reply"]
    assert seen[2][1].message.data == b"\x07yes"


def test_each_reply_goes_to_the_oldest_of_its_question() -> None:
    seen = played(answers(text({"id": 1}), text({"id": 1}), text({"id": 1})), ("id", 1), ("id", 1))
    told = [event.request for _, event in seen if event.name == "reply"]
    assert told == ["question 0", "question 1"]
    assert names(seen)[2] == "text"


def test_several_keys_and_callables_at_once() -> None:
    replies = [("id", 1), ("req", "a"), lambda message: "x" in message.json, ("id", 2)]
    seen = played(
        answers(text({"x": 0}), text({"id": 2}), text({"req": "a"}), text({"id": 1})), *replies
    )
    told = [event.request for _, event in seen if event.name == "reply"]
    assert told == ["question 2", "question 3", "question 1", "question 0"]


def test_none_in_time() -> None:
    seen = played(answers(text({"id": 1}), after=20), ("id", 1))
    assert names(seen)[:2] == ["no_reply", "text"]
    moment, event = seen[0]
    assert 5.0 <= moment <= 5.1
    assert (event.request, event.ending) == ("question 0", None)


def test_each_has_its_own_time() -> None:
    def act(door: PretendDoor, event: Any) -> None:
        if event.name == "ready":
            for number, within in enumerate([3, 1, None, 2]):
                door.send_text(str(number), ("id", number), within)

    seen = PretendDoor(answers(after=10), QUIET).play(act)[3:]
    told = [(round(moment), event.request) for moment, event in seen if event.name == "no_reply"]
    assert told == [(1, "1"), (2, "3"), (3, "0"), (10, "2")]


def test_a_late_look_is_no_late_reply() -> None:
    """The handler was away over the end of the time; the reply had come before."""

    def act(door: PretendDoor, event: Any) -> None:
        asks(("id", 1))(door, event)
        if event.name == "ready":
            door.spend(60)

    assert (
        names(PretendDoor(answers(text({"id": 1}), after=4.9), QUIET).play(act)[3:])[0] == "reply"
    )


def test_a_server_that_says_much_else_is_late_all_the_same() -> None:
    def talks_on(peer: Peer) -> Talk:
        yield from peer.upgrade()
        yield from peer.hear_until(frames.TEXT)
        while True:
            yield text({"news": 1})
            yield Pause(0.3)

    door = PretendDoor(talks_on, QUIET)
    for event in door.events():
        asks(("id", 1))(door, event)
        if event.name == "no_reply":
            break
        if event.name == "ready":
            door.at(door.now + 4.9, lambda: door.spend(1))  # nobody looks over the end
    assert 5.0 <= door.now <= 6.5


@pytest.mark.parametrize(("said", "kind"), [(say(8, code=1011), "closed"), (End(), "lost")])
def test_the_end_of_the_connection_ends_all(said: Any, kind: str) -> None:
    def talk(peer: Peer) -> Talk:
        yield from peer.upgrade()
        yield from peer.hear_until(frames.TEXT)
        yield said
        yield from peer.hear_end()

    seen = played(talk, ("id", 1), lambda message: False, within=None)
    last = [event for _, event in seen][-3:]
    assert [event.name for event in last] == ["no_reply", "no_reply", "disconnected"]
    assert [event.ending.kind for event in last] == [kind] * 3
    assert [event.request for event in last[:2]] == ["question 0", "question 1"]


def test_what_a_callable_raises_comes_out_of_the_loop() -> None:
    def fails(message: Any) -> bool:
        return bool(message.json["none"])

    door = PretendDoor(answers(text({"id": 1})), QUIET)
    with pytest.raises(KeyError, match="none"):
        door.play(asks(fails))
    assert door.session.finish.ending is not None
    assert isinstance(door.session.finish.ending.cause, KeyError)


def test_the_short_way_opens_again() -> None:
    door = PretendDoor(answers(text({"id": 1})), QUIET)
    for event in door.events():
        asks(("id", 1))(door, event)
        if event.name == "ready":
            questions = door.session.questions
            assert questions is not None
            assert questions.is_open
        elif event.name == "reply":
            assert not questions.is_open
            assert door.session.timers.reply_at == float("inf")


def test_those_that_were_answered_are_not_kept() -> None:
    """Of many questions that are answered at once nothing stays until their time is over."""
    door = PretendDoor(answers(after=1), QUIET)
    freed: list[int] = []

    class Request(str):
        __slots__ = ("__weakref__",)

        def __del__(self) -> None:
            freed.append(1)

    for event in door.events():
        if event.name == "ready":
            for number in range(1000):
                door.send_text(Request(number), ("id", number), 30)
                questions = door.session.questions
                assert questions is not None
                assert questions.seen(events.Text(f'{{"id": {number}}}')).name == "reply"
    assert len(freed) > 800


def test_withdrawn_ones_are_not_told_of() -> None:
    door = PretendDoor(answers(text({"id": 1}), text({"id": 1})), QUIET)
    seen = []
    for event in door.events():
        if event.name == "ready":
            door.send_text("a", ("id", 1))
            questions = door.session.questions
            assert questions is not None
            question = Question("b", ("id", 1), None)
            questions.add(question, None)
            fitting = Question("c", lambda message: True, None)
            questions.add(fitting, None)
            assert questions.withdraw(question)
            assert not questions.withdraw(question)
            assert questions.withdraw(fitting)
        seen.append(event.name)
    assert seen[3:5] == ["reply", "text"]


def test_who_waits_is_told_by_himself() -> None:
    """A task's, or a thread's: its message, and what it raises, are handed out nowhere else."""
    told: list[str] = []

    def raises(message: Any) -> bool:
        raise LookupError(message.text)

    door = PretendDoor(answers(text({"id": 1}), text("other")), QUIET)
    seen = []
    mine = Question("a", ("id", 1), lambda: told.append("mine"))
    fails = Question("b", raises, lambda: told.append("fails"))
    open_one = Question("c", ("id", 3), lambda: told.append("open"))
    for event in door.events():
        if event.name == "ready":
            door.send_text("", ("id", 2))
            for question in (mine, fails, open_one):
                assert door.session.questions is not None
                door.session.questions.add(question, None)
        seen.append(event.name)
    assert seen[3:] == ["text", "closing", "no_reply", "disconnected"]
    assert told == ["mine", "fails", "open"]
    assert mine.message is not None
    assert isinstance(fails.failure, LookupError)
    assert open_one.ending is not None
    assert open_one.ending.code == 1000


def test_of_many_that_were_answered_few_are_kept_behind_one_that_was_not() -> None:
    door = PretendDoor(answers(after=1), QUIET)
    freed: list[int] = []

    class Request(str):
        __slots__ = ("__weakref__",)

        def __del__(self) -> None:
            freed.append(1)

    for event in door.events():
        if event.name == "ready":
            door.send_text("first", ("id", -1), 10)
            for number in range(1000):
                door.send_text(Request(number), ("id", number), 30)
                questions = door.session.questions
                assert questions is not None
                assert questions.seen(events.Text(f'{{"id": {number}}}')).name == "reply"
            assert len(freed) > 900
            assert questions.is_open


def interrupted(act: Callable[[Questions], object]) -> Questions:
    """Questions, of which something is done just before whoever iterates has them alone."""
    session = PretendDoor(answers(), QUIET).session

    def alone(do: Any, *arguments: Any) -> Any:
        act(questions)
        return do(*arguments)

    questions = Questions(session.timers, session.finish, alone)
    return questions


@pytest.mark.parametrize("reply", [("id", 1), lambda message: True])
def test_one_that_is_withdrawn_while_its_reply_is_looked_at(reply: Any) -> None:
    question = Question("", reply, None)
    questions = interrupted(lambda questions: questions.withdraw(question))
    questions.add(question, None)
    message = events.Text('{"id": 1}')
    assert questions.seen(message) is message


def test_one_that_is_withdrawn_while_its_callable_fails() -> None:
    question = Question("", lambda message: message.nothing, None)
    questions = interrupted(lambda questions: questions.withdraw(question))
    questions.add(question, None)
    message = events.Text("x")
    assert questions.seen(message) is message


def test_short_messages_on_their_way() -> None:
    told: list[int] = []
    questions = interrupted(lambda questions: None)
    questions.add(Question("", ("id", 1), lambda: told.append(1)), None)
    messages = [events.Text('{"id": 1}'), events.Text('{"id": 2}')]
    assert list(questions.looked(messages)) == messages[1:]
    assert told == [1]


def test_reprs_show_no_request() -> None:
    reply = events.Reply("secret", events.Text("yes"))
    assert repr(reply) == "Reply(message=Text(text='yes'))"
    assert repr(events.NoReply("secret")) == "NoReply(ending=None)"


def test_the_heap_of_late_ones_is_sifted_once_in_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two hundred stay open, a thousand are answered: no sifting for each, and none is lost."""
    sifted: list[int] = []
    monkeypatch.setattr(
        "lomond.session.questions.heapify", lambda heap: (sifted.append(len(heap)), heap.sort())
    )
    questions = interrupted(lambda questions: None)
    for number in range(200):
        questions.add(Question(number, ("open", number), None), 500.0 - number)
    for number in range(1000):
        questions.add(Question(number, ("id", number), None), 1000.0)
        questions.add(Question(number, ("own", number), lambda: None), None)  # has no time here
        assert questions.seen(events.Text(f'{{"id": {number}}}')).name == "reply"
        assert questions.seen(events.Text(f'{{"own": {number}}}')) is None
    assert sifted == [200] * 3
    late = []
    while (event := questions.late(900.0)) is not None:
        late.append(event.request)
    assert late == list(reversed(range(200)))
    assert not questions.is_open


def test_a_value_that_can_be_no_key_hides_no_other_key() -> None:
    questions = interrupted(lambda questions: None)
    questions.add(Question("a", ("id", 1), None), None)
    questions.add(Question("b", ("req", "x"), None), None)
    reply = questions.seen(events.Text('{"id": [1], "req": "x"}', received_time=5.0))
    assert (reply.name, reply.request, reply.received_time) == ("reply", "b", 5.0)


def test_only_messages_are_asked_about_and_only_an_end_ends_who_waits() -> None:
    asked: list[Any] = []
    told: list[int] = []
    questions = interrupted(lambda questions: None)
    questions.add(Question("", lambda message: asked.append(message), None), None)
    questions.add(Question("", ("id", 1), lambda: told.append(1)), None)
    for event in (events.Ping(b""), events.Pong(b""), events.Poll(), events.Posted(1)):
        assert questions.seen(event) is event
    assert (asked, told) == ([], [])
    closing = events.Closing(1000, "")
    assert questions.seen(closing) is closing
    assert (asked, told) == ([], [1])


@pytest.mark.parametrize("is_withdrawn", [False, True])
def test_a_callable_that_fails_hides_no_other_question(is_withdrawn: bool) -> None:
    def fails(message: Any) -> bool:
        raise LookupError

    failing = Question("failing", fails, lambda: None)
    questions = interrupted(lambda questions: questions.withdraw(failing) if is_withdrawn else None)
    questions.add(failing, None)
    questions.add(Question("next", lambda message: True, None), None)
    assert questions.seen(events.Text("x")).request == "next"


def test_what_a_callable_of_the_loop_raises_is_known_as_the_programs() -> None:
    questions = interrupted(lambda questions: None)
    questions.add(Question("", lambda message: message.none, None), None)
    with pytest.raises(AttributeError) as raised:
        questions.seen(events.Text("x"))
    assert questions.failure is raised.value
