"""What `send_many` is given, in batches."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lomond.gathering import Batches
from lomond.protocol.frames import BINARY, TEXT


def test_messages_go_in_batches() -> None:
    messages = ["a", b"b", bytearray(b"c"), {"d": 1}, [2]]
    assert list(Batches(messages, None)) == [
        [(TEXT, b"a"), (BINARY, b"b"), (BINARY, b"c"), (TEXT, b'{"d":1}'), (TEXT, b"[2]")]
    ]
    assert list(Batches([], None)) == []
    large = [bytes(size) for size in (10, 300_000, 10, 200_000, 50_000, 20_000)]
    found = list(Batches(large, None))
    assert [[len(payload) for _, payload in batch] for batch in found] == [
        [10], [300_000], [10, 200_000, 50_000], [20_000],
    ]  # fmt: skip


def test_what_was_gathered_before_an_error_comes_first() -> None:
    def fails() -> Iterator[str]:
        yield "a"
        raise ValueError("no more")

    found = Batches(fails(), None)
    assert next(found) == [(TEXT, b"a")]
    with pytest.raises(ValueError, match="no more"):
        next(found)
    found = Batches(["a", 5], None)
    assert next(found) == [(TEXT, b"a")]
    with pytest.raises(TypeError, match="a message must be"):
        next(found)
