"""What `send_stream` is given, and what is made of it."""

from __future__ import annotations

import array
import io
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from lomond.sources import FRAGMENT, awaited_pieces, pieces


@given(st.lists(st.one_of(st.text(max_size=20), st.text(max_size=3).map(lambda t: t * 40_000))))
def test_pieces_of_text_are_cut_at_code_points(given_pieces: list[str]) -> None:
    found = list(pieces(given_pieces, True))
    assert all(0 < len(one) <= FRAGMENT for one in found)
    assert "".join(one.decode() for one in found) == "".join(given_pieces)


@given(st.lists(st.integers(0, 200_000).map(bytes), max_size=4))
def test_pieces_of_bytes_are_cut(given_pieces: list[bytes]) -> None:
    found = list(pieces(given_pieces, False))
    assert all(0 < len(one) <= FRAGMENT for one in found)
    assert b"".join(found) == b"".join(given_pieces)


def test_whatever_is_like_bytes() -> None:
    given_pieces = [bytearray(b"ab"), memoryview(b"cde")[1:], array.array("H", [1, 2])]
    assert b"".join(pieces(given_pieces, False)) == b"abde" + array.array("H", [1, 2]).tobytes()
    with pytest.raises(TypeError, match="must be bytes-like"):
        list(pieces([memoryview(b"abcd")[::2]], False))


def test_files_are_read_and_left_open(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * 200_000)
    with path.open("rb") as file:
        assert b"".join(pieces(file, False)) == b"x" * 200_000
        assert not file.closed
    with path.open("rb", buffering=0) as raw:
        assert len(b"".join(pieces(raw, False))) == 200_000
    with path.open(encoding="utf-8") as text:
        assert len(b"".join(pieces(text, True))) == 200_000
    assert list(pieces(io.StringIO("hé"), True)) == ["hé".encode()]


@pytest.mark.parametrize(
    ("piece", "is_text", "said"),
    [
        ("x", False, "for str give text=True"),
        (b"x", True, "leave text=True out"),
        (5, False, "must be bytes-like"),
        (None, True, "must be a str"),
    ],
)
def test_a_piece_that_is_none(piece: Any, is_text: bool, said: str) -> None:
    with pytest.raises(TypeError, match=said):
        list(pieces([piece], is_text))


def test_a_generator_is_closed() -> None:
    ended = []

    def source() -> Iterator[bytes]:
        try:
            yield b"1"
            yield b"2"
        finally:
            ended.append(True)

    cut: Any = pieces(source(), False)
    assert next(cut) == b"1"
    cut.close()
    assert ended == [True]


async def numbers() -> AsyncIterator[bytes]:
    yield b"1"
    yield bytes(100_000)


def test_what_is_awaited_is_none_for_a_thread() -> None:
    with pytest.raises(TypeError, match="goes with AsyncWebSocket"):
        pieces(numbers(), False)

    async def all_of() -> list[int]:
        return [len(one) async for one in awaited_pieces(numbers(), False)]

    import asyncio

    assert asyncio.run(all_of()) == [1, 65_536, 34_464]
