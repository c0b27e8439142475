"""Any peer, user and clock: it ends, with one last event; whole masked frames, one close frame.

Events come in their order. A close that the user asked for ends within its time.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any

from lomond.errors import WebSocketError
from lomond.options import CLOSE_GRACE, Deflate, Limits, Timing
from lomond.session.requests import Race, Resolve, StartTLS
from lomond.testing.alone import PretendDoor
from lomond.testing.peer import Action, End, Hear, Pause, Peer, Say, Talk

from .choices import Choices
from .wire import CLOSE, written

_PAUSES = (0, 0.001, 0.1, 1, 2.5, 7, 31, 61)
_EXTRA = (
    b"",
    b"Sec-WebSocket-Extensions: permessage-deflate\r\n",
    b"Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover\r\n",
    b"Sec-WebSocket-Protocol: none\r\n",
)
_ANSWERS = (
    b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno",
    b"HTTP/1.1 302 Found\r\nLocation: /there\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\n",
)
_FRAMES = (b"\x81\x02hi", b"\x89\x01x", b"\x8a\x00", b"\x88\x02\x03\xe8", b"\x88\x00", b"\x01\x01a",
           b"\x80\x01b", b"\x82\x05part", b"\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00",
           b"\x8a\x01p")  # fmt: skip
_FAILURES = (None, None, None, OSError(111, "refused"), TimeoutError("late"))
_MOST_ACTIONS = 24
_PATIENCE = 2000.0  # seconds
_MOST_EVENTS = 20_000
_REQUEST = re.compile(rb"GET [^\r]*\r\n(?:[^\r]+\r\n)*\r\n")
_LAST = ("disconnected", "connect_fail")
_AFTER_READY = ("text", "binary", "ping", "pong", "closing", "closed", "unresponsive", "poll")


def check(data: bytes) -> str:
    """One input: how the session is set, what the user does, and what the peer does."""
    choices = Choices(data)
    timing = Timing(
        poll=choices.pick((5, None, 1, 0)),
        ping_rate=choices.pick((30, 0, 2)),
        ping_timeout=choices.pick((None, 5, 1)),
        auto_pong=not choices.flag(),
        close_timeout=choices.pick((30, 3, 0)),
        open_timeout=choices.pick((30, 2)),
        send_timeout=choices.pick((30, 3)),
        frame_timeout=choices.pick((60, 4, 0)),
    )
    limits = Limits(max_message_size=choices.pick((1000, 40)), max_fragments=5, max_held=200)
    failures = {kind: choices.pick(_FAILURES) for kind in (Resolve, Race, StartTLS)}
    secure, offers = choices.flag(), choices.flag()
    user = Choices(choices.piece())
    first, later = Choices(choices.piece()), Choices(choices.rest())
    door = PretendDoor(
        _talk(first),
        timing,
        limits,
        failures={kind: error for kind, error in failures.items() if error is not None},
        secure=secure,
        compress=Deflate(min_size=1) if offers else False,
        max_redirects=1,
        later_talks=(_talk(later),),
    )
    played = _User(door, user)
    events = played.play()
    _check_order(events, played.has_left)
    names = [event.name for event in events]
    frames = _frames(door.sent, offers)
    if "ready" not in names:
        assert not frames, "frames before the upgrade"
    _check_end_in_time(played, timing, is_ready="ready" in names)
    return "\n".join([*map(_describe, events), f"{len(door.sent)} {door.now:.3f}"])


def _describe(event: Any) -> str:
    fields = [repr(getattr(event, name)) for name in event.__match_args__]
    return f"{event.name} {' '.join(fields)}"


def _talk(choices: Choices) -> Callable[[Peer], Talk]:
    """What a peer does; in the end it hangs up, after a time in which all patience ends."""

    def talk(peer: Peer) -> Talk:
        if not choices.flag():
            yield from peer.upgrade(choices.pick(_EXTRA), choices.piece())
        elif choices.flag():
            yield from peer.read_request()
        for _ in range(_MOST_ACTIONS):
            if choices.is_empty():
                break
            yield _action(choices)
        yield Pause(choices.pick((0, 200)))
        yield End(choices.flag())

    return talk


def _action(choices: Choices) -> Action:
    kind = choices.byte() % 6
    if kind == 0:
        return Say(choices.pick(_FRAMES))
    if kind == 1:
        return Say(choices.piece() or b"\x89\x00")
    if kind == 2:
        return Pause(choices.pick(_PAUSES))
    if kind == 3:
        return Hear()
    if kind == 4:
        return Say(choices.pick(_ANSWERS))
    return End(choices.flag())


class _User:
    """Acts on events, and at moments of its own."""

    def __init__(self, door: PretendDoor, choices: Choices) -> None:
        self.has_left = False
        self.spent = 0.0  # seconds in handlers
        self.door = door
        self._choices = choices
        door.at(
            _PATIENCE, door.force_disconnect
        )  # without keepalive a silent peer is borne for ever
        for _ in range(choices.byte() % 4):
            moment = choices.pick(_PAUSES) + choices.pick(_PAUSES)
            number, text = choices.byte(), choices.piece()
            door.at(moment, partial(self._act, number, text))

    def play(self) -> list[Any]:
        """All events."""
        seen = []
        stream = self.door.events()
        for event in stream:
            seen.append(event)
            assert len(seen) < _MOST_EVENTS, "events without end"
            if self.door.session.timers.counts_turns and event.name == "poll":
                self._spend(0.5)  # else the pretend clock would stand still
            if self._choices.is_empty():
                continue
            number = self._choices.byte() % 16
            if number == 15:
                self.has_left = True
                stream.close()
                break
            if number == 14:
                self._spend(self._choices.pick(_PAUSES))
            else:
                self._act(number, self._choices.piece() if number < 3 else b"")
        assert next(stream, None) is None, "an event after the end"
        assert self.door.hung_up, "the socket is left open"
        return seen

    def _spend(self, seconds: float) -> None:
        self.spent += seconds
        self.door.spend(seconds)

    def _act(self, number: int, data: bytes) -> None:
        door = self.door
        try:
            match number % 16:
                case 0:
                    door.send_text(data.decode("latin-1"))
                case 1:
                    door.send_ping(data[:125])
                case 2:
                    door.send_pong(data[:125])
                case 3:
                    door.close()
                case 4:
                    door.close(None, "")
                case 5:
                    door.close(4000, "ä" * 100)
                case 6:
                    door.force_disconnect()
                case 7:
                    door.is_stuck = True
                case 8:
                    door.is_stuck = False
                case _:
                    pass
        except WebSocketError:
            pass  # it says so


def _check_order(events: list[Any], has_left: bool) -> None:
    names = [event.name for event in events]
    assert names[0] == "connecting"
    assert not any(name in _LAST for name in names[:-1]), "an event after the last"
    if not has_left:
        assert names[-1] in _LAST, f"the last event is {names[-1]}"
    assert names.count("ready") <= 1, "ready twice"
    if "ready" in names:
        ready = names.index("ready")
        assert "connected" in names[:ready]
        assert not {"connecting", "connected", "rejected", "connect_fail"} & set(names[ready:])
    else:
        ready = len(names)
    assert not set(_AFTER_READY) & set(names[:ready]), "too early"
    for name in ("closing", "closed", "protocol_error", "unresponsive", "rejected"):
        assert names.count(name) <= 1, f"{name} twice"
        if name in names:
            after = set(names[names.index(name) + 1 :])
            assert after <= {"disconnected", "poll"}, f"{after} after {name}"


def _frames(sent: bytes, offers: bool) -> list[Any]:
    """The frames that were written, behind the requests."""
    position = 0
    while (found := _REQUEST.match(sent, position)) is not None:
        position = found.end()
    frames = written(sent[position:], offers)
    assert sum(frame.opcode == CLOSE for frame in frames) <= 1
    return frames


def _check_end_in_time(played: _User, timing: Timing, is_ready: bool) -> None:
    asked = played.door.session.finish.close_asked_at
    if asked is None or (is_ready and not timing.close_timeout):
        return
    patience = max(timing.close_timeout or 0, CLOSE_GRACE)
    limit = asked + patience + played.spent + 1
    assert played.door.now <= limit, f"closed at {asked}, ended at {played.door.now}"
