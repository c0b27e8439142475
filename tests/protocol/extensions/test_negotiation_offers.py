"""Which extensions are offered, by the options that ask for them."""

from __future__ import annotations

from lomond.options import Deflate
from lomond.protocol.extensions.negotiation import offers


def test_nothing_is_offered_that_was_not_asked_for() -> None:
    assert offers(None) == ()


def test_compression() -> None:
    (offer,) = offers(Deflate(client_max_window_bits=10))
    assert offer.name == "permessage-deflate"
    assert offer.offer() == "permessage-deflate; client_max_window_bits=10"
