"""Masking: what is masked, and that twice gives the payload back."""

from __future__ import annotations

import os

import pytest

from lomond.protocol.mask import mask

KEY = b"\x37\xfa\x21\x3d"


@pytest.mark.parametrize("size", [*range(10), 599, 600, 601, 602, 603, 5000])
def test_masking_twice_gives_the_payload_back(size: int) -> None:
    payload = os.urandom(size)
    masked = mask(payload, KEY)
    assert bytes(masked) == bytes(byte ^ KEY[i % 4] for i, byte in enumerate(payload))
    assert bytes(mask(masked, KEY)) == payload


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
@pytest.mark.parametrize("size", [0, 5, 599, 600, 601, 1203])
def test_whatever_holds_bytes_is_masked(kind: type, size: int) -> None:
    payload = bytes(range(256)) * 5
    masked = mask(kind(payload[:size]), b"\x01\x80\xff\x00")
    assert bytes(mask(masked, b"\x01\x80\xff\x00")) == payload[:size]
