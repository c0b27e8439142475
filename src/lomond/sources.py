"""What `send_stream` is given: a file, or an iterable of pieces; as payloads of frames."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from .payloads import shown

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Iterable

    from typing_extensions import Buffer  # which checkers know themselves

    Piece: TypeAlias = "str | Buffer"
    #: A file that is read, or an iterable.
    Source: TypeAlias = "Iterable[Piece] | Any"
    AwaitedSource: TypeAlias = "Source | AsyncIterable[Piece]"

FRAGMENT = 64 * 1024  # bytes of one frame at most: what is to be said meanwhile stands behind it


def is_awaited(source: object) -> bool:
    """Whether the pieces of a source are awaited."""
    return hasattr(source, "__aiter__")


class Pieces:
    """What a source gives, cut into payloads of frames. Closing it closes a generator.

    Arguments:
        given: Its iterator.
        is_text: Whether its pieces are str.
    """

    def __init__(self, given: Any, is_text: bool) -> None:
        self._given = given
        self._cut = _cut_all(given, is_text)

    def __iter__(self) -> Pieces:
        return self

    def __next__(self) -> bytes:
        return next(self._cut)

    def close(self) -> None:
        """No more is asked for."""
        self._cut.close()
        close = getattr(self._given, "close", None)  # of a generator; a file is its owner's
        if close is not None:
            close()


class AwaitedPieces:
    """What a source gives whose pieces are awaited, cut in the same way."""

    def __init__(self, given: Any, is_text: bool) -> None:
        self._given = given
        self._cut = _cut_awaited(given, is_text)

    def __aiter__(self) -> AwaitedPieces:
        return self

    async def __anext__(self) -> bytes:
        return await anext(self._cut)

    async def aclose(self) -> None:
        """No more is asked for."""
        await self._cut.aclose()
        close = getattr(self._given, "aclose", None)
        if close is not None:
            await close()


def pieces(source: Any, is_text: bool) -> Pieces:
    """What a source gives, to be sent.

    Raises:
        TypeError: It is none; or, when that comes, a piece of it can't be sent.
    """
    return Pieces(_begun(source), is_text)


def awaited_pieces(source: Any, is_text: bool) -> AwaitedPieces:
    """What a source gives whose pieces are awaited, to be sent."""
    return AwaitedPieces(aiter(source), is_text)


def _begun(source: Any) -> Iterator[Any]:
    if isinstance(source, (str, bytes, bytearray, memoryview, dict)):
        how = "send_text" if isinstance(source, str) else "send_binary"
        how = "send_json" if isinstance(source, dict) else how
        what = shown(cast("object", source))
        raise TypeError(f"source must be a file or an iterable of pieces, not {what}; write {how}")
    if is_awaited(source):
        raise TypeError(
            "source must not be awaited here: an async iterable goes with AsyncWebSocket and "
            "TrioWebSocket"
        )
    read = getattr(source, "read1", None) or getattr(source, "read", None)
    if read is not None:
        return _read(partial(read, FRAGMENT))
    try:
        return iter(source)
    except TypeError:
        raise TypeError(
            f"source must be a file or an iterable of pieces, not {shown(source)}"
        ) from None


def _read(read: Any) -> Iterator[Any]:
    while piece := read():
        yield piece


def _cut_all(given: Iterator[Any], is_text: bool) -> Generator[bytes, None, None]:
    for piece in given:
        yield from _cut(piece, is_text)


async def _cut_awaited(given: Any, is_text: bool) -> AsyncGenerator[bytes, None]:
    async for piece in given:
        for payload in _cut(piece, is_text):
            yield payload


def _cut(piece: Any, is_text: bool) -> Iterator[bytes]:
    """The payloads that a piece comes to, none of them empty."""
    if is_text != isinstance(piece, str):
        if is_text:
            raise TypeError(
                f"a piece of a text must be a str, not {shown(piece)}; leave text=True out for "
                "bytes, and open a file of text with open(path, encoding='utf-8')"
            )
        raise TypeError(f"a piece must be bytes-like, not {shown(piece)}; for str give text=True")
    if is_text:
        yield from _cut_text(piece.encode())
        return
    try:
        view = memoryview(piece).cast("B")
    except TypeError as error:
        raise TypeError(f"a piece must be bytes-like, not {shown(piece)} ({error})") from None
    with view:
        if isinstance(piece, bytes) and len(piece) <= FRAGMENT:
            if piece:
                yield piece
            return
        for start in range(0, len(view), FRAGMENT):
            yield view[start : start + FRAGMENT].tobytes()


def _cut_text(data: bytes) -> Iterator[bytes]:
    start = 0
    while start < len(data):
        end = min(start + FRAGMENT, len(data))
        while end < len(data) and data[end] & 0xC0 == 0x80:  # within a code point
            end -= 1
        yield data[start:end]
        start = end
