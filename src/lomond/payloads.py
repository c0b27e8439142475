"""Values in and out: what a program gives to send, as bytes or text; JSON both ways.

What can't be sent is refused with what to write instead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Any, NoReturn, cast

from .response import printable

_REPR_ITEMS = 24
_MOST_KEYS = 8  # of an object, that are named

Dumps = Callable[[Any], str | bytes]
Loads = Callable[[str], Any]


def cut(value: str | bytes, unit: str) -> str:
    """The beginning of a text or of bytes as Python writes it, and how much more there is."""
    rest = len(value) - _REPR_ITEMS
    return repr(value) if rest <= 0 else f"{value[:_REPR_ITEMS]!r} + {rest} {unit}"


def shown(value: object) -> str:
    """A value and its type, cut."""
    if isinstance(value, str):
        said = cut(value, "chars")
    elif isinstance(value, bytes):
        said = cut(value, "bytes")
    else:
        said = repr(value)
        said = said if len(said) <= 3 * _REPR_ITEMS else f"{said[: 3 * _REPR_ITEMS]}..."
    return f"{type(value).__name__} ({said})"


# Bytes and text


def as_bytes(data: object) -> bytes:
    """The bytes of what is bytes-like. A copy: it may change at once, and nothing keeps it.

    Raises:
        TypeError: It is not bytes-like.
        ValueError: Its bytes do not lie in one piece.
    """
    if isinstance(data, bytes):
        return data
    try:
        view = memoryview(data)  # type: ignore[arg-type]  # that is the question
    except TypeError:
        said = f"data argument must be bytes or bytes-like, not {shown(data)}"
        raise TypeError(f"{said}{_instead_of_bytes(data)}") from None
    with view:
        if not view.c_contiguous:
            raise ValueError(
                "data argument must have its bytes in one piece; write send_binary(data.tobytes())"
            )
        return view.tobytes()


def _instead_of_bytes(data: object) -> str:
    if isinstance(data, str):
        return "; write send_text(text), or data.encode()"
    if isinstance(data, dict):
        return "; write send_json(data) for JSON"
    if isinstance(data, (list, tuple)):
        return "; write bytes(data), or send_json(data) for JSON"
    return ""


def refuse_text(text: object) -> NoReturn:
    """Raise TypeError: it is no str."""
    if isinstance(text, (bytes, bytearray, memoryview)):
        said = shown(cast("object", text))
        raise TypeError(
            f"text argument must not be {said}; write send_text(data.decode()), or "
            "send_binary(data). JSON that a library gives as bytes: WebSocket(url, dumps=...) and "
            "send_json(obj)"
        )
    said = f"text argument must be str, not {shown(text)}"
    if isinstance(text, (dict, list, tuple)):
        raise TypeError(f"{said}; write send_json(obj)")
    raise TypeError(said if text is None else f"{said}; write str(value), or send_json(obj)")


def as_message(value: object, dumps: Dumps | None) -> tuple[bool, bytes]:
    """Whether what a program gave is to be sent as a text, and its bytes; dicts and lists as JSON.

    Arguments:
        value: What it gave.
        dumps: Of the program's; None for json's.

    Raises:
        TypeError, ValueError: It can't be sent.
    """
    if isinstance(value, str):
        return True, value.encode()
    if isinstance(value, (dict, list)):
        return True, write_json(cast("object", value), dumps).encode()
    try:
        return False, as_bytes(value)
    except TypeError:
        raise TypeError(
            f"a message must be a str, bytes-like, or a dict or a list for JSON, not {shown(value)}"
        ) from None


def named(message: object, size: int) -> str:
    """What may be said of a message, which may be a password.

    Arguments:
        message: As the program gave it.
        size: Of its payload, bytes.
    """
    if isinstance(message, dict):
        keys: list[object] = list(cast("dict[object, object]", message))
        more = ", ..." if len(keys) > _MOST_KEYS else ""
        said = ", ".join(printable(str(key)) for key in keys[:_MOST_KEYS])
        return f"an object with {said}{more}"
    kind = "a text" if isinstance(message, str) else "a binary"
    return f"{'a list' if isinstance(message, list) else kind} of {size} bytes"


# JSON out


@cache
def _encode() -> Callable[[Any], str]:
    import json  # which few programs need, and `import lomond` does not

    return json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


def write_json(value: Any, dumps: Dumps | None) -> str:
    """The JSON text of a value, which UTF-8 can say.

    Arguments:
        value: Of what.
        dumps: Of the program's; None for json's, compact.

    Raises:
        TypeError, ValueError: It can't be written.
    """
    if dumps is None:
        return _written(value)
    said = dumps(value)
    if isinstance(said, str):
        return said
    if not isinstance(said, bytes):
        raise TypeError(f"dumps= gave {shown(said)}; it must give the JSON as str or bytes")
    try:
        return said.decode()
    except UnicodeDecodeError:
        raise ValueError(
            f"dumps= gave bytes that are no UTF-8 ({cut(said, 'bytes')}); what is no JSON goes by "
            "send_binary"
        ) from None


def _written(value: Any) -> str:
    try:
        text = _encode()(value)
    except ValueError as error:
        if (found := next(_strangers(value, "", set()), None)) is None:
            raise
        number, where = found
        raise ValueError(
            f"JSON has no {number!r}{where}; send None for it, or let "
            "WebSocket(url, dumps=json.dumps) write it"
        ) from error
    except TypeError as error:
        raise TypeError(
            f"{error}; send what JSON can say, or give "
            "WebSocket(url, dumps=functools.partial(json.dumps, default=str)) or the like"
        ) from error
    if text.isascii():
        return text
    # Half of a surrogate pair, which can only stand in a string of the JSON: so that writes it.
    return text.encode("utf-8", "backslashreplace").decode()


def _strangers(value: Any, where: str, above: set[int]) -> Iterator[tuple[float, str]]:
    """The numbers that JSON has not, and in words where each is."""
    if isinstance(value, float):
        if value - value != 0:
            yield value, f", which is at {where}" if where else ""
        return
    if not isinstance(value, (dict, list, tuple)):
        return
    whole: Any = cast("Any", value)
    if id(whole) in above:
        return
    within = above | {id(whole)}
    for name, part in _parts(whole):
        if isinstance(name, float) and name - name != 0:
            yield name, ", which is a key"
        yield from _strangers(part, f"{where}[{name!r}]", within)


def _parts(whole: Any) -> Iterable[tuple[Any, Any]]:
    return whole.items() if hasattr(whole, "items") else enumerate(cast("list[Any]", whole))


# JSON in


def read_json(text: str, loads: Loads | None) -> Any:
    """The value of a JSON text.

    Arguments:
        text: Of what.
        loads: Of the program's; None for json's.

    Raises:
        json.JSONDecodeError: It is no JSON; what a `loads` of the program's raises has a note.
    """
    if loads is None:
        import json

        try:
            return json.loads(text)
        except json.JSONDecodeError as error:
            said = f"{error.msg} in the text {cut(text, 'chars')}"
            raise json.JSONDecodeError(said, error.doc, error.pos) from None
    try:
        return loads(text)
    except Exception as error:
        error.add_note(f"loads= was given the text {cut(text, 'chars')}")
        raise
