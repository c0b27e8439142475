"""The base of values that do not change."""

# pyright: reportPrivateUsage=false
# A field knows where its value keeps it.

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


def putter(owner: object) -> Callable[[str, object], None]:
    """What sets attributes of an object whose own `__setattr__` does more, or refuses."""
    # Bound once: `object.__setattr__(owner, name, value)` makes three tuples for each.
    put: Callable[[str, object], None] = object.__setattr__.__get__(owner)
    return put


class Fixed:
    """Base of values that do not change; `__match_args__` names their fields in order."""

    __slots__ = ()
    __match_args__: tuple[str, ...] = ()

    def _set(self, **fields: object) -> None:
        put = putter(self)
        for name, value in fields.items():
            put(name, value)

    def _fields(self) -> tuple[object, ...]:
        return tuple(getattr(self, name) for name in self.__match_args__)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} can't be changed ({name}); make another")

    def __repr__(self) -> str:
        fields = zip(self.__match_args__, self._fields(), strict=True)
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in fields)})"

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self._fields() == other._fields()

    def __hash__(self) -> int:
        return hash((type(self), *self._fields()))

    def __reduce__(self) -> tuple[object, ...]:
        return (type(self), self._fields())


class Account(Fixed):
    """Base of those that are made for each connection, and of which few fields are looked at.

    Its subclasses keep all of them as one tuple: to set each costs more than what they are made of.
    """

    __slots__ = ("_values",)
    _values: tuple[Any, ...]

    def __init_subclass__(cls, **arguments: Any) -> None:
        super().__init_subclass__(**arguments)
        if Account in cls.__bases__:  # else the fields are that one's
            for number, name in enumerate(cls.__match_args__):
                setattr(cls, name, _Field(number))

    def _set_all(self, values: tuple[object, ...]) -> None:
        """Set all fields, in their order."""
        object.__setattr__(self, "_values", values)


class _Field:
    """A field of such a value."""

    __slots__ = ("_number",)

    def __init__(self, number: int) -> None:
        self._number = number

    def __get__(self, account: Account | None, owner: object) -> object:
        return self if account is None else account._values[self._number]

    def __set__(self, account: Account, value: object) -> None:
        raise AttributeError("it does not change")  # Fixed says so before, and of what
