"""Records: all that connections say and hear, as JSON Lines; and the same events again, from those.

``WebSocket(url, record="feed.jsonl")`` writes one. docs/reference/record-format.md has the format.
"""

from __future__ import annotations

import json
import os
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from math import inf
from typing import TYPE_CHECKING, Any, cast

from .checks import as_number
from .constants import __version__
from .events import AnyEvent
from .io.posting import Bell
from .recorded import LAST, VERSION, Close, Context, Recorded, event_of, value_of
from .recording import Recorder
from .system.clock import monotonic

if TYPE_CHECKING:
    Path = str | os.PathLike[str]

__all__ = ["VERSION", "Close", "Recorded", "Recorder", "read", "replay"]


def read(path: Path) -> Generator[Recorded, None, None]:
    """The lines of a record, one after the other.

    A last line that is cut is left out, as is that at which a recording was cut before another one
    began in the same file.

    Arguments:
        path: Of the record.

    Yields:
        What each line says.

    Raises:
        OSError: It can't be read.
        ValueError: It is of a newer version, or a line is none of a record's; the message says
            which one.

    Example:
        >>> from lomond import WebSocket
        >>> for event in WebSocket("wss://example.org", record="feed.jsonl"):
        ...     pass
        >>> [line.value for line in read("feed.jsonl") if line.op == "text"]
        ['hello']
    """
    with open(path, "rb") as file:
        for recorded, _ in _read(file, os.fspath(path)):
            yield recorded


def replay(
    path: Path, speed: float | None = None, *, connection: int | None = None
) -> Generator[AnyEvent, None, None]:
    """The events that the loop got when a record was written.

    They come in the order of the record: several connections at a time as they came, one recording
    of a file after the other. `received_time` is as it was. Poll is not recorded, nor what the
    program posts. What answered a message sent with `reply=` or `ask` is a Text or a Binary here,
    as it came. Secrets are ``***`` where they were recorded so.

    Arguments:
        path: Of the record.
        speed: None for one after the other, at once; 1.0 for when they came, 2.0 for twice as fast.
            The time that the program takes meanwhile is no further delay. Blocks this thread.
        connection: The number of the one whose events are wanted; None for all.

    Raises:
        OSError, ValueError: As of `read`, at the event that can't be told.
        ValueError: The speed is not above 0.

    Example:
        >>> from lomond import WebSocket
        >>> for event in WebSocket("wss://example.org", record="feed.jsonl"):
        ...     pass
        >>> [event.text for event in replay("feed.jsonl") if event.name == "text"]
        ['hello']
    """
    check_speed(speed)
    return _replayed(path, speed, connection)


def check_speed(speed: object) -> None:
    """Raise TypeError or ValueError unless it is a speed of a replay."""
    if speed is None:
        return
    hint = "like 1.0, or None for at once"
    if not 0 < as_number("speed", speed, f"a number, {hint}") < inf:
        raise ValueError(f"speed must be above 0, {hint}, not {speed!r}")


def events_of(
    lines: Iterable[bytes], name: str, speed: float | None, connection: int | None = None
) -> Generator[tuple[Recorded, AnyEvent], None, None]:
    """The events of a record whose lines are given, each with what its line says.

    Arguments:
        lines: Are asked for one at a time, when it is wanted.
        name: Where they come from, for errors.
        speed, connection: As of `replay`.
    """
    began: dict[str, float] = {}
    for recorded, has_closed in _read(lines, name):
        if connection not in (None, recorded.connection):
            continue
        event = event_of(recorded, has_closed)
        if event is None:
            continue
        if speed is not None:
            after = recorded.t / speed
            _wait_until(began.setdefault(recorded.recording, monotonic() - after) + after)
        yield recorded, event


def _replayed(
    path: Path, speed: float | None, connection: int | None
) -> Generator[AnyEvent, None, None]:
    with open(path, "rb") as file:
        for _, event in events_of(file, os.fspath(path), speed, connection):
            yield event


def _wait_until(moment: float) -> None:
    while (left := moment - monotonic()) > 0:
        Bell().wait(left)


def _read(lines: Iterable[bytes], name: str) -> Iterator[tuple[Recorded, bool]]:
    """Each line, and whether this side's close frame stands before it."""
    contexts: dict[tuple[str, int], Context] = {}
    recordings: set[str] = set()
    cut: ValueError | None = None
    raw = b""
    for number, raw in enumerate(lines, 1):
        if not raw.strip():
            continue
        place = f"{name}:{number}"
        try:
            line = _parsed(raw, place)
        except ValueError as error:
            if cut is not None:
                raise cut from None
            cut = error
            continue
        recording = str(line.get("r", ""))
        if cut is not None and recording in recordings:
            raise cut
        cut = None
        _check_version(line, place)
        recordings.add(recording)
        with _told_of(place):
            key = recording, line["c"]
            context = contexts.setdefault(key, Context())
            recorded = _typed(number, recording, line, context)
        yield recorded, context.has_closed
        if recorded.op in LAST:
            del contexts[key]
    if cut is not None and raw.endswith(b"\n"):
        raise cut


def _parsed(raw: bytes, place: str) -> dict[str, Any]:
    """What a line says. Raises ValueError where it is not the JSON of an object."""
    with _told_of(place):
        line: object = json.loads(raw)
        if isinstance(line, dict):
            return cast("dict[str, Any]", line)
        raise TypeError("it is no object")


def _check_version(line: dict[str, Any], place: str) -> None:
    if "v" not in line:
        raise ValueError(f"{place} is no line of a record: it has no 'v'")
    version = line["v"]
    if type(version) is int and version > VERSION:
        raise ValueError(
            f"{place} is of version {version} of the format; lomond {__version__} reads records up "
            f"to version {VERSION}: read it with a newer one"
        )
    if type(version) is not int or version != VERSION:
        raise ValueError(f"{place} is no line of a record: its version is {version!r}")


def _typed(number: int, recording: str, line: dict[str, Any], context: Context) -> Recorded:
    direction, op = str(line["dir"]), str(line["op"])
    value = value_of(op, direction, line, context)
    moment, wall = float(line["t"]), float(line["wall"])
    return Recorded(number, recording, int(line["c"]), moment, wall, direction, op, value)


@contextmanager
def _told_of(place: str) -> Generator[None, None, None]:
    """Say of which line it is that it can't be read."""
    try:
        yield
    except KeyError as error:
        raise ValueError(f"{place} is no line of a record: it has no {error}") from None
    except (TypeError, ValueError, AttributeError, RecursionError) as error:
        raise ValueError(f"{place} is no line of a record: {error}") from None
