"""What users may give: each check raises with a message that names the option and the fix.

Those for TLS and sockets are in `system/socket_checks.py`.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from .url import shown_url

if TYPE_CHECKING:
    from .rows import Row

# Scheme, host and perhaps a port: nothing of a path, query, fragment or user.
# (Compiled when it is needed, as few programs do.)
_ORIGIN = r"[A-Za-z][A-Za-z0-9+.-]*://[^\x00-\x20/?#@\\\x7f-\U0010ffff]+"
_COROUTINE = 0x80  # of a code's flags, as inspect.CO_COROUTINE, whose module is a large one


def seconds(one: Row, value: Any) -> Any:
    """A check: a time span."""
    check_seconds(one.name, value, none=one.none, zero=one.zero)
    return value


def count(one: Row, value: Any) -> Any:
    """A check: a whole number from 1."""
    check_count(one.name, value, none=one.none)
    return value


def whole(one: Row, value: Any) -> Any:
    """A check: a whole number within the row's bounds, or None where that means something."""
    if value is not None or not one.none:
        check_range(one.name, value, one.least, one.most)
    return value


def flag(one: Row, value: Any) -> Any:
    """A check: a bool."""
    check_flag(one.name, value)
    return value


def check_flag(name: str, value: object) -> None:
    """Raise unless the value is a bool."""
    if not isinstance(value, bool):
        raise TypeError(f"{name} must be True or False, not {value!r}")


def is_coroutine_function(value: Any) -> bool:
    """Whether what it gives is to be awaited, as far as that can be told before it is called."""
    while isinstance(value, partial):
        value = value.func
    if not hasattr(value, "__code__"):
        kind = type(value)  # pyright: ignore[reportUnknownVariableType]  # of anything
        value = getattr(kind, "__call__", None)  # noqa: B004  # pyright: ignore
    return bool(getattr(getattr(value, "__code__", None), "co_flags", 0) & _COROUTINE)


def check_range(name: str, value: object, least: int, most: int) -> None:
    """Raise unless the value is a whole number in the range."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name} must be a whole number, not {value!r}")
    if not least <= value <= most:
        span = f"{least} or more" if most == sys.maxsize else f"from {least} to {most}"
        raise ValueError(f"{name} must be {span}, not {value!r}")


def check_seconds(name: str, value: object, *, none: str = "", zero: bool = True) -> None:
    """Raise unless the value is a time span in seconds (or None, where `none` says its meaning)."""
    if value is None and none:
        return
    hint = f", or None for {none}" if none else ""
    value = as_number(name, value, f"a number of seconds{hint}")
    if not 0 <= value <= sys.float_info.max or (value == 0 and not zero):  # nan fails too
        least = "0 or more" if zero else "more than 0"
        raise ValueError(f"{name} must be {least} seconds{hint}, not {value!r}")


def as_number(name: str, value: object, kind: str = "a number") -> int | float:
    """The value. Raises TypeError unless it is a number; `kind` says which."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{name} must be {kind}, not {value!r}")
    return value


def check_count(name: str, value: object, *, none: str = "") -> None:
    """Raise unless the value is a whole number from 1 (or None, where `none` says its meaning)."""
    if value is None and none:
        return
    hint = f", or None for {none}" if none else ""
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name} must be a whole number{hint}, not {value!r}")
    if value < 1:
        raise ValueError(f"{name} must be 1 or more{hint}, not {value!r}")


def encoded_headers(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    """Header names and values as bytes; raises unless it is a mapping of str to str."""
    if not isinstance(headers, Mapping):
        raise TypeError(f"headers must be a mapping of str to str, not {type(headers).__name__}")
    for name, value in headers.items():
        if not isinstance(name, str) or not isinstance(value, str):
            raise TypeError(f"headers must map str to str; look at the value of {name!r}")
    return [
        (_encoded(f"header {name!r}", name), _encoded(f"value of header {name!r}", value))
        for name, value in headers.items()
    ]


def check_origin(origin: object) -> None:
    """Raise unless it is None or an origin as RFC 6454 section 6.2 writes it."""
    if origin is None:
        return
    if not isinstance(origin, str):
        raise TypeError(f"origin must be a str, like 'https://example.org', not {origin!r}")
    if origin != "null" and not re.fullmatch(_ORIGIN, origin):
        raise ValueError(
            f"origin must be scheme and host, like 'https://example.org', not {shown_url(origin)!r}"
        )


def encoded_agent(agent: str) -> bytes:
    """The value of User-Agent as bytes. Raises TypeError or ValueError."""
    if not isinstance(agent, str):
        raise TypeError(f"agent must be a str, not {agent!r}")
    return _encoded("agent", agent)


def _encoded(what: str, text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        shown = text[error.start]
        raise ValueError(f"{what} can't be written as UTF-8; remove {shown!r}") from None
