"""Payloads of an exact size, and a comparison whose failure is short even for 16 MiB."""

import random

# 10 bytes of UTF-8: characters of one, two, three and four bytes.
MIXED_TEXT = "xé€😀"

SIZES = [1, 125, 126, 127, 65_535, 65_536, 1024 * 1024, 16 * 1024 * 1024]


def text_of(size: int) -> str:
    """Return text of `size` bytes of UTF-8, most of it not ASCII."""
    repeated = MIXED_TEXT * (size // len(MIXED_TEXT.encode()))
    return repeated + "x" * (size - len(repeated.encode()))


def bytes_of(size: int) -> bytes:
    """Return `size` bytes without a pattern, the same ones each time."""
    return random.Random(size).randbytes(size)


def fragmented_text_of(size: int) -> str:
    """Return what the servers send as "fragment": `size` bytes of two-byte characters."""
    return "".join(chr(0x100 + number % 0x600) for number in range(size // 2))


def assert_same(actual: str | bytes, expected: str | bytes) -> None:
    """Compare payloads, naming the first difference only."""
    if actual == expected:
        return
    assert type(actual) is type(expected)
    pairs = enumerate(zip(actual, expected, strict=False))
    index = next((index for index, (one, other) in pairs if one != other), None)
    found = f"first difference at {index}" if index is not None else "one starts the other"
    raise AssertionError(f"{len(actual)} came, {len(expected)} were expected, {found}")
