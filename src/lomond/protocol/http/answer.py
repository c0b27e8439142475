"""One HTTP/1.1 answer, to an upgrade or to CONNECT: its head within limits, and a refusal's body.

HTTP/1.1 itself (RFC 9112) is h11's business, but for a plain 101 that comes whole: of that `plain`
knows the same, and h11 need not be loaded. Knows nothing of time or sockets.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from ...errors import CriticalProtocolError
from ...response import Response, printable

if TYPE_CHECKING:
    import h11

    from ...options import Limits

_END_OF_HEAD = re.compile(rb"\n\r?\n")
# This and the next are compiled when they are needed: most answers are right.
_BYTEARRAY = r"bytearray\((b.*)\)"  # as h11 shows what it does not like
_FRAMING = rb"(?im)^(?:content-length|transfer-encoding):[^\n]*\n(?:[ \t][^\n]*\n)*"
# A 101 about which nobody can be of two minds: no folded line, no CR or LF that is not an end of
# line, no byte that is not ASCII. (What is possessive gives nothing back: it takes linear time.)
_PLAIN = re.compile(
    rb"HTTP/1\.1 101(?: [\t -~]*+)?\r\n(?:[!#$%&'*+.^_`|~0-9A-Za-z-]++:[\t -~]*+\r\n)++\r\n"
)
#: Headers of which h11 has more to say.
_FRAMED = frozenset([b"content-length", b"transfer-encoding"])

UPGRADE, CONNECT = "GET", "CONNECT"  # what was asked


class Head(NamedTuple):
    """The head of an answer behind which the stream is no longer HTTP."""

    response: Response
    http_version: bytes
    headers: list[tuple[bytes, bytes]]  #: names in lower case
    rest: bytes  #: what came after it


def plain(data: bytes, limits: Limits) -> Head | None:
    """The head of an answer of 101, as h11 reads it; None where that has to.

    Arguments:
        data: What came first, and all of it.
        limits: Within which it is; h11 is left to say which one it is not.
    """
    found = _PLAIN.match(data)
    if found is None:
        return None
    head = found.group()
    size, most = len(head), limits.max_header_line
    lines = head.split(b"\n")  # of which the last is empty, and no line
    if size > limits.max_header_size or len(lines) > limits.max_header_lines + 3:
        return None
    if size > most and max(map(len, lines)) > most:
        return None
    headers: list[tuple[bytes, bytes]] = []
    for line in lines[1:-2]:
        name, _, value = line.partition(b":")
        name = name.lower()
        if name in _FRAMED:
            return None
        headers.append((name, value.strip(b"\t\r ")))
    return Head(Response(head), b"1.1", headers, data[size:])


class AnswerReader:
    """Reads one answer.

    Arguments:
        method: What was asked: UPGRADE, which a 101 agrees to, or CONNECT, which any 2xx does.
        limits: What it may cost.
        tls_hint: What to do where the answer is TLS.
    """

    def __init__(self, method: str, limits: Limits, tls_hint: str) -> None:
        self._method = method
        self._limits = limits
        self._tls_hint = tls_hint
        self._head = bytearray()
        self._is_first = True  # nothing came yet
        self._searched = 0  # bytes of the head known not to hold its end
        self._line_start = 0
        self._lines = 0
        self._interim = 0
        self._http: h11.Connection | None = None
        self._refusal: Response | None = None
        self._body = bytearray()

    @property
    def is_reading_body(self) -> bool:
        """Whether the answer is known to be a refusal and its body is awaited."""
        return self._refusal is not None

    @property
    def refused_with(self) -> int | None:
        """The status of a refusal, once it is known to be one."""
        return None if self._refusal is None else self._refusal.status_code

    def receive(self, data: bytes) -> Head | Response | None:
        """Take bytes of the answer.

        Returns:
            The head of one that agrees; a refusal with its body; None where more is needed.

        Raises:
            ProtocolError: It is not HTTP, or larger than the limits.
            ImportError, OSError: What reads HTTP can't be loaded.
        """
        if self._refusal is not None:
            return self._take_body(data)
        if self._is_first:
            self._is_first = False
            if self._method == UPGRADE and (found := plain(data, self._limits)) is not None:
                return found
        self._head += data
        while True:
            head = self._split_head()
            if head is None:
                return None
            rest = bytes(self._head)
            self._head.clear()
            self._searched = self._line_start = self._lines = 0
            answer = self._take_head(head, rest)
            if answer is not None or self._refusal is not None:
                return answer
            self._head += rest

    def end_of_stream(self) -> Response | None:
        """The peer's stream, or the time for the body, is over: the refusal if one is known."""
        if self._refusal is None:
            return None
        return Response(self._refusal.raw, body=bytes(self._body))

    def _split_head(self) -> bytes | None:
        """Cut the head off what arrived, once its end is here; check limits while it is not."""
        found = _END_OF_HEAD.search(self._head, max(0, self._searched - 3))
        end = found.end() if found else len(self._head)
        if end > self._limits.max_header_size:
            raise bad_http(
                f"head of {end} bytes or more is larger than max_header_size "
                f"({self._limits.max_header_size})"
            )
        self._check_lines(end)
        if not self._head.startswith(b"HTTP/"[: len(self._head)]):
            if self._head[:1] == b"\x15":  # an alert, RFC 8446 section 5.1
                raise bad_http(f"answer is TLS, not HTTP; {self._tls_hint}")
            raise bad_http(f"answer is not HTTP; it starts with {bytes(self._head[:24])!r}")
        self._searched = end
        if found is None:
            return None
        head = bytes(self._head[:end])
        del self._head[:end]
        return head

    def _check_lines(self, end: int) -> None:
        most = self._limits.max_header_line
        while (newline := self._head.find(b"\n", max(self._line_start, self._searched), end)) >= 0:
            if newline - self._line_start > most:
                raise self._long_line(newline)
            self._line_start = newline + 1
            self._lines += 1
            if self._lines > self._limits.max_header_lines + 2:
                raise bad_http(
                    f"head of {self._lines - 2} lines or more is longer than max_header_lines "
                    f"({self._limits.max_header_lines})"
                )
        if end - self._line_start > most:
            raise self._long_line(end)

    def _long_line(self, end: int) -> CriticalProtocolError:
        return bad_http(
            f"line of {end - self._line_start} bytes or more in the head is larger than "
            f"max_header_line ({self._limits.max_header_line})"
        )

    def _take_head(self, head: bytes, rest: bytes) -> Head | Response | None:
        import h11

        http = self._http or _client(self._method)
        try:
            event = _first_event(http, head)
        except h11.RemoteProtocolError as error:
            http = _client(self._method)
            refusal = _without_length(http, head)
            if refusal is None:
                said = printable(re.sub(_BYTEARRAY, r"\1", str(error)))
                raise bad_http(f"answer is not valid HTTP; {said}") from None
            event = refusal
        self._http = http
        if http.their_state is h11.SWITCHED_PROTOCOL:
            self._http = None  # it has done its work
            headers = [(bytes(name), bytes(value)) for name, value in event.headers]
            return Head(Response(head), bytes(event.http_version), headers, rest)
        if isinstance(event, h11.InformationalResponse):
            self._interim += 1
            most = self._limits.max_interim_responses
            if self._interim > most:
                raise bad_http(
                    f"{self._interim} interim responses are more than "
                    f"max_interim_responses ({most})"
                )
            return None
        self._refusal = Response(head)
        return self._take_body(rest)

    def _take_body(self, data: bytes) -> Response | None:
        import h11

        assert self._http is not None
        most = self._limits.max_body_size
        try:
            if data:
                self._http.receive_data(data)
            while isinstance(event := self._http.next_event(), h11.Data):
                self._body += event.data
                if len(self._body) >= most:
                    del self._body[most:]
                    return self.end_of_stream()
        except h11.RemoteProtocolError:
            return self.end_of_stream()
        return None if event is h11.NEED_DATA else self.end_of_stream()


def _first_event(http: h11.Connection, head: bytes) -> h11.InformationalResponse | h11.Response:
    """What a whole head is. Raises h11.RemoteProtocolError."""
    import h11

    http.receive_data(head)
    event = http.next_event()
    assert isinstance(event, (h11.InformationalResponse, h11.Response))
    return event


def _without_length(http: h11.Connection, head: bytes) -> h11.Response | None:
    """The head of a final answer that is right but for what it says of its body's length, or None.

    A refusal is one whatever it says of that: the body is then all that comes. A 2xx to CONNECT
    has no body, and what it says of one MUST be ignored (RFC 9110 section 9.3.6).
    """
    import h11

    try:
        event = _first_event(http, re.sub(_FRAMING, b"", head))
    except h11.RemoteProtocolError:
        return None
    return event if isinstance(event, h11.Response) else None


def _client(method: str) -> h11.Connection:
    """h11 as it is after a request like ours was sent; only its reading half is used."""
    import h11

    http = h11.Connection(h11.CLIENT)
    headers = [("Host", "x")]
    if method == UPGRADE:
        headers += [("Upgrade", "websocket"), ("Connection", "upgrade")]
    http.send(
        h11.Request(method=method, target="/" if method == UPGRADE else "x:1", headers=headers)
    )
    http.send(h11.EndOfMessage())
    return http


def bad_http(message: str) -> CriticalProtocolError:
    """What was answered is not what RFC 9112 says, or beyond a limit."""
    return CriticalProtocolError(message, section="RFC 9112")
