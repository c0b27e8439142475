"""The server's answer to the upgrade request, as users see it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

__all__ = ["Response"]

LONGEST = 200  # characters of a peer's text in what people read
_LONGEST_PART = 64  # of one that stands among others
_LOOKED_AT = 4096  # bytes of a body; what is wrong is said early
_CUT = "..."  # behind words that go on
# Compiled when they are needed: of a refusal that is a page.
_TITLE = r"(?i)<title[^<>]*>([^<]*)"
_UNSEEN = r"(?is)<(head|script|style)\b.*?</\1\s*>"
_TAG = r"<[^<>]*>"

_READ = frozenset(["headers", "http_ver", "status", "status_code"])  # attributes of a Response


class Response:
    """An HTTP response: the server's answer to the upgrade (RFC 6455 section 4.2.2), or a proxy's.

    Arguments:
        header_bytes: The head as it came: status line, header lines, empty line.
        body: What came of the body, at most 64 KiB (keyword only).

    Attributes:
        raw: The head as it came.
        http_ver: For example ``"HTTP/1.1"``.
        status_code: An int, or None where there is none.
        status: The reason phrase.
        headers: Values by lower-case name; repeated headers joined with ``", "``.
        body: What came of the body, as it came where the head's word on its length or coding can't
            be read. Empty on an upgrade.

    Example:
        >>> Response(b"HTTP/1.1 401 Unauthorized\\r\\nServer: demo\\r\\n\\r\\n").get("Server")
        'demo'
    """

    __slots__ = ("body", "headers", "http_ver", "raw", "status", "status_code")
    body: bytes
    headers: dict[str, str]
    http_ver: str
    raw: bytes
    status: str
    status_code: int | None

    def __init__(self, header_bytes: bytes, *, body: bytes = b"") -> None:
        self.raw = bytes(header_bytes)
        self.body = body

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            """What the head says: read when it is asked for, which of an upgrade it rarely is."""
            if name not in _READ:
                said = f"{type(self).__name__!r} object has no attribute {name!r}"
                raise AttributeError(said, name=name, obj=self)
            self._read()
            return getattr(self, name)

    def _read(self) -> None:
        lines = _unfold(self.raw)
        version, _, rest = lines[0].partition(" ")
        code, _, phrase = rest.strip().partition(" ")
        self.http_ver = version
        self.status_code = int(code) if len(code) == 3 and code.isdigit() else None
        self.status = phrase.strip()
        self.headers = {}
        for line in lines[1:]:
            name, colon, value = line.partition(":")
            if colon:
                key, value = name.strip().lower(), value.strip()
                known = self.headers.get(key)
                self.headers[key] = value if known is None else f"{known}, {value}"

    def __repr__(self) -> str:
        version = printable(self.http_ver, _LONGEST_PART)
        phrase = printable(self.status, _LONGEST_PART)
        return f"<response {version} {self.status_code} {phrase}>"

    def get(self, name: str, default: str | None = None) -> str | None:
        """The value of a header, or the default; of a repeated one, all joined with ``", "``.

        Arguments:
            name: Its name; the letter case does not matter (RFC 9110 section 5.1).
            default: What is given where there is no such header (None).

        Raises:
            TypeError: The name is not a str.

        Example:
            >>> Response(b"HTTP/1.1 429 Wait\\r\\nRetry-After: 7\\r\\n\\r\\n").get("retry-after")
            '7'
        """
        if not isinstance(name, str):
            raise TypeError(f"header name must be a str, not {name!r}")
        return self.headers.get(name.lower(), default)

    def items(self) -> list[tuple[str, str]]:
        """Each header as it came, in order; repeated ones stand apart.

        Example:
            >>> Response(b"HTTP/1.1 200 OK\\r\\nVia: a\\r\\nVia: b\\r\\n\\r\\n").items()
            [('Via', 'a'), ('Via', 'b')]
        """
        fields = (line.partition(":") for line in _unfold(self.raw)[1:])
        return [(name.strip(), value.strip()) for name, colon, value in fields if colon]

    def get_list(self, name: str) -> list[str]:
        """The values of a header, split at commas (RFC 9110 section 5.6.1); empty without one.

        Arguments:
            name: Its name; the letter case does not matter.

        Raises:
            TypeError: The name is not a str.

        Example:
            >>> Response(b"HTTP/1.1 200 OK\\r\\nVia: a, b\\r\\n\\r\\n").get_list("via")
            ['a', 'b']
        """
        value = self.get(name)
        return [] if value is None else [part.strip() for part in value.split(",")]


def own_words(response: Response) -> str:
    """What a refusal's body says beside its status, in one line; of a page its title, or its text.

    It is the server's, and wants `printable`.
    """
    text = response.body[:_LOOKED_AT].decode("utf-8", "replace")
    if len(response.body) > _LOOKED_AT:
        text += _CUT
    if not text.lstrip().startswith("<"):
        return _beside_status(response, text)
    from html import unescape  # of pages alone

    found = re.search(_TITLE, text)
    title = _beside_status(response, unescape(found[1] if found else ""))
    seen = unescape(re.sub(_TAG, " ", re.sub(_UNSEEN, " ", text)))
    return title if " " in title else _beside_status(response, seen) or title


def _beside_status(response: Response, text: str) -> str:
    """The words, without the status that they begin with and the name of the server's program."""
    said = " ".join(text.split()).removesuffix(response.get("server") or "\n").rstrip()
    code, phrase = re.escape(str(response.status_code)), re.escape(response.status)
    known = rf"(?:(?:{code}\b|{phrase}(?!\w))[:.\s]*)*" if phrase else rf"{code}\b[:.\s]*"
    found = re.sub(rf"\A{known}", "", said, flags=re.IGNORECASE)
    return "" if found == _CUT else found


def moment_of(date: str) -> float | None:
    """Seconds since the epoch of an HTTP date (RFC 9110 section 5.6.7); None of what is none."""
    from datetime import UTC
    from email.utils import parsedate_to_datetime

    try:
        found = parsedate_to_datetime(date)
        # "An HTTP-date represents time as an instance of UTC", zone or not.
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def printable(text: object, longest: int = LONGEST) -> str:
    """A text of a peer as it may be shown: cut, on one line, without what a terminal would obey.

    To do it again changes nothing.

    Arguments:
        text: Its words, or something that says them.
        longest: Characters of what is given, at most.
    """
    said = str(text).strip()
    shown = escaped(said[:longest])
    is_cut = len(said) > longest or len(shown) > longest
    return f"{shown[: longest - 3]}..." if is_cut else shown


def escaped(text: str) -> str:
    """The text with the characters escaped that move a cursor, or hide something."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _unfold(head: bytes) -> list[str]:
    """The lines of a head, folded ones (RFC 9112 section 5.2) joined with a space."""
    text = head.decode("ascii", "replace").replace("\r\n", "\n")
    if "\n " not in text and "\n\t" not in text:
        return text.split("\n")
    lines: list[str] = []
    for line in text.split("\n"):
        if line[:1] in (" ", "\t") and lines:
            lines[-1] += " " + line.strip()
        else:
            lines.append(line)
    return lines
