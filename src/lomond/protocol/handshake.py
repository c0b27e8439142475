"""The opening handshake, RFC 6455 section 4.1: what the server's answer means, what a 101 needs.

HTTP/1.1 itself is h11's business. Knows nothing of frames, time or sockets.
"""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from typing import TYPE_CHECKING, Literal, NamedTuple

from ..constants import WS_KEY
from ..errors import CriticalProtocolError, HandshakeError
from ..options import MAX_BODY_SIZE, MAX_HEADER_LINE, MAX_HEADER_LINES, MAX_INTERIM_RESPONSES
from ..response import Response
from . import request as requests
from .deflate import PerMessageDeflate
from .negotiation import NAME, accepted

if TYPE_CHECKING:
    from collections.abc import Callable

    import h11

    from .request import Request

_END_OF_HEAD = re.compile(rb"\n\r?\n")
_BYTEARRAY = re.compile(r"bytearray\((b.*)\)")  # as h11 shows what it does not like
_LONGEST_COMPLAINT = 200  # characters


class Refusal(NamedTuple):
    """An answer that does not upgrade."""

    response: Response
    reason: str
    upgrades: Literal[False] = False


class Acceptance(NamedTuple):
    """An answer that upgrades."""

    response: Response
    protocol: str | None
    extensions: set[str]
    rest: bytes  #: what came after the head: frames
    deflate: PerMessageDeflate | None = None
    upgrades: Literal[True] = True


class Upgrade:
    """The upgrade of one connection.

    Arguments:
        request: What is asked for.
        random_bytes: Gives n unpredictable bytes, for the key.
        max_header_size: Largest head accepted, bytes.
    """

    def __init__(
        self, request: Request, random_bytes: Callable[[int], bytes], max_header_size: int
    ) -> None:
        self._request = request
        # 4.1, item 7: a 16-byte value selected randomly, base64-encoded.
        self._key = b64encode(random_bytes(16))
        self._max_header_size = max_header_size
        self._head = bytearray()
        self._searched = 0  # bytes of the head known not to hold its end
        self._line_start = 0
        self._lines = 0
        self._interim = 0
        self._http: h11.Connection | None = None
        self._refusal: Response | None = None
        self._reason = ""
        self._body = bytearray()

    @property
    def is_reading_body(self) -> bool:
        """Whether the answer is known to be a refusal and its body is awaited."""
        return self._refusal is not None

    def request_bytes(self) -> bytes:
        """The request. Raises ValueError if its target or a header can't be sent."""
        return requests.build(self._request, self._key)

    def receive(self, data: bytes) -> Acceptance | Refusal | None:
        """Take bytes of the answer; what it means once that is known.

        Raises:
            ProtocolError: It is not HTTP, or larger than the limits.
        """
        if self._refusal is not None:
            return self._take_body(data)
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

    def end_of_stream(self) -> Refusal | None:
        """The peer's stream, or the time for the body, is over: the refusal if one is known."""
        if self._refusal is None:
            return None
        refusal = Response(self._refusal.raw, body=bytes(self._body))
        return Refusal(refusal, self._reason)

    def _split_head(self) -> bytes | None:
        """Cut the head off what arrived, once its end is here; check limits while it is not."""
        found = _END_OF_HEAD.search(self._head, max(0, self._searched - 3))
        end = found.end() if found else len(self._head)
        if end > self._max_header_size:
            raise _bad_http(
                f"head of {end} bytes or more is larger than max_header_size "
                f"({self._max_header_size})"
            )
        self._check_lines(end)
        if not self._head.startswith(b"HTTP/"[: len(self._head)]):
            if self._head[:1] == b"\x15":  # an alert, RFC 8446 section 5.1
                raise _bad_http("answer is TLS, not HTTP; use wss://")
            raise _bad_http(f"answer is not HTTP; it starts with {bytes(self._head[:24])!r}")
        self._searched = end
        if found is None:
            return None
        head = bytes(self._head[:end])
        del self._head[:end]
        return head

    def _check_lines(self, end: int) -> None:
        while (newline := self._head.find(b"\n", max(self._line_start, self._searched), end)) >= 0:
            self._check_line(newline)
            self._line_start = newline + 1
            self._lines += 1
            if self._lines > MAX_HEADER_LINES + 2:
                raise _bad_http(
                    f"head of {self._lines - 2} lines or more is longer than "
                    f"{MAX_HEADER_LINES} (fixed)"
                )
        self._check_line(end)

    def _check_line(self, end: int) -> None:
        size = end - self._line_start
        if size > MAX_HEADER_LINE:
            raise _bad_http(
                f"line of {size} bytes or more in the head is larger than {MAX_HEADER_LINE} (fixed)"
            )

    def _take_head(self, head: bytes, rest: bytes) -> Acceptance | Refusal | None:
        import h11

        http = self._http or _client()
        self._http = http
        try:
            http.receive_data(head)
            event = http.next_event()
        except h11.RemoteProtocolError as error:
            said = _BYTEARRAY.sub(r"\1", str(error))
            if len(said) > _LONGEST_COMPLAINT:
                said = said[:_LONGEST_COMPLAINT] + " ..."
            raise _bad_http(f"answer is not valid HTTP; {said}") from None
        if isinstance(event, h11.InformationalResponse):
            if event.status_code == 101:
                self._http = None  # it has done its work
                return self._check_101(event, Response(head), rest)
            self._interim += 1
            if self._interim > MAX_INTERIM_RESPONSES:
                raise _bad_http(
                    f"{self._interim} interim responses are more than "
                    f"{MAX_INTERIM_RESPONSES} (fixed)"
                )
            return None
        assert isinstance(event, h11.Response)
        self._refusal = Response(head)
        self._reason = f"Websocket upgrade failed (code={event.status_code})"
        return self._take_body(rest)

    def _take_body(self, data: bytes) -> Refusal | None:
        import h11

        assert self._http is not None
        try:
            if data:
                self._http.receive_data(data)
            while isinstance(event := self._http.next_event(), h11.Data):
                self._body += event.data
                if len(self._body) >= MAX_BODY_SIZE:
                    del self._body[MAX_BODY_SIZE:]
                    return self.end_of_stream()
        except h11.RemoteProtocolError:
            return self.end_of_stream()
        return None if event is h11.NEED_DATA else self.end_of_stream()

    def _check_101(
        self, answer: h11.InformationalResponse, response: Response, rest: bytes
    ) -> Acceptance | Refusal:
        """4.1: the client MUST validate the server's response."""
        headers: dict[bytes, list[bytes]] = {}
        for name, value in answer.headers:
            headers.setdefault(bytes(name), []).append(bytes(value))
        try:
            if answer.http_version != b"1.1":
                raise HandshakeError(f"Can't upgrade HTTP/{answer.http_version.decode()}")
            self._check_upgrade(headers)
            self._check_accept(headers.get(b"sec-websocket-accept", []))
            protocol = self._check_protocol(headers.get(b"sec-websocket-protocol", []))
            said = b", ".join(headers.get(b"sec-websocket-extensions", []))
            options = self._request.deflate
            compression = accepted(said.decode("latin-1"), options)
        except HandshakeError as error:
            return Refusal(response, str(error))
        if compression is None or options is None:
            return Acceptance(response, protocol, set(), rest)
        deflate = PerMessageDeflate(compression, options)
        return Acceptance(response, protocol, {NAME}, rest, deflate)

    def _check_upgrade(self, headers: dict[bytes, list[bytes]]) -> None:
        # Items 2 and 3: Upgrade is "websocket", Connection holds the token "Upgrade", both
        # without regard to letter case.
        upgrade = b", ".join(headers.get(b"upgrade", []))
        if upgrade.lower() != b"websocket":
            shown = upgrade.decode("ascii", "replace") or "<header missing>"
            raise HandshakeError(f"Can't upgrade to {shown}")
        connection = b",".join(headers.get(b"connection", []))
        if b"upgrade" not in [token.strip().lower() for token in connection.split(b",")]:
            shown = connection.decode("ascii", "replace") or "<header missing>"
            raise HandshakeError(f"Connection header does not say Upgrade, but {shown}")

    def _check_accept(self, values: list[bytes]) -> None:
        # Item 4: base64 of the SHA-1 of key and GUID, compared exactly.
        if not values:
            raise HandshakeError("No Sec-WebSocket-Accept header")
        if len(values) > 1:
            raise HandshakeError("More than one Sec-WebSocket-Accept header")
        if values[0] != accept_value(self._key):
            raise HandshakeError("Sec-WebSocket-Accept challenge failed")

    def _check_protocol(self, values: list[bytes]) -> str | None:
        # Item 6: a sub-protocol that was not requested: MUST fail the connection.
        if not values:
            return None
        chosen = b", ".join(values).decode("ascii", "replace")
        offered = list(self._request.protocols)
        for name, value in self._request.headers:
            if name.lower() == b"sec-websocket-protocol":
                offered += [item.strip() for item in value.decode("latin-1").split(",")]
        if chosen not in offered:
            raise HandshakeError(f"Server chose sub-protocol {chosen!r}, which was not offered")
        return chosen


def accept_value(key: bytes) -> bytes:
    """What Sec-WebSocket-Accept must be for a key (4.2.2, item 5.4)."""
    return b64encode(hashlib.sha1(key + WS_KEY).digest())  # noqa: S324  the RFC says SHA-1


def _client() -> h11.Connection:
    """h11 as it is after a request like ours was sent; only its reading half is used."""
    import h11

    http = h11.Connection(h11.CLIENT)
    headers = [("Host", "x"), ("Upgrade", "websocket"), ("Connection", "upgrade")]
    http.send(h11.Request(method="GET", target="/", headers=headers))
    http.send(h11.EndOfMessage())
    return http


def _bad_http(message: str) -> CriticalProtocolError:
    return CriticalProtocolError(message, section="RFC 9112")
