"""What an extension is (RFC 6455 section 9): offered and accepted in the upgrade, then in use.

An extension changes whole messages. It marks each that it has changed by a reserved bit of its own,
on the first frame (5.2); frames' headers and control frames are not its business. Where there are
several, the order of operations is that of the server's answer (9.1).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

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


class Incoming:
    """Changes messages back, one after another, each whole or as its bytes come.

    `limit` is the most bytes that a message may come to. What would pass it must not be made: a
    few bytes can stand for a great many.

    All raise ProtocolError for what can't be read, and PayloadTooLarge above the limit. A class and
    no Protocol, so that C can call `whole` of any of them.

    Arguments:
        noun: What a message is called that is to be changed back.
    """

    __slots__ = ("noun",)

    def __init__(self, noun: str) -> None:
        self.noun = noun

    def most(self, size: int, pieces: int) -> int:
        """The most bytes that a message of that size may be sent in, in so many frames."""
        raise NotImplementedError

    def whole(self, data: bytes, start: int, end: int, limit: int) -> bytes:
        """The message whose bytes lie in the data from the start to the end, changed back."""
        raise NotImplementedError

    def feed(self, data: bytes | memoryview, buffer: bytearray, limit: int) -> None:
        """Append to the buffer what the next bytes of a message come to."""
        raise NotImplementedError

    def finish(self, buffer: bytearray, limit: int) -> None:
        """The message has ended: append what is left of it."""
        raise NotImplementedError


class Outgoing(Protocol):
    """Changes messages that are sent, one after another."""

    def change(self, payload: bytes, compress: bool) -> bytes | None:
        """The message changed; None if it is to be sent as it is.

        Arguments:
            payload: The message.
            compress: Whether the user lets it be compressed.
        """
        ...


class Chain(Incoming):
    """Changes back what several extensions have changed.

    Arguments:
        stages: What was changed last comes first.
    """

    __slots__ = ("_last", "_outer")

    def __init__(self, stages: Sequence[Incoming]) -> None:
        super().__init__(stages[0].noun)
        self._outer = stages[:-1]
        self._last = stages[-1]

    def most(self, size: int, pieces: int) -> int:
        """The most bytes that a message of that size may be sent in, in so many frames."""
        size = self._last.most(size, pieces)
        for stage in reversed(self._outer):
            size = stage.most(size, pieces)
        return size

    def whole(self, data: bytes, start: int, end: int, limit: int) -> bytes:
        """The message whose bytes lie in the data from the start to the end, changed back."""
        for stage, most in self._bounded(limit):
            data = stage.whole(data, start, end, most)
            start, end = 0, len(data)
        return self._last.whole(data, start, end, limit)

    def feed(self, data: bytes | memoryview, buffer: bytearray, limit: int) -> None:
        """Append to the buffer what the next bytes of a message come to."""
        for stage, most in self._bounded(limit):
            between = bytearray()
            stage.feed(data, between, most)
            data = bytes(between)
        self._last.feed(data, buffer, limit)

    def finish(self, buffer: bytearray, limit: int) -> None:
        """The message has ended: append what is left of it."""
        data = b""
        for stage, most in self._bounded(limit):
            between = bytearray()
            stage.feed(data, between, most)
            stage.finish(between, most)
            data = bytes(between)
        self._last.feed(data, buffer, limit)
        self._last.finish(buffer, limit)

    def _bounded(self, limit: int) -> list[tuple[Incoming, int]]:
        """The outer stages, each with the most that it may make of what it is given."""
        bounded: list[tuple[Incoming, int]] = []
        most = self._last.most(limit, 1)
        for stage in reversed(self._outer):
            bounded.insert(0, (stage, most))
            most = stage.most(most, 1)
        return bounded


class Failed(Incoming):
    """Stands for what has failed with a whole message, and does so again for whoever asks next.

    Arguments:
        error: How it failed.
        noun: What the message is called.
    """

    __slots__ = ("_error",)

    def __init__(self, error: Exception, noun: str) -> None:
        super().__init__(noun)
        self._error = error

    def most(self, size: int, pieces: int) -> int:
        """The most bytes that the message may be sent in: it was not too long."""
        return size

    def whole(self, data: bytes, start: int, end: int, limit: int) -> NoReturn:
        """Raises what was raised."""
        raise self._error


def changed_back(extensions: Sequence[Extension]) -> dict[int, Incoming]:
    """What changes a message back, by the reserved bits of its first frame."""
    found: dict[int, list[Incoming]] = {}
    for extension in extensions:
        ours = extension.incoming()
        # What comes later in the answer was done later, and is undone earlier.
        for bits, inner in [(0, []), *found.items()]:
            found[bits | extension.bit] = [ours, *inner]
    return {bits: _as_one(stages) for bits, stages in found.items()}


def _as_one(stages: list[Incoming]) -> Incoming:
    return stages[0] if len(stages) == 1 else Chain(stages)


def changes(extensions: Sequence[Extension]) -> tuple[tuple[int, Outgoing], ...]:
    """What changes a message that is sent, in order, each with the bit that says so."""
    found: list[tuple[int, Outgoing]] = []
    for extension in extensions:
        ours = extension.outgoing()
        if ours is not None:
            found.append((extension.bit, ours))
    return tuple(found)
