"""What an option is: one row, which gives its check, its messages, its signature and its page.

A class whose attributes are rows is a table: type checkers take them for keywords, as those of a
dataclass, and for attributes. Knows none of the options, but where tables of them are.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from importlib import import_module
from types import FunctionType
from typing import Any, Final, TypeVar, dataclass_transform

Kind = TypeVar("Kind", bound=type)
Function = TypeVar("Function", bound=Callable[..., Any])

#: Stands in docstrings for what the rows say; who reads the source sees this.
MARK = "Options: as docs/reference/options.md has them."
_WIDTH = 96  # of a docstring's lines
_MISSING: Any = object()

#: What has arguments (like "connect()") -> its rows; the first that has a name owns it.
OWNERS: dict[str, dict[str, Row]] = {}
#: Where tables are: imported before anybody is told where an argument belongs.
_HOMES: Final = ("options", "settable", "persisting")
_ROWS: dict[Any, dict[str, Row]] = {}  # of each table, its own


class Row:
    """An option.

    Attributes:
        name: Its name, as a keyword and as an attribute.
        annotation: Its type, as it is written.
        check: Is given the row and a value; gives what is kept, or raises.
        default: What holds if it is not given.
        unit: ``"s"`` or ``"bytes"``, or "" for what is none or speaks for itself.
        none: What None means, for people; "" if it can't be None.
        zero: Whether 0 is allowed, of seconds.
        least, most: The bounds of a whole number.
        given: The type of what may be given, where `annotation` says what is kept.
        doc: What it means; the first sentence stands by itself.
        then: Of a limit or a time-out: what happens where it is reached, for people; else "".
        group: Under which heading people find it.
        also: What other libraries call it, for whoever writes that.
        kw_only: Whether it may only be given by its name.
    """

    __slots__ = (
        "also", "annotation", "check", "default", "doc", "given", "group", "kw_only", "least",
        "most", "name", "none", "then", "unit", "zero",
    )  # fmt: skip

    def __init__(self, **fields: Any) -> None:
        for name, value in fields.items():
            setattr(self, name, value)
        self.name = self.annotation = ""

    name: str
    annotation: str
    check: Callable[[Row, Any], Any]
    default: Any
    unit: str
    none: str
    zero: bool
    least: int
    most: int
    given: str
    doc: str
    then: str
    group: str
    also: tuple[str, ...]
    kw_only: bool

    def but(self, default: Any) -> Row:
        """A row like this with another default."""
        other = Row(**{name: getattr(self, name) for name in self.__slots__})
        other.name, other.annotation, other.default = self.name, self.annotation, default
        return other

    @property
    def is_required(self) -> bool:
        """Whether it must be given."""
        return self.default is _MISSING

    def described(self) -> str:
        """What it means, for people: with unit, default, and the meaning of None."""
        if self.is_required:
            return self.doc
        said = [] if self.default is None or self.default == () else [shown(self)]
        if self.none:
            said.append(f"None for {self.none}")
        if not said:
            return self.doc
        first, dot, rest = self.doc.partition(". ")
        return f"{first.removesuffix('.')} ({'; '.join(said)}).{dot[1:]}{rest}"


def anything(_: Row, value: Any) -> Any:
    """A check that nothing fails."""
    return value


def row(
    *,
    default: Any = _MISSING,
    check: Callable[[Row, Any], Any] = anything,
    unit: str = "",
    none: str = "",
    zero: bool = True,
    least: int = 0,
    most: int = sys.maxsize,
    given: str = "",
    doc: str,
    then: str = "",
    group: str = "",
    also: tuple[str, ...] = (),
    kw_only: bool = True,
) -> Any:
    """An option of the table in whose class it stands; see `Row`."""
    return Row(
        check=check, default=default, unit=unit, none=none, zero=zero, least=least, most=most,
        given=given, doc=doc, then=then, group=group, also=also, kw_only=kw_only,
    )  # fmt: skip


@cache
def rows_of(table: type[Any]) -> dict[str, Row]:
    """The rows of a table, those of the tables that it is made of included."""
    found: dict[str, Row] = {}
    kinds: tuple[object, ...] = table.__mro__
    for kind in reversed(kinds):
        found |= _ROWS.get(kind, {})
    return found


@dataclass_transform(kw_only_default=True, eq_default=False, field_specifiers=(row,))
def table(*, owner: str = "", group: str = "", frozen: bool = False) -> Callable[[Kind], Kind]:
    """Make a class of rows a table: name them, and keep them out of the way of attributes.

    Arguments:
        owner: What has these arguments, like ``"connect()"``.
        group: The heading of rows that name none.
        frozen: Whether the attributes can't be set; for type checkers.
    """

    def make(kind: Kind) -> Kind:
        rows: dict[str, Row] = {}
        for name, annotation in kind.__annotations__.items():
            rows[name] = one = vars(kind)[name]
            one.name, one.annotation, one.group = name, annotation, one.group or group
            delattr(kind, name)
        _ROWS[kind] = rows
        if owner:
            OWNERS.setdefault(owner, {}).update(rows_of(kind))
        return kind

    return make


def with_defaults(rows: Mapping[str, Row], **defaults: Any) -> dict[str, Row]:
    """The rows of a function where the defaults of some are others."""
    return {n: one.but(defaults[n]) if n in defaults else one for n, one in rows.items()}


# What is given


def bound(
    function: str, rows: Mapping[str, Row], values: tuple[Any, ...], named: dict[str, Any]
) -> dict[str, Any]:
    """What is asked for by name, of positional and named arguments; nothing is checked but that.

    Arguments:
        function: For the message.
        rows: What there is.
        values: Positional arguments.
        named: The others; values are added.

    Raises:
        TypeError: There is no such argument, one is missing, or given twice, or too many are.
    """
    if values:
        names = iter(rows.items())  # those that may be given by their place come first
        for value in values:
            name, one = next(names, ("", None))
            if one is None or one.kw_only:
                places = ", ".join(name for name, one in rows.items() if not one.kw_only)
                raise TypeError(
                    f"{function} was given {len(values)} positional arguments; {places}; all "
                    "others are given by name"
                )
            if name in named:
                raise TypeError(f"{function} was given {name} twice")
            named[name] = value
    if not named.keys() <= rows.keys():
        raise no_such(function, named.keys() - rows.keys(), rows)
    return named


def checked(rows: Mapping[str, Row], asked: Mapping[str, Any]) -> dict[str, Any]:
    """What is kept of what is asked for. Raises what the checks do."""
    kept: dict[str, Any] = {}
    for name, value in asked.items():
        one = rows[name]
        kept[name] = one.check(one, value)
    return kept


def no_such(function: str, names: Iterable[str], own: Mapping[str, Row]) -> TypeError:
    """The error that says what was meant, and where it belongs.

    Arguments:
        function: What was called, like ``"connect()"``.
        names: What it has no argument for.
        own: What it has.
    """
    for home in _HOMES:
        import_module(f".{home}", __package__)
    return TypeError("; ".join(_no_such(function, name, own) for name in sorted(names)))


def _no_such(function: str, name: str, own: Mapping[str, Row]) -> str:
    said = f"{function} has no argument {name}"
    for owner, rows in OWNERS.items():
        if name in rows:
            return f"{said}; it belongs to {owner}"
    every = {**own}
    for rows in OWNERS.values():
        every |= rows
    meant = nearest(name, every)
    if meant is None:
        return said
    if meant in own:
        return f"{said}: did you mean {meant}?"
    owner = next(owner for owner, rows in OWNERS.items() if meant in rows)
    return f"{said}: did you mean {meant}? It belongs to {owner}"


def nearest(name: str, rows: Mapping[str, Row]) -> str | None:
    """The option that somebody means who writes this name; None if none is near."""
    for meant, one in rows.items():
        if name in one.also:
            return meant
    from difflib import get_close_matches

    return next(iter(get_close_matches(name, rows, 1, 0.75)), None)


# What is shown


def _nothing() -> None:
    raise NotImplementedError  # only its signature is asked for


_SHOWN: Final[FunctionType] = _nothing  # type: ignore[assignment]  # one at its kind


def signed(
    function: Function,
    rows: Mapping[str, Row],
    before: tuple[str, ...] = ("self",),
    places: int = 0,
) -> Function:
    """The function, with the signature and the documentation that the rows give.

    `inspect.signature` follows `__wrapped__`; to make a Signature here would take its module, which
    is a large one, into every program.

    Arguments:
        function: Takes ``*values`` and ``**named``; in its docstring stands `MARK` where the rows
            are to be described.
        rows: Its arguments.
        before: Those in front of them.
        places: How many may be given by their place here, beside those whose rows say so.
    """
    own: Any = function
    by_place = [n for at, (n, one) in enumerate(rows.items()) if at < places or not one.kw_only]
    by_name = [name for name in rows if name not in by_place]
    given = {name: one.default for name, one in rows.items() if not one.is_required}
    order = (*before, *by_place, *by_name)
    plain = _SHOWN.__code__
    code = plain.replace(
        co_argcount=len(before) + len(by_place),
        co_kwonlyargcount=len(by_name),
        co_varnames=order,
        co_nlocals=len(order),
        co_name=own.__name__,
        co_filename=own.__code__.co_filename,
        co_firstlineno=own.__code__.co_firstlineno,
    )
    shown_as = FunctionType(code, {}, own.__name__)
    shown_as.__defaults__ = tuple(given[name] for name in by_place if name in given)
    shown_as.__kwdefaults__ = {name: given[name] for name in by_name if name in given}
    annotations = {name: own.__annotations__.get(name) for name in before}
    annotations |= {name: one.given or one.annotation for name, one in rows.items()}
    annotations["return"] = own.__annotations__.get("return")
    shown_as.__annotations__ = {name: said for name, said in annotations.items() if said}
    own.__wrapped__ = shown_as
    if own.__doc__:
        own.__doc__ = documented(own.__doc__, rows)
    return function


def document(kind: type, rows: Mapping[str, Row]) -> None:
    """Have the docstring of a class describe the rows, where `MARK` stands in it."""
    if kind.__doc__:
        kind.__doc__ = documented(kind.__doc__, rows)


def documented(text: str, rows: Mapping[str, Row]) -> str:
    """The docstring, with the rows in the place of `MARK`: with the headings of their groups,
    unless they stand under one of the docstring's own."""
    before, _, after = text.partition(MARK)
    margin = before[before.rindex("\n") + 1 :]
    lines = _lines(rows, margin, has_heading=not before.removesuffix(margin).endswith("\n\n"))
    return before.removesuffix(margin) + "\n".join(lines) + after


def _lines(rows: Mapping[str, Row], margin: str, *, has_heading: bool) -> Iterator[str]:
    if has_heading:
        for name, one in rows.items():
            yield from _wrapped(f"{name}: {one.described()}", margin)
        return
    for number, group in enumerate(dict.fromkeys(one.group for one in rows.values())):
        if number:
            yield ""
        yield f"{margin}{group}:"
        yield from _lines(
            {name: one for name, one in rows.items() if one.group == group},
            f"{margin}    ",
            has_heading=True,
        )


def _wrapped(text: str, margin: str) -> Iterator[str]:
    line = margin
    for word in text.split():
        if len(line) + len(word) >= _WIDTH and line != margin:
            yield line
            line = margin + "   "
        line += word if line == margin else f" {word}"
    yield line


def shown(one: Row) -> str:
    """The default of an option, for people."""
    value = one.default
    if one.unit == "bytes" and value is not None:
        for size, unit in ((1 << 20, "MiB"), (1 << 10, "KiB")):
            if (value and value % size == 0 and value >= 4 * size) or value == size:
                return f"{value // size} {unit}"
        return f"{value} bytes"
    return f"{value:g} s" if one.unit == "s" and value is not None else repr(value)
