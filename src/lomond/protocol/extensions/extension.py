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
_BETWEEN = 64 * 1024  # bytes; the most that goes from one extension to the next at a time


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

    def put(self, data: bytes | memoryview) -> None:
        """The next bytes of a message; all that came before them has been taken."""
        raise NotImplementedError

    def end(self) -> None:
        """The message has ended; all that came of it has been taken, but for what is left now."""
        raise NotImplementedError

    def take(self, most: int, limit: int) -> bytes:
        """What the bytes that were put come to, at most so many of it at a time.

        b"" where all of it was taken: more may be put then, or the message is over.
        """
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

    def begin(self, compress: bool) -> bool:
        """A message begins whose length nobody knows yet; whether it is changed.

        Arguments:
            compress: As of `change`.
        """
        ...

    def piece(self, payload: bytes, is_last: bool) -> bytes:
        """The next bytes of that message changed: all that says what they are."""
        ...


class Chain(Incoming):
    """Changes back what several extensions have changed.

    Arguments:
        stages: What was changed last comes first.
    """

    __slots__ = ("_ended", "_stages")

    def __init__(self, stages: Sequence[Incoming]) -> None:
        super().__init__(stages[0].noun)
        self._stages = stages
        self._ended = 0  # how many of the stages were told that the message has

    def most(self, size: int, pieces: int) -> int:
        """The most bytes that a message of that size may be sent in, in so many frames."""
        for stage in reversed(self._stages):
            size = stage.most(size, pieces)
        return size

    def whole(self, data: bytes, start: int, end: int, limit: int) -> bytes:
        """The message whose bytes lie in the data from the start to the end, changed back."""
        for stage, most in zip(self._stages, self._limits(limit), strict=True):
            data = stage.whole(data, start, end, most)
            start, end = 0, len(data)
        return data

    def put(self, data: bytes | memoryview) -> None:
        """The next bytes of a message; all that came before them has been taken."""
        self._stages[0].put(data)

    def end(self) -> None:
        """The message has ended."""
        self._stages[0].end()
        self._ended = 1

    def take(self, most: int, limit: int) -> bytes:
        """What the bytes that were put come to, at most so many of it at a time."""
        stages, limits = self._stages, self._limits(limit)
        last = at = len(stages) - 1
        while True:
            piece = stages[at].take(most if at == last else _BETWEEN, limits[at])
            if piece and at == last:
                return piece
            if piece:
                at += 1
                stages[at].put(piece)
            elif at + 1 == self._ended <= last:  # it is over, and the next one does not know yet
                at += 1
                stages[at].end()
                self._ended += 1
            elif at == last < self._ended:
                self._ended = 0
                return b""
            elif at == 0:
                return b""
            else:
                at -= 1

    def _limits(self, limit: int) -> list[int]:
        """The most that each stage may make of a message."""
        limits = [limit]
        for stage in reversed(self._stages[1:]):
            limits.insert(0, stage.most(limits[0], 1))
        return limits


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
