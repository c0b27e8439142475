"""What is said of an attribute that an event has not, and others have."""

from __future__ import annotations

from typing import Any

#: The events, which events.py fills in.
KINDS: list[Any] = []


def absent(event: object, name: str) -> AttributeError:
    """The error of whoever asks an event for an attribute of others."""
    kind = type(event)
    owners = [other.name for other in KINDS if name in _attributes(other)]
    if not owners:
        said = f"{kind.__name__!r} object has no attribute {name!r}"
        return AttributeError(said, name=name, obj=event)
    which = owners[-1] if len(owners) == 1 else f"{', '.join(owners[:-1])} and {owners[-1]}"
    has = "has" if len(owners) == 1 else "have"
    own = getattr(kind, "name", kind.__name__)
    return AttributeError(f"this is {own}; only {which} {has} .{name}: look at event.name first")


def _attributes(kind: Any) -> tuple[str, ...]:
    return (*kind.__match_args__, *kind._details, *kind._derived)  # for this


class Absent:
    """Stands in a class for an attribute of other events.

    For those events that come often: a ``__getattr__`` would make all their attributes slower.

    Arguments:
        name: Of the attribute.
    """

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, event: object, kind: type) -> Any:
        raise absent(kind if event is None else event, self._name)
