"""The opening handshake, RFC 6455 section 4.1: what the server's answer means, what a 101 needs.

How an answer is read, answer.py knows. Knows nothing of frames, time or sockets.
"""

from __future__ import annotations

from binascii import b2a_base64
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from ...constants import WS_KEY
from ...errors import HandshakeError
from ...response import Response, printable
from ..extensions.negotiation import accepted
from . import request as requests
from .answer import UPGRADE, AnswerReader, Head

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ...options import Limits
    from ..extensions.extension import Extension
    from .request import Request


def _sha1() -> Callable[[bytes], Any]:
    """The hash: Python's own, if it has one, for hashlib takes all of OpenSSL to import."""
    try:
        own: Callable[[bytes], Any] = import_module("_sha1").sha1
    except ImportError:
        from hashlib import sha1

        return sha1
    return own


sha1 = _sha1()


class Refusal(NamedTuple):
    """An answer that does not upgrade."""

    response: Response
    reason: str
    upgrades: Literal[False] = False


class Acceptance(NamedTuple):
    """An answer that upgrades."""

    response: Response
    protocol: str | None
    extensions: Sequence[Extension]  #: in the order of the answer
    rest: bytes  #: what came after the head: frames
    upgrades: Literal[True] = True


class Upgrade:
    """The upgrade of one connection.

    Arguments:
        request: What is asked for.
        random_bytes: Gives n unpredictable bytes, for the key.
        limits: What the answer may cost.

    Attributes:
        request: What is asked for.

    Raises:
        ValueError: The request's target or a header can't be sent.
    """

    def __init__(
        self,
        request: Request,
        random_bytes: Callable[[int], bytes],
        limits: Limits,
    ) -> None:
        self.request = request
        # 4.1, item 7: a 16-byte value selected randomly, base64-encoded.
        self._key = b2a_base64(random_bytes(16), newline=False)
        self._bytes = requests.build(request, self._key)
        self._answer = AnswerReader(UPGRADE, limits, "use wss://")

    @property
    def is_reading_body(self) -> bool:
        """Whether the answer is known to be a refusal and its body is awaited."""
        return self._answer.is_reading_body

    @property
    def refused_with(self) -> int | None:
        """The status of a refusal, once it is known to be one."""
        return self._answer.refused_with

    def request_bytes(self) -> bytes:
        """The request, for HTTP/1.1."""
        return self._bytes

    def receive(self, data: bytes) -> Acceptance | Refusal | None:
        """Take bytes of the answer; what it means once that is known.

        Raises:
            ProtocolError: It is not HTTP, or larger than the limits.
            ImportError, OSError: What reads HTTP can't be loaded.
        """
        answer = self._answer.receive(data)
        if isinstance(answer, Head):
            return self._check_101(answer)
        return None if answer is None else _refused(answer)

    def end_of_stream(self) -> Refusal | None:
        """The peer's stream, or the time for the body, is over: the refusal if one is known."""
        answer = self._answer.end_of_stream()
        return None if answer is None else _refused(answer)

    def _check_101(self, answer: Head) -> Acceptance | Refusal:
        """4.1: the client MUST validate the server's response."""
        response, rest = answer.response, answer.rest
        headers: dict[bytes, list[bytes]] = {}
        for name, value in answer.headers:
            headers.setdefault(name, []).append(value)
        try:
            if answer.http_version != b"1.1":
                version = printable(answer.http_version.decode("ascii", "replace"))
                raise HandshakeError(f"Can't upgrade HTTP/{version}")
            self._check_upgrade(headers)
            self._check_accept(headers.get(b"sec-websocket-accept", []))
            protocol = self._check_protocol(headers.get(b"sec-websocket-protocol", []))
            said = b", ".join(headers.get(b"sec-websocket-extensions", []))
            extensions: Sequence[Extension] = ()
            if said:
                extensions = accepted(said.decode("latin-1"), self.request.extensions)
        except HandshakeError as error:
            return Refusal(response, str(error))
        return Acceptance(response, protocol, extensions, rest)

    def _check_upgrade(self, headers: dict[bytes, list[bytes]]) -> None:
        # Items 2 and 3: Upgrade is "websocket", Connection holds the token "Upgrade", both
        # without regard to letter case.
        upgrade = b", ".join(headers.get(b"upgrade", []))
        # A proxy may repeat the line: RFC 9110 section 5.3 has both be one list.
        names = upgrade.lower()
        if names != b"websocket" and {name.strip() for name in names.split(b",")} != {b"websocket"}:
            raise HandshakeError(f"Can't upgrade to {_shown(upgrade)}")
        connection = b",".join(headers.get(b"connection", []))
        names = connection.lower()
        if names != b"upgrade" and b"upgrade" not in [name.strip() for name in names.split(b",")]:
            said = _shown(connection)
            raise HandshakeError(f"Connection header does not say Upgrade, but {said}")

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
        offered = list(self.request.protocols)
        for name, value in self.request.headers:
            if name.lower() == b"sec-websocket-protocol":
                offered += [item.strip() for item in value.decode("latin-1").split(",")]
        if chosen not in offered:
            said = printable(chosen)
            raise HandshakeError(f"Server chose sub-protocol '{said}', which was not offered")
        return chosen


def _shown(value: bytes) -> str:
    return printable(value.decode("ascii", "replace")) or "<header missing>"


def accept_value(key: bytes) -> bytes:
    """What Sec-WebSocket-Accept must be for a key (4.2.2, item 5.4)."""
    return b2a_base64(sha1(key + WS_KEY).digest(), newline=False)  # the RFC says SHA-1


def _refused(response: Response) -> Refusal:
    return Refusal(response, f"Websocket upgrade failed (code={response.status_code})")
