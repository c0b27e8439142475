"""Looking for a close frame by frame heads alone: RFC 6455 section 5.2. Judges nothing else."""

from __future__ import annotations

import sys

from .frames import CLOSE, OPCODE_BITS

_LENGTH_BITS = 0x7F
_LARGEST = sys.maxsize // 4  # bytes; of what is longer, nobody sees the end


def seek_close(data: bytes, position: int) -> tuple[int, bool]:
    """Where the first close frame begins, and whether there is one.

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
