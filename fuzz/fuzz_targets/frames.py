"""Any bytes in any split: the same events, a code for each violation, nothing after the end.

No exception comes out, and no more is kept than the limits allow.
"""

from __future__ import annotations

from lomond.options import Limits

from .choices import Choices, split
from .talking import hear

_LIMITS = (
    Limits(),
    Limits(1000, 5),
    Limits(1, 1),
    Limits(70_000, None),
    Limits(None, None),
    Limits(200_000, 3),
)


def check(data: bytes) -> str:
    """One input: which limits, how the stream is cut, and the stream."""
    choices = Choices(data)
    limits = choices.pick(_LIMITS)
    auto_pong = not choices.flag()
    sizes = choices.sizes()
    stream = choices.rest()
    whole = hear([stream], limits, auto_pong=auto_pong)
    for has_short_ways in (False, True):
        pieces = hear(
            split(stream, sizes), limits, auto_pong=auto_pong, has_short_ways=has_short_ways
        )
        assert pieces.story() == whole.story(), "the split makes a difference"
        assert pieces.codes() == whole.codes(), "the split makes another code"
    short = hear([stream], limits, auto_pong=auto_pong, has_short_ways=True)
    assert short.story() == whole.story(), "the short way makes a difference"
    return "\n".join(whole.story())
