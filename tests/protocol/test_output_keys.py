"""Masking keys: each is used once, and they are drawn in batches."""

from __future__ import annotations

import os

from lomond.protocol import frames
from lomond.protocol.output import MaskingKeys
from lomond.testing.alone import counting_bytes
from protocol.connections import opened


def test_each_masking_key_is_given_out_once_and_drawn_in_batches() -> None:
    drawn = []

    def random_bytes(size: int) -> bytes:
        drawn.append(size)
        return os.urandom(size)

    keys = MaskingKeys(random_bytes)
    taken = [keys.take() for _ in range(5000)]
    assert all(len(key) == 4 for key in taken)
    assert len(set(taken)) > 4990  # 32 bits at random: next to no chance of many repetitions
    assert len(drawn) < 20
    assert max(drawn) == 4096


def test_every_frame_has_a_key_of_its_own_from_the_source() -> None:
    connection = opened(random_bytes=counting_bytes())
    for _ in range(3000):
        connection.send(frames.BINARY, b"\0\0\0\0")
    sent = connection.output.take()
    keys = [sent[i + 2 : i + 6] for i in range(0, len(sent), 10)]
    assert [sent[i + 6 : i + 10] for i in range(0, len(sent), 10)] == keys
    assert [int.from_bytes(key, "big") for key in keys] == list(range(1, 3001))
