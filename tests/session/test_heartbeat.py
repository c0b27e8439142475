"""A message that is said instead of a ping, in pretend time."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from lomond.options import Timing
from lomond.protocol import frames
from lomond.protocol.events import AnyEvent
from lomond.testing.alone import PretendDoor
from lomond.testing.peer import Pause, Peer, Talk, say
from played import names
from scripted import answers_pings, is_silent

Seen = list[tuple[float, Any]]
PING = '{"op":"ping"}'


def moments(seen: Seen, name: str) -> list[float]:
    return [moment for moment, event in seen if event.name == name]


def heard(door: PretendDoor, *opcodes: int) -> list[tuple[int, bytes]]:
    return [(one.opcode, one.payload) for one in door.peer.heard if one.opcode in opcodes]


def beating(message: Any, seconds: float = 10.0, **timing: Any) -> tuple[PretendDoor, Seen]:
    """What is said to a server that says nothing, every 3 s."""
    door = PretendDoor(is_silent, Timing(poll=None, ping_rate=3, ping_message=message, **timing))
    door.at(seconds, door.force_disconnect)
    return door, door.play()


@pytest.mark.parametrize(
    ("message", "opcode", "payload"),
    [
        (PING, frames.TEXT, PING.encode()),
        ("", frames.TEXT, b""),
        ("häh", frames.TEXT, "häh".encode()),
        (b"\x00\xff", frames.BINARY, b"\x00\xff"),
        (bytearray(b"12"), frames.BINARY, b"12"),
        (memoryview(b"12"), frames.BINARY, b"12"),
        ({"op": "ping"}, frames.TEXT, PING.encode()),
        ([1, "ping"], frames.TEXT, b'[1,"ping"]'),
        (lambda: PING, frames.TEXT, PING.encode()),
        (lambda: b"12", frames.BINARY, b"12"),
        (lambda: {"op": "ping"}, frames.TEXT, PING.encode()),
    ],
)
def test_it_is_said_instead_of_a_ping(message: Any, opcode: int, payload: bytes) -> None:
    door, _ = beating(message)
    assert heard(door, frames.PING, frames.TEXT, frames.BINARY) == [(opcode, payload)] * 3


def test_bytes_are_taken_as_they_were() -> None:
    message = bytearray(b"12")
    timing = Timing(poll=None, ping_rate=3, ping_message=message)
    message[:] = b"34"
    door = PretendDoor(is_silent, timing)
    door.at(4.0, door.force_disconnect)
    door.play()
    assert heard(door, frames.BINARY) == [(frames.BINARY, b"12")]


def test_a_callable_is_asked_each_time() -> None:
    asked: list[float] = []

    def count() -> list[int]:
        asked.append(door.now)
        return [len(asked)]

    door = PretendDoor(is_silent, Timing(poll=None, ping_rate=3, ping_message=count))
    door.at(10.0, door.force_disconnect)
    door.play()
    start = door.session.course.opened_at
    assert start is not None
    assert asked == pytest.approx([start + 3, start + 6, start + 9])
    assert heard(door, frames.TEXT) == [(frames.TEXT, b"[%d]" % n) for n in (1, 2, 3)]


def test_without_ping_timeout_it_is_said_for_ever() -> None:
    door, seen = beating(PING, 3600.0)
    assert len(heard(door, frames.TEXT)) == 1199
    assert names(seen)[-1] == "disconnected"


def answers(word: bytes, late: float = 0.0) -> Callable[[Peer], Talk]:
    """A server that answers each text, and no ping."""

    def talk(peer: Peer) -> Talk:
        yield from peer.upgrade()
        while (frame := (yield from peer.hear_frame())) is not None:
            if frame.opcode == frames.TEXT:
                if late:
                    yield Pause(late)
                yield say(frames.TEXT, word)

    return talk


@pytest.mark.parametrize("late", [0.0, 1.0, 4.5])
def test_a_server_that_answers_no_pings_lives(late: float) -> None:
    asked: list[float] = []

    def ask() -> str:
        asked.append(door.now)
        return PING

    timing = Timing(poll=None, ping_rate=3, ping_timeout=5, ping_message=ask)
    door = PretendDoor(answers(b"pong", late), timing)
    door.at(600.0, door.force_disconnect)
    seen = door.play()
    assert "unresponsive" not in names(seen)
    assert len(asked) == 199
    assert names(seen).count("text") >= 600 // max(3.0, late) - 2
    assert heard(door, frames.PING) == []


def test_it_would_be_taken_for_dead_by_pings() -> None:
    door = PretendDoor(answers(b"pong"), Timing(poll=None, ping_rate=3, ping_timeout=5))
    assert names(door.play())[-2:] == ["unresponsive", "disconnected"]


@pytest.mark.parametrize("death", [0.001, 2.9, 3.1, 100.0])
def test_a_death_is_noticed(death: float) -> None:
    is_dead: list[bool] = []

    def dies(peer: Peer) -> Talk:
        yield from peer.upgrade()
        while (frame := (yield from peer.hear_frame())) is not None:
            if frame.opcode == frames.TEXT and not is_dead:
                yield say(frames.TEXT, b"pong")

    timing = Timing(poll=None, ping_rate=3, ping_timeout=5, ping_message=PING)
    door = PretendDoor(dies, timing)
    door.at(death, lambda: is_dead.append(True))
    seen = door.play()
    assert names(seen)[-2:] == ["unresponsive", "disconnected"]
    assert death < seen[-1][0] <= death + 3 + 5 + 0.1
    # One that nothing answers is no reason to say no more: a server may want one every 3 s.
    assert len(heard(door, frames.TEXT)) == names(seen).count("text") + 2


def test_a_server_that_cuts_after_silence_is_kept() -> None:
    """One that hangs up after 3 s without a message, to which a ping is none."""

    def cuts(peer: Peer) -> Talk:
        yield from peer.upgrade()
        while (frame := (yield from peer.hear_frame())) is not None:
            if frame.opcode == frames.TEXT:
                said_at.append(door.now)
                yield say(frames.TEXT, b"pong")

    said_at: list[float] = []
    timing = Timing(poll=None, ping_rate=2, ping_timeout=2, ping_message=PING)
    door = PretendDoor(cuts, timing)
    door.at(300.0, door.force_disconnect)
    seen = door.play()
    assert names(seen).count("text") == 149
    gaps = [later - sooner for sooner, later in pairwise(said_at)]
    assert max(gaps) < 3


def test_a_pong_counts_too() -> None:
    door = PretendDoor(
        answers_pings, Timing(poll=None, ping_rate=3, ping_timeout=5, ping_message=PING)
    )
    for at in range(1, 60):
        door.at(at + 0.5, lambda: door.send_ping(b"mine"))
    door.at(60.0, door.force_disconnect)
    seen = door.play()
    assert "unresponsive" not in names(seen)
    assert "pong" in names(seen)
    assert len(heard(door, frames.TEXT)) == 19


def test_one_that_can_not_leave_is_not_repeated() -> None:
    asked: list[float] = []

    def ask() -> str:
        asked.append(door.now)
        return PING

    timing = Timing(poll=None, ping_rate=3, ping_timeout=20, send_timeout=None, ping_message=ask)
    door = PretendDoor(is_silent, timing)
    door.at(1.0, lambda: setattr(door, "is_stuck", True))
    seen = door.play()
    assert len(asked) == 1
    assert names(seen)[-2:] == ["unresponsive", "disconnected"]
    assert seen[-1][0] == pytest.approx(asked[0] + 20, abs=0.01)


def test_it_is_not_unconfirmed() -> None:
    """What the library says of itself nobody has to send again."""
    door, seen = beating(PING)
    assert seen[-1][1].unconfirmed == 0
    assert len(heard(door, frames.TEXT)) == 3


def test_none_is_said_once_a_side_closes() -> None:
    door = PretendDoor(
        is_silent, Timing(poll=None, ping_rate=3, close_timeout=30, ping_message=PING)
    )
    door.at(4.0, door.close)
    door.play()
    assert len(heard(door, frames.TEXT)) == 1


def test_a_close_while_it_is_asked_for_comes_first() -> None:
    def close() -> str:
        door.close()
        return PING

    door = PretendDoor(
        is_silent, Timing(poll=None, ping_rate=3, close_timeout=5, ping_message=close)
    )
    seen = door.play()
    assert heard(door, frames.TEXT) == []
    assert [one.opcode for one in door.peer.heard] == [frames.CLOSE]
    assert names(seen)[-1] == "disconnected"


def fails() -> str:
    raise LookupError("no token of ws://me:secret@h/")


async def comes_later() -> str:
    return PING


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (fails, "ping_message= raised LookupError: no token of ws://***@h/"),
        (lambda: 7, "ping_message= raised TypeError: a message must be a str, bytes-like"),
        (lambda: None, "ping_message= raised TypeError: a message must be a str, bytes-like"),
        (lambda: [float("nan")], "ping_message= raised ValueError: JSON has no nan"),
        (lambda: "\ud800", "ping_message= raised UnicodeEncodeError"),
        (
            lambda: comes_later(),
            "ping_message= raised TypeError: ping_message must give it at once",
        ),
    ],
)
def test_what_it_raises_ends_the_connection(message: Any, said: str) -> None:
    door = PretendDoor(is_silent, Timing(poll=None, ping_rate=3, ping_message=message))
    seen = door.play()
    disconnected = seen[-1][1]
    assert names(seen) == ["connecting", "connected", "ready", "disconnected"]
    assert disconnected.reason.startswith(f"disconnected; {said}")
    assert (disconnected.graceful, disconnected.phase) == (False, "credentials")
    assert type(disconnected.cause).__name__ in disconnected.reason
    ending = disconnected.ending
    assert (ending.kind, ending.by, ending.was_ready) == ("credentials", "client", True)
    head, key, code = door.sent[-8:-6], door.sent[-6:-2], door.sent[-2:]
    assert head == bytes([frames.FIN | frames.CLOSE, 0x80 | 2])
    assert bytes(a ^ b for a, b in zip(code, key, strict=False)) == (1011).to_bytes(2, "big")


class Awaits:
    """What is awaited, and can't be closed."""

    def __await__(self) -> Any:
        yield from ()


def test_what_is_to_be_awaited_is_none() -> None:
    door = PretendDoor(is_silent, Timing(poll=None, ping_rate=3, ping_message=Awaits))
    assert "it is not awaited here" in door.play()[-1][1].reason


def test_what_no_handler_is_for_comes_out() -> None:
    def interrupts() -> str:
        raise KeyboardInterrupt

    door = PretendDoor(is_silent, Timing(poll=None, ping_rate=3, ping_message=interrupts))
    with pytest.raises(KeyboardInterrupt):
        door.play()


def test_messages_do_not_keep_it_waiting() -> None:
    def talks(peer: Peer) -> Talk:
        yield from peer.upgrade()
        for _ in range(100):
            yield Pause(0.1)
            yield say(frames.TEXT, b"data")
        yield from peer.hear_end()

    def slow(door: PretendDoor, event: AnyEvent) -> None:
        if event.name == "text":
            door.spend(0.1)

    door = PretendDoor(talks, Timing(poll=None, ping_rate=1, ping_message=PING))
    door.at(10.5, door.force_disconnect)
    door.play(slow)
    assert len(heard(door, frames.TEXT)) == 10
