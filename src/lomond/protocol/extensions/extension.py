"""What an extension is (RFC 6455 section 9): offered and accepted in the upgrade, then in use.

An extension changes whole messages. It marks each that it has changed by a reserved bit of its own,
on the first frame (5.2); frames' headers and control frames are not its business.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ...compression import Compression

Parameters = list[tuple[str, str | None]]


class Offer(Protocol):
    """An extension that a client would use."""

    @property
    def name(self) -> str:
        """The name that is registered, a token in lower case."""
        ...

    def offer(self) -> str:
        """What the request says: the name, and parameters."""
        ...

    def accept(self, parameters: Parameters) -> Extension:
        """The extension for one connection, as the server's answer has it.

        Raises:
            HandshakeError: The parameters may not be.
        """
        ...


class Extension(Protocol):
    """An extension in use on one connection."""

    @property
    def name(self) -> str:
        """The name that was offered."""
        ...

    @property
    def bit(self) -> int:
        """The reserved bit of a frame's first byte that marks what it has changed."""
        ...

    @property
    def compression(self) -> Compression | None:
        """What users are told of it, if it compresses."""
        ...

    def incoming(self) -> Incoming:
        """What changes the messages that come."""
        ...

    def outgoing(self) -> Outgoing | None:
        """What changes the messages that are sent; None if they are to be left as they are."""
        ...


class Incoming(Protocol):
    """Changes messages back, one after another, each whole or as its bytes come.

    `limit` is the most bytes that a message may come to. What would pass it must not be made: a
    few bytes can stand for a great many.

    All raise ProtocolError for what can't be read, and PayloadTooLarge above the limit.
    """

    @property
    def noun(self) -> str:
        """What a message is called that is to be changed back."""
        ...

    def most(self, size: int, pieces: int) -> int:
        """The most bytes that a message of that size may be sent in, in so many frames."""
        ...

    def whole(self, payload: bytes, limit: int) -> bytes:
        """A message that is here in one piece, changed back."""
        ...

    def feed(self, data: bytes | memoryview, buffer: bytearray, limit: int) -> None:
        """Append to the buffer what the next bytes of a message come to."""
        ...

    def finish(self, buffer: bytearray, limit: int) -> None:
        """The message has ended: append what is left of it."""
        ...


class Outgoing(Protocol):
    """Changes messages that are sent, one after another."""

    def change(self, payload: bytes, compress: bool) -> bytes | None:
        """The message changed; None if it is to be sent as it is.

        Arguments:
            payload: The message.
            compress: Whether the user lets it be compressed.
        """
        ...
