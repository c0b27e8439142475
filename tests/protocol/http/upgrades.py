"""What the tests of the upgrade share: RFC 6455's own example, and its answer."""

from __future__ import annotations

import base64

from lomond.errors import ProtocolError
from lomond.options import Limits
from lomond.protocol.http.request import Request
from lomond.protocol.http.upgrade import Acceptance, Refusal, Upgrade

NONCE = b"the sample nonce"
KEY = base64.b64encode(NONCE)
ACCEPT = b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
REQUEST = Request("/chat?x=1", "server:80", "Lomond/test", (), ("superchat", "chat"))
HEADERS = {
    b"Upgrade": b"websocket",
    b"Connection": b"Upgrade",
    b"Sec-WebSocket-Accept": ACCEPT,
}


def upgrade(request: Request = REQUEST, limits: Limits | None = None) -> Upgrade:
    return Upgrade(request, lambda size: NONCE, limits or Limits())


def answer(changes: dict[bytes, bytes | None] | None = None) -> bytes:
    """The answer that accepts, with other values of headers; None leaves one out."""
    headers = {**HEADERS, **(changes or {})}
    lines = [b"HTTP/1.1 101 Switching Protocols"]
    lines += [name + b": " + value for name, value in headers.items() if value is not None]
    return b"\r\n".join((*lines, b"", b""))


#: The same without the empty line that ends it.
HEAD = answer()[:-2]


def receive(
    data: bytes, step: int = 1 << 20, limits: Limits | None = None
) -> Acceptance | Refusal | None:
    """What comes of an answer that arrives in pieces of so many bytes."""
    machine = upgrade(limits=limits)
    for i in range(0, len(data), step):
        outcome = machine.receive(data[i : i + step])
        if outcome is not None:
            return outcome
    return machine.end_of_stream()


def is_accepted(data: bytes, step: int = 1 << 20, limits: Limits | None = None) -> bool:
    try:
        return isinstance(receive(data, step, limits), Acceptance)
    except ProtocolError:
        return False
