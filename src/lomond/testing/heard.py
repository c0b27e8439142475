"""What a scripted server has heard of the program: its request, its messages, and how they differ.

Whatever is not what a script expects is said as an AssertionError: it fails the test.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, cast

_LONGEST = 200  # characters, of a message that is shown


class Heard(NamedTuple):
    """A message of the program.

    Attributes:
        is_text: Whether it is a text.
        data: Its bytes.

    Example:
        >>> def talk(peer):
        ...     heard = yield peer.hear()
        ...     print(heard, heard.is_text)
        ...     yield peer.close()
        >>> websocket = WebSocket("wss://example.org")
        >>> with pretend(talk):
        ...     for event in websocket:
        ...         if event.name == "ready":
        ...             websocket.send_binary(b"data")
        the binary b'data' False
    """

    is_text: bool
    data: bytes

    @classmethod
    def of(cls, value: str | bytes) -> Heard:
        """The message that a program sends with this.

        Arguments:
            value: A str for a text, bytes for a binary.

        Example:
            >>> Heard.of("hello").data, Heard.of(b"data").is_text
            (b'hello', False)
        """
        return cls(True, value.encode()) if isinstance(value, str) else cls(False, value)

    @property
    def name(self) -> str:
        """The kind of message: ``"text"`` or ``"binary"``.

        Example:
            >>> Heard.of("hello").name, Heard.of(b"data").name
            ('text', 'binary')
        """
        return "text" if self.is_text else "binary"

    @property
    def text(self) -> str:
        """The text. Raises AssertionError for a binary, and where it is no UTF-8.

        Example:
            >>> Heard(True, b"hello").text
            'hello'
        """
        if not self.is_text:
            raise AssertionError(f"the program sent {self}, not a text")
        try:
            return self.data.decode()
        except UnicodeDecodeError as error:
            raise AssertionError(f"the program sent a text that is no UTF-8: {error}") from None

    @property
    def json(self) -> Any:
        """What the text says as JSON. Raises AssertionError for a binary, and what is no JSON.

        Example:
            >>> Heard.of('{"op": "login"}').json["op"]
            'login'
        """
        from json import loads  # what few scripts need

        text = self.text
        try:
            return loads(text)
        except ValueError as error:
            raise AssertionError(f"the program sent {self}, which is no JSON: {error}") from None

    @property
    def value(self) -> str | bytes:
        """The text, or the bytes of a binary.

        Example:
            >>> Heard(True, b"hello").value, Heard(False, b"data").value
            ('hello', b'data')
        """
        return self.text if self.is_text else self.data

    def __str__(self) -> str:
        shown = self.data.decode("utf-8", "replace") if self.is_text else self.data
        return f"the {self.name} {cut(shown)}"


class ClientRequest:
    """The request of the program that opened the connection.

    Arguments:
        head: As it came, without the empty line.

    Attributes:
        raw: As it came.
        method: ``"GET"``.
        path: With the query, for example ``"/feed?x=1"``.
        headers: Values by lower-case name; repeated headers joined with ``", "``.
    """

    __slots__ = ("headers", "method", "path", "raw")

    def __init__(self, head: bytes) -> None:
        self.raw = head
        first, *lines = head.decode("latin-1").split("\r\n")
        self.method, _, rest = first.partition(" ")
        self.path = rest.rpartition(" ")[0]
        self.headers: dict[str, str] = {}
        for line in lines:
            name, _, value = line.partition(":")
            key, value = name.strip().lower(), value.strip()
            known = self.headers.get(key)
            self.headers[key] = value if known is None else f"{known}, {value}"

    def __repr__(self) -> str:
        return f"<request {self.method} {self.path}>"


#: What a message is expected to be: None for any.
Expected = str | bytes | dict[str, Any] | list[Any] | Callable[[Heard], object] | None


def is_expected(heard: Heard, expected: Expected) -> bool:
    """Whether a message is what was expected.

    Arguments:
        heard: The message.
        expected: A text, the bytes of a binary, a list that its JSON is, a dict that its JSON has
            at least (within it too), or a function that is given the message and says so.
    """
    if expected is None:
        return True
    if isinstance(expected, str):
        return heard.is_text and heard.data == expected.encode()
    if isinstance(expected, bytes):
        return not heard.is_text and heard.data == expected
    if isinstance(expected, (dict, list)):
        try:
            return _has(heard.json, expected)
        except AssertionError:
            return False
    return bool(expected(heard))


def words_of(expected: Expected) -> str:
    """What was expected, for people."""
    if expected is None:
        return "a message"
    if isinstance(expected, str):
        return f"the text {cut(expected)}"
    if isinstance(expected, bytes):
        return f"the binary {cut(expected)}"
    if isinstance(expected, dict):
        return f"JSON with {cut(cast('object', expected))}"
    if isinstance(expected, list):
        return f"the JSON {cut(cast('object', expected))}"
    return f"a message that {getattr(expected, '__name__', repr(expected))} takes"


def cut(value: object) -> str:
    """The value as Python writes it, cut where it is long."""
    said = repr(value)
    return said if len(said) <= _LONGEST else f"{said[: _LONGEST - 3]}..."


def check_expected(expected: object) -> None:
    """Raise TypeError for what no message can be compared with."""
    if expected is None or callable(expected):
        return
    if not isinstance(expected, (str, bytes, dict, list)):
        raise TypeError(
            f"what is expected must be a str, bytes, a dict or a list for JSON, or a function, "
            f"not {expected!r}"
        )


def _has(found: Any, expected: Any) -> bool:
    """Whether it is that, or an object that has at least that."""
    if not isinstance(expected, dict):
        return bool(found == expected)
    wanted = cast("dict[str, Any]", expected)
    return isinstance(found, dict) and all(
        name in found and _has(cast("Any", found)[name], value) for name, value in wanted.items()
    )
