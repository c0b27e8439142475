"""Layers of bytes over a wire: one that changes nothing, and TLS: plain bytes above, records below.

No socket; one thread at a time may use a layer. ssl is imported by the first one of TLS: plain
connections need none.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from ..protocol.buffer import Buffer
from ..secured import Secured
from ..session.requests import Failed
from .clock import monotonic

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

_RECORD = 16 * 1024  # bytes; a read gives one record at most (RFC 8446 section 5.1)
_LONGEST = _RECORD + 5 + 256  # bytes; with its head, and what encryption adds (section 5.2)
_SIZE_AND_ROOM = 2  # arguments, behind self
_ANY_NUMBER = 0x04  # of a code's flags, as inspect.CO_VARARGS, whose module is a large one


class Layer:
    """Bytes through, as they are, in both directions: what other layers are made of.

    What comes from below is fed, and read above; what is written above is taken below.

    Attributes:
        has_ended: The stream is over; nothing more can be read.
    """

    __slots__ = ("_incoming_bytes", "_is_at_end", "_outgoing_bytes", "has_ended")

    def __init__(self) -> None:
        self.has_ended = False
        self._is_at_end: bool = False  # what was fed is the last
        self._incoming_bytes = b""
        self._outgoing_bytes = b""

    # Upwards

    def feed(self, data: bytes) -> None:
        """Bytes from below; empty bytes where the layer there has ended. Raises OSError.

        The end of TCP goes past all layers, to the session.
        """
        self._incoming_bytes += data
        self._is_at_end = self._is_at_end or not data

    def has_more(self) -> bool:
        """Whether something is left that was fed, if only a part or the end."""
        return bool(self._incoming_bytes) or (self._is_at_end and not self.has_ended)

    def read(self) -> bytes | None:
        """What can be read above; None if more must be fed; empty at the end. Raises OSError."""
        data, self._incoming_bytes = self._incoming_bytes, b""
        if data:
            return data
        self.has_ended = self._is_at_end
        return b"" if self.has_ended else None

    def read_all(self) -> bytes | None:
        """All bytes that are here; None, or empty, as `read` has it. Raises OSError."""
        return self.read()

    def read_into(self, room: memoryview) -> int:
        """Read into the room; the number of bytes, 0 if none are here. Raises OSError."""
        data = self.read() or b""
        count = min(len(room), len(data))
        room[:count] = data[:count]
        self._incoming_bytes = data[count:]
        return count

    # Downwards

    def write(self, data: bytes) -> None:
        """Bytes from above. Raises OSError."""
        self._outgoing_bytes += data

    def end(self) -> None:
        """Nothing more will be written; may be said again."""

    def take(self) -> bytes:
        """What is to be written below."""
        data, self._outgoing_bytes = self._outgoing_bytes, b""
        return data


class TLSLayer(Layer):
    """One TLS connection over bytes.

    Arguments:
        context: Used as it is, never changed.
        server_name: Whose certificate is expected.
        session: To be resumed, if the server wants that too.

    Attributes:
        is_users: Whether the user's own class shakes hands.
    """

    __slots__ = (
        "_decrypt", "_encrypt", "_failure", "_fills", "_incoming", "_is_partly_read", "_outgoing",
        "_put", "_take", "_tls", "is_users",
    )  # fmt: skip

    def __init__(
        self, context: ssl.SSLContext, server_name: str, session: ssl.SSLSession | None = None
    ) -> None:
        import ssl

        super().__init__()
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        wrapped: dict[str, Any] = {"server_hostname": server_name}
        if session is not None:  # a user's class of contexts may know of none
            wrapped["session"] = session
        self._tls = context.wrap_bio(self._incoming, self._outgoing, **wrapped)
        inner: Any = self._tls
        kind: Any = type(self._tls)
        if kind.read is ssl.SSLObject.read and kind.write is ssl.SSLObject.write:
            # They only pass the call on, which costs a Python call a message.
            inner = getattr(inner, "_sslobj", inner)
        self._decrypt: Callable[..., Any] = inner.read
        self._encrypt: Callable[[bytes | memoryview], int] = inner.write
        self._fills: bool = _takes_room(kind.read)
        self.is_users: bool = kind.do_handshake is not ssl.SSLObject.do_handshake
        self._failure: OSError | None = None  # to be raised behind what was read before it
        self._is_partly_read = False  # of a record some was read, and the rest not
        self._put = self._incoming.write
        self._take = self._outgoing.read

    def shake_hands(self) -> bool:
        """Go on with the handshake; whether it is done.

        Raises:
            ssl.SSLError: It failed. A certificate that was not accepted is on it, as
                `peer_certificate`: what ``getpeercert`` would give, or None.
        """
        import ssl

        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            return False
        except ssl.SSLCertVerificationError as error:
            failure: Any = error
            failure.peer_certificate = _peer_certificate(self._tls)
            raise
        return True

    @property
    def is_resumed(self) -> bool:
        """Whether an earlier session goes on, once the handshake is done."""
        return bool(self._tls.session_reused)

    def ticket_of_its_own(self) -> ssl.SSLSession | None:
        """A session that may be resumed, of a handshake for which the certificate was looked at.

        None of one that was resumed itself, and where the server has given nothing to do so.
        """
        session = None if self.is_resumed else self._tls.session
        return session if session is not None and session.has_ticket else None

    @property
    def secured(self) -> Secured:
        """What was agreed on, and with whom, once the handshake is done."""
        tls = self._tls
        cipher = tls.cipher()
        return Secured(
            tls.version(),
            None if cipher is None else cipher[0],
            tls.selected_alpn_protocol(),
            tls.getpeercert(),
            tls.getpeercert(True),
        )

    def feed(self, data: bytes) -> None:
        """Records from below; empty bytes at the end of the stream."""
        if data:
            self._put(data)
        else:
            self._incoming.write_eof()
            self._is_partly_read = True

    def has_more(self) -> bool:
        """Whether something is left that was fed, if only a part of a record or the end."""
        return self._is_partly_read or self._incoming.pending > 0

    def read(self) -> bytes | None:
        """Plain bytes; None if more records are needed; empty at the end of the stream.

        Raises:
            ssl.SSLError: The records are broken.
        """
        self._is_partly_read = False
        # A record is longer than what it carries. Python makes room for as much as is asked for.
        size = min(self._incoming.pending or _RECORD, _RECORD)
        try:
            data: bytes = self._decrypt(size)
        except OSError as error:
            self._judge(error)
            return b"" if self.has_ended else None
        # Behind the start of a record, which was fed before, it may be more all the same.
        self._is_partly_read = len(data) == size
        self.has_ended = not data  # the peer has said so: close_notify
        return data

    def read_all(self) -> bytes | None:
        """The bytes of all records that are here; None, or empty, as `read` has it."""
        if self._failure is not None:
            raise self._failure
        data: bytes | None = b""
        if self._incoming.pending <= _LONGEST:  # mostly one record, whose bytes need no other place
            data = self.read()
            if not data or not self._incoming.pending:
                return data
        buffer = Buffer()
        if data:
            buffer.add(data)
        try:
            # Each record is read behind the one before, where the session has them all.
            while (left := self._incoming.pending) > 0:
                room = buffer.room(left)
                try:
                    count = self.read_into(room)
                finally:
                    room.release()
                if not count:
                    break
                buffer.filled(count)
        except OSError as error:
            if not buffer.size:
                raise
            self._failure = error
            self._is_partly_read = True
        if buffer.size:
            return buffer.data()
        return b"" if self.has_ended else None

    def read_into(self, room: memoryview) -> int:
        """Read into the room; the number of bytes, 0 if none are here."""
        self._is_partly_read = False
        if self._failure is not None:
            raise self._failure
        try:
            if self._fills:
                count: Any = self._decrypt(len(room), room)  # the stubs know bytes only
            else:
                data: bytes = self._decrypt(len(room))
                count = len(data)
                room[:count] = data
        except OSError as error:
            self._judge(error)
            return 0
        self._is_partly_read = count == len(room)
        self.has_ended = not count
        return int(count)

    def _judge(self, error: OSError) -> None:
        """Raise the error unless it only says that nothing more is here."""
        import ssl

        if isinstance(error, (ssl.SSLZeroReturnError, ssl.SSLEOFError)):
            self.has_ended = True
        elif not isinstance(error, ssl.SSLWantReadError):
            raise error

    def write(self, data: bytes) -> None:
        """Plain bytes from above."""
        done = self._encrypt(data)
        while done < len(data):
            done += self._encrypt(memoryview(data)[done:])

    def end(self) -> None:
        """Nothing more will be written: close_notify."""
        with contextlib.suppress(OSError, ValueError):
            self._tls.unwrap()

    def take(self) -> bytes:
        """Records to be written below."""
        return self._take()


def _takes_room(read: Any) -> bool:
    """Whether an SSLObject's `read`, which may be the user's own, can read into a place."""
    code = getattr(read, "__code__", None)
    return code is None or code.co_argcount > _SIZE_AND_ROOM or bool(code.co_flags & _ANY_NUMBER)


def shake_hands(layer: TLSLayer, enqueue: Callable[[bytes], None]) -> bool:
    """A step of the handshake; whether it is done.

    Arguments:
        layer: Whose.
        enqueue: Passes bytes down through all layers, and takes what they have to say.

    Raises:
        OSError, ValueError: It failed.
        Failed: What the user's own class raised.
    """
    try:
        done = layer.shake_hands()
        enqueue(b"")
        return done
    except (OSError, ValueError):
        raise
    except Exception as error:
        if layer.is_users:
            raise Failed(error, monotonic()) from None
        raise


def _peer_certificate(tls: Any) -> Any:
    """What is known of the peer's certificate after a handshake that failed.

    Python has no public way to it: ``getpeercert`` wants a handshake that is done, and
    ``get_unverified_chain`` (3.13) gives bytes that nothing here can read. It is only for words:
    where the private way is gone, they say less.
    """
    try:
        return tls._sslobj.get_unverified_chain()[0].get_info()
    except (AttributeError, LookupError, OSError, TypeError, ValueError):
        return None
