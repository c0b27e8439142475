"""What the tests of compression share: the libraries, connections and frames."""

from __future__ import annotations

import contextlib
import zlib

from lomond.compression import Backend, Compression, load_backend
from lomond.events import AnyEvent
from lomond.options import Deflate, Limits
from lomond.protocol import frames
from lomond.protocol.connection import Connection
from lomond.protocol.extensions import negotiation
from lomond.protocol.extensions.negotiation import offers
from lomond.protocol.extensions.permessage_deflate import PerMessageDeflate
from lomond.protocol.output import MaskingKeys
from lomond.testing.alone import counting_bytes

TAIL = b"\x00\x00\xff\xff"
# RFC 7692 section 7.2.3: "Hello" alone, after itself, and as a final block.
HELLO = bytes.fromhex("f248cdc9c90700")
HELLO_AGAIN = bytes.fromhex("f200110000")
HELLO_FINAL = bytes.fromhex("f348cdc9c9070000")


def installed_backends() -> list[Backend]:
    found = [load_backend("zlib")]
    with contextlib.suppress(ImportError):
        found.append(load_backend("zlib-ng"))
    return found


def accepted(answer: str, options: Deflate | None) -> Compression | None:
    """What was agreed on about compression."""
    agreed = negotiation.accepted(answer, offers(options))
    return agreed[0].compression if agreed else None


def opened(
    backend: Backend,
    compression: Compression | None = None,
    options: Deflate | None = None,
    limits: Limits | None = None,
) -> Connection:
    connection = Connection(limits or Limits(), MaskingKeys(counting_bytes()))
    deflate = PerMessageDeflate(
        compression or Compression(), options or Deflate(min_size=0), backend
    )
    connection.opened([deflate])
    return connection


def frame(opcode: int, payload: bytes, *, rsv1: bool = False, final: bool = True) -> bytes:
    whole = bytearray(frames.build(opcode, payload, None))
    whole[0] = (frames.FIN if final else 0) | (frames.RSV1 if rsv1 else 0) | opcode
    return bytes(whole)


def packed(opcode: int, payload: bytes) -> bytes:
    return frame(opcode, payload, rsv1=True)


def events(connection: Connection, data: bytes, step: int = 1 << 30) -> list[AnyEvent]:
    found = []
    for start in range(0, len(data), step):
        connection.receive(data[start : start + step], 1.0)
        while (event := connection.next_event()) is not None:
            found.append(event)
    return found


def texts(found: list[AnyEvent]) -> list[str]:
    return [event.text if event.name == "text" else repr(event) for event in found]


def deflated(data: bytes, *, final: bool = False) -> bytes:
    stream = zlib.compressobj(9, zlib.DEFLATED, -15)
    if final:
        return stream.compress(data) + stream.flush(zlib.Z_FINISH) + b"\x00"
    return (stream.compress(data) + stream.flush(zlib.Z_SYNC_FLUSH))[:-4]
