"""The extensions that lomond has, by the options that ask for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .permessage_deflate import DeflateOffer

if TYPE_CHECKING:
    from ...options import Deflate
    from .extension import Offer


def offers(compress: Deflate | None) -> tuple[Offer, ...]:
    """What a connection offers.

    Arguments:
        compress: As the option of that name says it.
    """
    return () if compress is None else (DeflateOffer(compress),)
