"""One frame, RFC 6455 section 5.2: what its header says, and the bytes of one to send.

Knows only the frame in hand; what depends on earlier frames is in connection.py.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from ..errors import CriticalProtocolError, PayloadTooLarge, ProtocolError
from ..payloads import as_message
from ..status import may_be_sent
from .mask import head, masked_frame

if TYPE_CHECKING:
    from ..payloads import Dumps

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA

FIN = 0x80
RSV1, RSV2, RSV3 = 0x40, 0x20, 0x10
RESERVED_BITS = 0x70
OPCODE_BITS = 0x0F
MASKED = 0x80
MAX_CONTROL_PAYLOAD = 125
MAX_HEADER_SIZE = 14  # bytes, masking key included
_LENGTH_BITS = 0x7F
_LARGEST = sys.maxsize // 4  # bytes; of what is longer, nobody sees the end


def check_first_bytes(first: int, second: int, claimed: int = 0) -> None:
    """Raise if the first two bytes alone make the frame illegal.

    Arguments:
        first, second: The bytes.
        claimed: The reserved bits that mark what a negotiated extension has changed.
    """
    opcode = first & OPCODE_BITS
    reserved = first & RESERVED_BITS
    if reserved and (reserved & ~claimed or opcode not in (TEXT, BINARY)):
        # 5.2: RSV1-3 MUST be 0 unless an extension is negotiated that defines meanings.
        # RFC 7692 6: they stand on the first frame of a message, and on no control frame.
        raise ProtocolError("reserved bits set", section="RFC 6455 5.2")
    if 2 < opcode < 8 or opcode > PONG:
        # 5.2: if an unknown opcode is received, the endpoint MUST fail the connection.
        raise ProtocolError(f"opcode is reserved ({opcode})", section="RFC 6455 5.2")
    if second & MASKED:
        # 5.1: a client MUST close a connection if it detects a masked frame.
        raise ProtocolError("server sent masked frame", section="RFC 6455 5.1")
    if opcode >= CLOSE:
        # 5.5: all control frames MUST have a payload length of 125 bytes or less and MUST NOT
        # be fragmented.
        if not first & FIN:
            raise ProtocolError("control frames may not be fragmented", section="RFC 6455 5.5")
        if second > MAX_CONTROL_PAYLOAD:
            raise ProtocolError("control frame is longer than 125 bytes", section="RFC 6455 5.5")


def check_extended_length(length: int, size: int) -> None:
    """Raise if a length of `size` bytes (2 or 8) is too large or not the shortest form."""
    if length >> 63:
        # 5.2: the most significant bit MUST be 0.
        raise PayloadTooLarge("payload is too large (2**63 bytes or more)", section="RFC 6455 5.2")
    if length < (126 if size == 2 else 65536):
        # 5.2: the minimal number of bytes MUST be used to encode the length.
        raise ProtocolError(f"length {length} is not in its shortest form", section="RFC 6455 5.2")


def of_message(message: object, dumps: Dumps | None) -> tuple[int, bytes]:
    """Opcode and payload of a message as a program gives it: str, bytes-like, or JSON.

    Arguments:
        message: What it gave.
        dumps: Writes JSON; None for json's.

    Raises:
        TypeError, ValueError: It can't be sent.
    """
    is_text, payload = as_message(message, dumps)
    return TEXT if is_text else BINARY, payload


def build(opcode: int, payload: bytes | bytearray | memoryview, key: bytes | None) -> bytes:
    """A whole, unfragmented frame; masked with the key, or bare without one (a server's).

    The opcode may have reserved bits added, for a message that extensions have changed.
    """
    if key is None:
        return b"".join((head(FIN | opcode, len(payload)), payload))
    return masked_frame(FIN | opcode, payload, key)


def build_close_payload(code: int | None, reason: str | bytes | None) -> bytes:
    """The payload of a close frame, RFC 6455 section 5.5.1; empty without a code.

    The reason is cut at a code point so that all fits into 125 bytes.

    Raises:
        TypeError: The code is no int, or the reason neither str nor bytes.
        ValueError: The code may not be sent.
    """
    if code is None:
        return b""
    if isinstance(code, bool) or not isinstance(code, int):
        how = f"; write close(1000, {code!r})" if isinstance(code, (str, bytes)) else ""
        raise TypeError(f"close code must be an int or None, not {code!r}{how}")
    if not may_be_sent(code):
        raise ValueError(
            f"close code {code} may not be sent; use 1000-1003, 1007-1014 or 3000-4999"
        )
    if reason is not None and not isinstance(reason, (str, bytes)):
        raise TypeError(f"close reason must be a str, bytes or None, not {reason!r}")
    text = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else reason or ""
    encoded = text.encode("utf-8", "replace")[: MAX_CONTROL_PAYLOAD - 2]
    return code.to_bytes(2, "big") + encoded.decode("utf-8", "ignore").encode()


def read_close_payload(payload: bytes) -> tuple[int | None, str]:
    """Code and reason of a received close frame; raises if it is illegal."""
    if not payload:
        return None, ""
    if len(payload) == 1:
        # 5.5.1: if there is a body, the first two bytes MUST be an unsigned integer.
        raise ProtocolError("invalid close frame payload (1 byte)", section="RFC 6455 5.5.1")
    code = int.from_bytes(payload[:2], "big")
    if not may_be_sent(code):
        raise ProtocolError(f"reserved close code ({code})", section="RFC 6455 7.4")
    try:
        return code, payload[2:].decode()
    except UnicodeDecodeError as error:
        raise invalid_utf8("close frame contains invalid utf-8", error) from None


def invalid_utf8(what: str, error: UnicodeDecodeError) -> ProtocolError:
    """The violation of RFC 6455 section 8.1."""
    message = f"{what}; {error.reason}"
    return CriticalProtocolError(message, code=1007, section="RFC 6455 8.1")


def seek_close(data: bytes, position: int) -> tuple[int, bool]:
    """Where the first close frame begins, by frame heads alone, and whether there is one.

    Without one, where its search is to go on: at a head that is not here whole, or behind the data
    where that ends in a payload.

    Arguments:
        data: Frames of the peer.
        position: Where one of them begins.
    """
    size = len(data)
    while position + 2 <= size:
        if data[position] & OPCODE_BITS == CLOSE:
            return position, True
        length = data[position + 1] & _LENGTH_BITS
        start = position + 2
        if length > 125:
            end = start + (2 if length == 126 else 8)
            if end > size:
                break
            length = min(int.from_bytes(data[start:end], "big"), _LARGEST)
            start = end
        position = start + length
    return position, False
