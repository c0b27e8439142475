"""A record as a server: it says what was heard, and wants what was said. See lomond.records."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from itertools import groupby
from typing import TYPE_CHECKING, Any

from ..events import BinaryPart, TextPart
from ..protocol import frames
from ..protocol.events import content
from ..records import Close, check_speed, read
from ..status import Status
from .conversation import Run, Scripts
from .differing import differences, matches
from .heard import Heard
from .steps import Kind, Step, Steps, hearing

if TYPE_CHECKING:
    from ..ending import Ending
    from ..records import Recorded
    from ..response import Response
    from .line import Line
    from .peer import Talk
    from .steps import Turns

#: Whether a message that was recorded and one that was sent, each a str or bytes, are the same.
Same = Callable[[str | bytes, str | bytes], bool]

_STEPS = Steps()
#: What breaks the protocol, by the code with which that is answered, if not any garbage.
_BROKEN: dict[int | None, bytes] = {
    Status.BAD_DATA: frames.build(frames.TEXT, b"\xff", None),
    Status.MESSAGE_TOO_LARGE: b"\x82\x7f" + (1 << 62).to_bytes(8, "big"),  # a head alone
}
#: Of an answer, what is not another one's too.
_OWN_HEADERS = frozenset(
    {
        "connection", "content-encoding", "content-length", "sec-websocket-accept",
        "sec-websocket-extensions", "sec-websocket-protocol", "transfer-encoding", "upgrade",
    }
)  # fmt: skip


def replay(
    path: str | os.PathLike[str], speed: float | None = None, same: Same | None = None
) -> list[Scripts]:
    """The servers of a record, one for each connection: ``pretend(*replay("feed.jsonl"))``.

    Each says again what was received, and waits for what was sent: messages, and the codes of
    close frames. One that differs fails the test, and so does one more. ``***``, as `redact=` may
    have put it into a text, stands for anything; two texts of JSON are the same if what they say
    is. Pings are answered.

    Arguments:
        path: Of the record.
        speed: None to say things one after the other; 1.0 when they were said, which takes no time
            in a pretend world; 2.0 twice as fast.
        same: Is given a message as it was recorded and as it was sent, where these differ, and
            tells whether they are the same all the same.

    Raises:
        OSError, ValueError: The record can't be read; or the speed is not above 0.

    Example:
        >>> server = Server().says("hello").closes()
        >>> with pretend(server):
        ...     *_, last = WebSocket("wss://example.org", record="feed.jsonl")
        >>> with pretend(*replay("feed.jsonl")):
        ...     print([event.name for event in WebSocket("wss://example.org")][4:])
        ['text', 'closing', 'disconnected']
    """
    check_speed(speed)
    name = os.path.basename(path)
    found: dict[tuple[str, int], list[Recorded]] = {}
    for one in read(path):
        found.setdefault((one.recording, one.connection), []).append(one)
    servers: list[Scripts] = []
    for lines in found.values():
        for part in _parts(list(_whole(lines))):
            servers.append(Replayed(name, part, speed, same))
    return servers


class Replayed(Scripts):
    """One connection of a record as a server.

    Arguments:
        name: The file's.
        lines: Its lines.
        speed, same: As of `replay`.

    Attributes:
        connect_error: In a pretend world, what connecting fails with; None if it does not.
    """

    def __init__(
        self, name: str, lines: list[Recorded], speed: float | None, same: Same | None
    ) -> None:
        response = next((one.value for one in lines if one.op == "response"), None)
        super().__init__(None, None if response is None else _headers(response))
        if response is not None:
            self._protocol = response.get("sec-websocket-protocol")
        self._name = f"{name}:{lines[0].line}"
        self.connect_error = _connect_error(lines)
        self._answers = not any(one.op == "ready" for one in lines)
        self._steps = [
            (f"{name}:{line.line}", step) for line, step in _steps(lines, speed, same or _never)
        ]

    def __repr__(self) -> str:
        return f"the connection of {self._name}"

    def finish(self, world: object = None) -> list[str]:
        """What is left of the record, or of what the program said, in sentences."""
        if not self.runs and self.connect_error is None:
            return [f"nobody connected for {self}"]
        return self._left()

    def _run(self, line: Line) -> Run:
        return Run(line, is_strict=True, answers=self._answers)

    def _converse(self, run: Run) -> Talk:
        places = iter([place for place, _ in self._steps])
        return run.conduct(self._turns(), lambda: next(places))

    def _turns(self) -> Turns:
        for _, step in self._steps:
            yield step


def _whole(lines: list[Recorded]) -> Iterator[Recorded]:
    """The lines with whole messages for parts: each stands where the last part of it did."""
    kept: dict[str, list[Any]] = {}
    for line in lines:
        part = line.value
        if not isinstance(part, TextPart | BinaryPart):
            yield line
            continue
        if part.is_first:
            kept[line.direction] = []
        pieces = kept.setdefault(line.direction, [])
        pieces.append(content(part))
        if part.is_last:
            whole = content(part)[:0].join(pieces)
            yield line._replace(op=line.op.removesuffix("_part"), value=whole)


def _parts(lines: list[Recorded]) -> Iterator[list[Recorded]]:
    """The lines of each stream to a server: an attempt has several where it was sent elsewhere."""
    number = 0
    numbers: list[int] = []
    for line in lines:
        number += line.op == "request"
        numbers.append(max(1, number))
    for _, group in groupby(zip(numbers, lines, strict=True), lambda pair: pair[0]):
        part = [line for _, line in group]
        if any(line.op != "back_off" for line in part):
            yield part


def _steps(
    lines: list[Recorded], speed: float | None, same: Same
) -> Iterator[tuple[Recorded, Step[Any]]]:
    """What a server does that says all this again."""
    before = lines[0].t
    has_ended = False
    for line in lines:
        steps = [] if has_ended else list(_step(line, lines, same))
        says = bool(steps) and steps[0].kind is not Kind.AWAITS
        if speed is not None and says and line.t > before:
            yield line, _STEPS.wait((line.t - before) / speed)
        before = line.t
        for step in steps:
            has_ended = has_ended or step.kind is Kind.ENDS
            yield line, step


def _step(line: Recorded, lines: list[Recorded], same: Same) -> Iterator[Step[Any]]:
    value = line.value
    match line.direction, line.op:
        case "in", "text" | "binary":
            yield _STEPS.say(value)
        case "in", "ping":
            yield _control(frames.PING, value, "says a ping")
        case "in", "close" if not _is_closed(line, lines):
            if isinstance(value, Close):
                yield _STEPS.close(value.code, value.reason)
            else:
                yield _control(frames.CLOSE, value, "says a close frame that is none")
        case "out", "text" | "binary":
            yield _hear(value, same)
        case "out", "close" if not _is_closed(line, lines) and isinstance(value, Close):
            yield from _wrong(value.code, lines)
            yield _STEPS.hear_close(value.code)
        case "in", "response" if value.status_code != 101:
            body, said = value.body, _headers(value)
            yield _STEPS.refuse(value.status_code or 500, body=body, headers=said)
        case "here", "rejected" if value.response is None or value.response.status_code == 101:
            yield _STEPS.wrong_accept()
        case "here", "ending":
            yield from _end(getattr(value, "ending", value), lines)
        case _:
            pass


def _wrong(code: int | None, lines: list[Recorded]) -> Iterator[Step[Any]]:
    """What a server does wrong for which the program closes with that code."""
    for line in lines:
        if line.op == "protocol_error" and line.value.code == code:
            yield _STEPS.garbage(_BROKEN[code]) if code in _BROKEN else _STEPS.garbage()
            return
        ending = getattr(line.value, "ending", line.value)
        if line.op == "ending" and ending.deadline == "frame_timeout":
            yield _STEPS.half_a_frame()


def _end(ending: Ending, lines: list[Recorded]) -> Iterator[Step[Any]]:
    """What a server does with which a connection ends so, beside closing it."""
    ops = {line.op for line in lines}
    if "ready" not in ops:
        if ending.kind == "lost":
            yield _STEPS.cut()
        elif "response" not in ops:
            yield _STEPS.never_answer()
    elif "close" in ops:
        return
    elif ending.kind == "lost":
        is_reset = isinstance(ending.cause, ConnectionResetError)
        yield _STEPS.reset() if is_reset else _STEPS.cut()
    elif ending.kind == "unresponsive":
        yield _STEPS.ignore_pings()
    elif ending.kind == "protocol":
        yield _STEPS.garbage()
    elif ending.deadline == "frame_timeout":
        yield _STEPS.half_a_frame()


def _is_closed(line: Recorded, lines: list[Recorded]) -> bool:
    """Whether a close frame stands before that line."""
    return any(one.op == "close" for one in lines[: lines.index(line)])


def _control(opcode: int, payload: bytes, words: str) -> Step[None]:
    return Step(lambda line: line.say(opcode, payload), Kind.SAYS, words)


def _headers(response: Response) -> dict[str, str]:
    """The headers of an answer that another one may say too."""
    return {name: value for name, value in response.items() if name.lower() not in _OWN_HEADERS}


def _connect_error(lines: list[Recorded]) -> OSError | None:
    """What connecting failed with; None if it did not."""
    if any(line.op in ("connected", "request", "response") for line in lines):
        return None
    for line in lines:
        cause: object = getattr(line.value, "cause", None)
        if isinstance(cause, OSError):
            return cause
    return ConnectionRefusedError(111, "Connection refused")


def _hear(recorded: str | bytes, same: Same) -> Step[Heard]:
    """A step that waits for that message."""
    expected = Heard.of(recorded)

    def difference(heard: Heard) -> str | None:
        if heard == expected:
            return None
        if heard.is_text and isinstance(recorded, str) and matches(recorded, heard.text):
            return None
        if same(recorded, heard.value):
            return None
        return f"the program sent {heard} instead{differences(expected, heard)}"

    return hearing(f"{expected}, as recorded", difference)


def _never(recorded: str | bytes, sent: str | bytes) -> bool:
    return False
