"""Many messages in batches: made into what is sent outside of every lock."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .protocol.frames import BINARY, MAX_HEADER_SIZE, TEXT, of_message

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .payloads import Dumps

_TEXT, _BINARY, _HEAD = TEXT, BINARY, MAX_HEADER_SIZE
_MOST = 256 * 1024  # bytes of frames that go out together


class Batches:
    """An iterator of lists of opcodes and payloads, of 256 KiB at most, unless one alone has more.

    Arguments:
        messages: As a program gives them. Where asking for one raises, or it is none, what came
            before is given first.
        dumps: Writes JSON; None for json's.
    """

    __slots__ = ("_dumps", "_error", "_kept", "_messages")

    def __init__(self, messages: Iterable[Any], dumps: Dumps | None) -> None:
        self._messages = iter(messages)
        self._dumps = dumps
        self._kept: tuple[int, bytes] | None = None  # there was no room for it
        self._error: BaseException | None = None

    def __iter__(self) -> Batches:
        return self

    def __next__(self) -> list[tuple[int, bytes]]:
        batch = self.next_batch()
        if not batch:
            raise StopIteration
        return batch

    def next_batch(self) -> list[tuple[int, bytes]]:
        """The next list; an empty one at the end. Raises what asking for a message raised."""
        batch: list[tuple[int, bytes]] = []
        error, self._error = self._error, None
        if error is not None:
            raise error
        left = _MOST
        kept, self._kept = self._kept, None
        if kept is not None:
            batch.append(kept)
            left -= len(kept[1]) + _HEAD
        try:
            for message in self._messages:
                if type(message) is str:
                    payload = message.encode()
                    frame = (_TEXT, payload)
                elif type(message) is bytes:
                    payload = message
                    frame = (_BINARY, payload)
                else:
                    frame = of_message(message, self._dumps)
                    payload = frame[1]
                left -= len(payload) + _HEAD
                if left < 0 and batch:
                    self._kept = frame
                    return batch
                batch.append(frame)
        except BaseException as error:
            if not batch:
                raise
            self._error = error
        return batch
