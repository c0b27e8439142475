"""How a message that was sent differs from the one that was recorded."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, cast

from .heard import Heard, cut

_REDACTED = "***"
_MOST = 3  # differences that are told


def matches(recorded: str, sent: str) -> bool:
    """Whether a text says what was recorded, redacted parts and the manner of JSON aside."""
    pattern = ".*".join(re.escape(part) for part in recorded.split(_REDACTED))
    if _REDACTED in recorded and re.fullmatch(pattern, sent, re.DOTALL):
        return True
    pair = _as_json(recorded), _as_json(sent)
    return None not in pair and not list(_parts_that_differ(*pair, ""))


def differences(expected: Heard, heard: Heard) -> str:
    """Where two messages differ, in words."""
    if expected.is_text != heard.is_text:
        return ""
    pair = _as_json(expected.value), _as_json(heard.value)
    if None not in pair:
        found = list(_parts_that_differ(*pair, ""))
        more = [f"{len(found) - _MOST} more"] if len(found) > _MOST else []
        return f" ({'; '.join(found[:_MOST] + more)})"
    both = expected.value, heard.value
    pairs = enumerate(zip(*both, strict=False))
    at = next((number for number, (old, new) in pairs if old != new), min(map(len, both)))
    unit = "character" if heard.is_text else "byte"
    return f" (from {unit} {at} on {cut(both[1][at:])}, not {cut(both[0][at:])})"


def _as_json(message: str | bytes) -> Any:
    """What a text says as JSON, if that is an object or a list; else None."""
    from json import loads

    try:
        value: object = loads(message)
    except ValueError:
        return None
    return cast("Any", value) if isinstance(value, (dict, list)) else None


def _parts_that_differ(recorded: Any, sent: Any, where: str) -> Iterator[str]:
    """Where two values of JSON differ, in words."""
    if isinstance(recorded, dict) and isinstance(sent, dict):
        names = [*cast("Any", recorded), *(n for n in cast("Any", sent) if n not in recorded)]
        parts: list[Any] = [[name, cast("Any", recorded), cast("Any", sent)] for name in names]
        for name, old, new in parts:
            place = f"{where}[{name!r}]"
            if name not in new:
                yield f"{place} is missing, which was {cut(old[name])}"
            elif name not in old:
                yield f"{place} is {cut(new[name])}, which was not there"
            else:
                yield from _parts_that_differ(old[name], new[name], place)
    elif isinstance(recorded, list) and isinstance(sent, list):
        pairs = list(zip(cast("Any", recorded), cast("Any", sent), strict=False))
        for number, (old, new) in enumerate(pairs):
            yield from _parts_that_differ(old, new, f"{where}[{number}]")
        lengths = len(cast("Any", recorded)), len(cast("Any", sent))
        if lengths[0] != lengths[1]:
            yield f"{where or 'the list'} has {lengths[1]} items, not {lengths[0]}"
    elif recorded != sent and not (isinstance(recorded, str) and _REDACTED in recorded):
        yield f"{where or 'it'} is {cut(sent)}, not {cut(cast('object', recorded))}"
