"""Events and values as plain ones that can be compared, without the moment at which they came."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from lomond.compression import Compression
from lomond.ending import Ending
from lomond.errors import portable
from lomond.events import Event
from lomond.recorded import Recorded
from lomond.response import Response
from lomond.timings import Timings

#: What counts on while a connection lasts.
_COUNTS = frozenset({"first_message", "sent_raw", "sent_compressed", "received_raw",
                     "received_compressed"})  # fmt: skip


def alike(value: object, *, is_over: bool = True) -> Any:
    """What can be compared of a value, as it is now: what changes later does not change that.

    Arguments:
        value: Which.
        is_over: Whether nothing counts on in it.
    """

    def again(part: object) -> Any:
        return alike(part, is_over=is_over)

    match value:
        case Event():
            said = value.__reduce__()[1]
            kind, places, details = cast("tuple[type, tuple[object, ...], dict[str, object]]", said)
            rest = {name: part for name, part in details.items() if name != "received_time"}
            return [kind.__name__, again(places), again(rest)]
        case Response():
            return ["Response", value.raw, value.body]
        case BaseException():
            name, args = portable(value)
            return ["cause", name, [again(arg) for arg in args]]
        case Ending():
            return ["Ending", {name: again(getattr(value, name)) for name in value.__match_args__}]
        case Timings() | Compression():
            names = [name for name in value.__slots__ if is_over or name not in _COUNTS]
            return {name: again(getattr(value, name)) for name in names}
        case dict():
            parts = cast("dict[str, object]", value)
            return {name: again(part) for name, part in parts.items()}
        case list() | tuple():
            return [again(part) for part in cast("Iterable[object]", value)]
        case _:
            return value


def lines_alike(lines: Iterable[Recorded]) -> list[Any]:
    """What lines of a record tell: directions, ops and values."""
    return [[line.direction, line.op, alike(line.value)] for line in lines]
