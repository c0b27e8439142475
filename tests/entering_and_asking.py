"""A program that enters and asks, a peer that does what it likes, and what holds of both.

The program first goes through steps of its own (send something, wait for its acknowledgement), and
asks questions meanwhile and behind that; the peer answers late, twice, never, in another order,
says something else between, and may die behind any byte.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from hypothesis import strategies as st

from lomond.errors import Refused, WebSocketError
from lomond.protocol import frames
from lomond.testing.peer import Action, End, Pause, Peer, Say, Talk, say

ENTER_TIMEOUT = 4.0
TIMING: dict[str, Any] = {"poll": 0.7, "ping_rate": 2, "ping_timeout": 3, "close_timeout": 2}
FAR = 1000.0  # seconds; nothing takes so long
LATE = 0.05  # seconds; from when something is due until it is done

Steps = Generator[Any, Any, None]


# What the peer does: a list of these.


class Answers(NamedTuple):
    """Answers one of those messages that it has heard; which one, of the oldest or the newest."""

    which: int
    times: int


class Foretells(NamedTuple):
    """Says what answers a question, whether or not somebody has asked that."""

    number: int


class Tells(NamedTuple):
    """Says something of its own: a text that is an object or none, a binary, a ping."""

    kind: str


class Hears(NamedTuple):
    """Waits for the next message, or ping."""


Does = Answers | Foretells | Tells | Hears | Pause
moments = st.sampled_from([0.0, 0.001, 0.4, 1.0, 2.5, 6.0])
single = st.one_of(
    st.just(Hears()),
    st.builds(Answers, st.integers(-3, 2), st.sampled_from([1, 1, 2])),
    st.builds(Foretells, st.integers(0, 5)),
    st.builds(Tells, st.sampled_from(["object", "array", "words", "binary", "ping"])),
    st.builds(Pause, moments),
)
usual: st.SearchStrategy[list[Does]] = st.just([Hears(), Answers(-1, 1)])
doings: st.SearchStrategy[list[Does]] = st.lists(
    usual | single.map(lambda one: [one]) | single.map(lambda one: [one]), max_size=20
).map(lambda lists: [one for some in lists for one in some])

# What the program does.


class Asks(NamedTuple):
    """A question: asked in the handler of the n-th event from Ready on."""

    at: int
    by_key: bool
    within: float | None


questions = st.lists(
    st.builds(
        Asks,
        st.integers(0, 12),
        st.booleans(),
        st.sampled_from([0.3, 1.0, 2.7, 30.0, None]),
    ),
    max_size=6,
)
#: Sends, waits for the acknowledgement, for any reply, or for what never comes; refuses.
scripts = st.lists(
    st.sampled_from(["send", "send", "acknowledged", "acknowledged", "text", "reply", "never"]),
    max_size=5,
).flatmap(lambda steps: st.sampled_from([steps, steps, steps, [*steps, "refuse"]]))


class Asked(NamedTuple):
    """When a question was asked."""

    index: int  #: behind how many events
    at: float
    ask: Asks


@dataclass
class World:
    """What a run did, on both sides."""

    said: list[int] = field(default_factory=list)  # numbers of the peer's messages, whole ones
    sent_to: list[Any] = field(default_factory=list)  # events that `enter` was given
    asked: dict[str, Asked] = field(default_factory=dict)
    #: What the peer has heard of these, and how many messages it had said by then.
    heard: dict[str, int] = field(default_factory=dict)
    seen: list[tuple[float, Any]] = field(default_factory=list)
    begun: int = 0
    ended: int = 0
    sends: int = 0  # of `enter`
    size: int = 0  # bytes that the peer said


def peer_of(world: World, doings: list[Does], ends: str) -> Callable[[Peer], Talk]:
    def message(answers: dict[str, Any], kind: str = "object") -> Say:
        number = len(world.said)
        world.said.append(number)
        if kind == "binary":
            return say(frames.BINARY, b"%d" % number)
        if kind == "array":
            return say(frames.TEXT, b"[%d]" % number)
        if kind == "words":
            return say(frames.TEXT, b"number %d" % number)
        return say(frames.TEXT, json.dumps({"m": number, **answers}).encode())

    def talk(peer: Peer) -> Talk:
        heard: list[dict[str, Any]] = []
        yield from peer.upgrade()
        for doing in doings:
            match doing:
                case Hears():
                    frame = yield from peer.hear_frame()
                    if frame is None:
                        return
                    if frame.opcode == frames.TEXT:
                        heard.append(json.loads(frame.payload))
                        world.heard[frame.payload.decode()] = len(world.said)
                    elif frame.opcode == frames.PING:
                        yield say(frames.PONG, frame.payload)
                    elif frame.opcode == frames.CLOSE:
                        yield say(frames.CLOSE, frame.payload)
                        yield End()
                        return
                case Answers(which, times) if heard:
                    answer = heard[which % len(heard)]
                    for _ in range(times):
                        yield message(answer)
                case Foretells(number):
                    yield message({"id": number})
                case Tells("ping"):
                    yield say(frames.PING, b"?")
                case Tells(kind):
                    yield message({}, kind)
                case Pause():
                    yield doing
        if ends == "close":
            yield say(frames.CLOSE, code=1000)
            yield from peer.hear_end()
        elif ends != "silence":
            yield End(resets=ends == "reset")

    return talk


def dies(talk: Callable[[Peer], Talk], size: int, world: World) -> Callable[[Peer], Talk]:
    """The same, up to so many bytes: what it says behind these is never said."""

    def until_then(peer: Peer) -> Generator[Action, bytes, None]:
        left, actions = size, talk(peer)
        heard: bytes | None = None
        while True:
            try:
                action = next(actions) if heard is None else actions.send(heard)
            except StopIteration:
                return
            if isinstance(action, Say):
                if len(action.data) > left:
                    if not action.data.startswith(b"HTTP") and action.data[0] in (0x81, 0x82):
                        world.said.pop()
                    yield Say(action.data[:left])
                    yield End()
                    return
                left -= len(action.data)
                world.size += len(action.data)
            heard = yield action

    return until_then


def number_of(event: Any) -> int:
    """The number of a message of the peer's."""
    if event.name == "binary":
        return int(event.data)
    if event.text.startswith("number "):
        return int(event.text.removeprefix("number "))
    return int(event.json[0] if isinstance(event.json, list) else event.json["m"])


def is_object(event: Any) -> bool:
    return event.name == "text" and event.text.startswith("{")


def enter_of(world: World, script: list[str]) -> Callable[[Any], Steps]:
    def enter(event: Any) -> Steps:
        def acknowledged(event: Any) -> bool:
            return is_object(event) and event.json.get("step") == sent

        assert event.name == "ready"
        world.begun += 1
        sent = 0
        waits: dict[str, Callable[[Any], bool]] = {
            "acknowledged": acknowledged,
            "text": lambda event: event.name == "text",
            "reply": lambda event: event.name in ("reply", "no_reply"),
            "never": lambda event: False,
        }
        try:
            for step in script:
                if step == "send":
                    sent += 1
                    world.sends += 1
                    yield {"step": sent}
                elif step == "refuse":
                    raise Refused("not good enough")
                else:
                    found = yield waits[step]
                    world.sent_to.append(found)
                    assert waits[step](found)
                    # It is advanced before the event is handed out.
                    assert all(event is not found for _, event in world.seen)
        finally:
            world.ended += 1

    return enter


def played(
    world: World,
    events: Iterable[Any],
    now: Callable[[], float],
    send: Callable[..., object],
    asks: list[Asks],
) -> None:
    """Go through all events; questions are asked in handlers.

    Arguments:
        world: What is done is noted there.
        events: Of the door.
        now: Its clock.
        send: Sends a text, with `reply` and `within`.
        asks: The questions.
    """
    begun = -1
    started = now()
    for event in events:
        index = len(world.seen)
        world.seen.append((now(), event))
        assert now() - started < FAR, "it goes on for ever"
        if event.name == "ready":
            begun = index
        for number, ask in enumerate(asks):
            if begun < 0 or ask.at != index - begun:
                continue
            text = json.dumps({"id": number})
            world.asked[text] = Asked(index, now(), ask)
            reply = ("id", number) if ask.by_key else fits(number)
            try:
                send(text, reply=reply, within=ask.within)
            except WebSocketError:
                del world.asked[text]  # there was no connection any more


def fits(number: int) -> Callable[[Any], bool]:
    return lambda event: is_object(event) and event.json.get("id") == number


# What holds


def check(world: World, script: list[str]) -> None:
    """All that holds, whatever was done.

    Arguments:
        world: What was done.
        script: The steps of `enter`.
    """
    names = [event.name for _, event in world.seen]
    events = [event for _, event in world.seen]
    last = events[-1]
    assert names.count("disconnected") + names.count("connect_fail") <= 1
    assert names[-1] in ("disconnected", "connect_fail")
    # Entered once at most, and no poll before it; what began has ended.
    assert names.count("entered") <= 1
    before = names[: names.index("entered")] if "entered" in names else names
    assert "poll" not in before
    assert world.begun == world.ended == names.count("ready")
    # What it was given is what is handed out, once.
    for found in world.sent_to:
        assert sum(event is found for event in events) == 1
    check_messages(world, last)
    check_questions(world)
    check_ending(world, script, names, last)


def check_messages(world: World, last: Any) -> None:
    """Each is handed out once, as itself or as what answers a question, in its order."""
    messages = [
        event.message if event.name == "reply" else event
        for _, event in world.seen
        if event.name in ("text", "binary", "reply")
    ]
    found = [number_of(message) for message in messages]
    assert found == world.said[: len(found)]
    if last.name == "disconnected" and last.ending.by != "client":
        assert found == world.said


def check_questions(world: World) -> None:
    """Each ends once: by what answers it, in time; or by its time; or with the connection."""
    ends = Counter(event.request for _, event in world.seen if event.name in ("reply", "no_reply"))
    assert ends == Counter(list(world.asked))
    for index, (moment, event) in enumerate(world.seen):
        if event.name not in ("reply", "no_reply"):
            continue
        asked = world.asked[event.request]
        number, within = json.loads(event.request)["id"], asked.ask.within
        assert index > asked.index
        if event.name == "reply":
            assert event.message.json["id"] == number
        elif event.ending is None:
            assert within is not None
            assert within <= moment - asked.at + 1e-6
        if within is not None:
            assert moment - asked.at <= within + LATE
        # What the peer says that answers it, having heard it, does not go by while it is open. What
        # was said before may have come by then, and wait for the program.
        heard = world.heard.get(event.request, len(world.said))
        between = [event for _, event in world.seen[asked.index + 1 : index]]
        assert not any(number_of(one) >= heard for one in filter(fits(number), between))


def check_ending(world: World, script: list[str], names: list[str], last: Any) -> None:
    """One that came too late is told, with how far it had come; one that refused, too."""
    if names[-1] != "disconnected" or "ready" not in names:
        return
    ready = world.seen[names.index("ready")][0]
    if last.ending.phase == "enter" and last.ending.kind == "timed_out":
        assert "entered" not in names
        said = str(last.ending)
        assert "enter was not through within 4 s" in said
        assert ("it had sent an object with step last" in said) == (world.sends > 0)
        assert ("it had sent nothing" in said) == (world.sends == 0)
        assert "it waited for" in said
    if last.ending.kind == "refused":
        assert "refuse" in script
        assert "not good enough" in str(last.ending)
    if "entered" in names:
        assert world.seen[names.index("entered")][0] - ready <= ENTER_TIMEOUT + LATE
        assert "refuse" not in script
        assert "never" not in script
        assert world.sends == script.count("send")


ends_of_peers = st.sampled_from(["silence", "close", "end"])
