"""Extensions in the upgrade, RFC 6455 section 9.1: which there are, the offer, the agreement."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ...errors import HandshakeError
from ...response import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...options import Deflate
    from .extension import Extension, Offer, Parameters

_WORD = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
# A value in quotes must be a token too, once quotes and backslashes are gone (9.1).
# Compiled when a server has chosen some.
_PARAMETER = rf'[ \t]*;[ \t]*({_WORD})(?:[ \t]*=[ \t]*(?:({_WORD})|"((?:[^"\\]|\\.)*)"))?'
_EXTENSION = rf"[ \t]*({_WORD})((?:{_PARAMETER})*)[ \t]*(?:,|\Z)"
_BLANK = r"[ \t]*(?:,|\Z)"


def offers(compress: Deflate | None) -> tuple[Offer, ...]:
    """What a connection offers.

    Arguments:
        compress: As the option of that name says it.
    """
    if compress is None:
        return ()
    from .permessage_deflate import DeflateOffer

    return (DeflateOffer(compress),)


def offered(offers: Sequence[Offer]) -> str:
    """What the request says."""
    return ", ".join([offer.offer() for offer in offers])


def accepted(header: str, offers: Sequence[Offer]) -> list[Extension]:
    """The extensions that the server chose, in its order.

    Arguments:
        header: All its Sec-WebSocket-Extensions headers, joined.
        offers: What was offered.

    Raises:
        HandshakeError: It chose what was not offered, or what can't be together, or answers with
            parameters that may not be.
    """
    known = {offer.name: offer for offer in offers}
    found = parse(header)
    for name, _ in found:
        if name.lower() not in known:
            # 4.1, item 5: an extension that was not requested: MUST fail the connection.
            said = printable(name)
            raise HandshakeError(f"Server chose extension '{said}', which was not offered")
    agreed: list[Extension] = []
    marked: dict[int, Extension] = {}
    for name, parameters in found:
        offer = known.pop(name.lower(), None)
        if offer is None:
            raise HandshakeError(f"Server chose extension {name.lower()!r} twice")
        extension = offer.accept(parameters)
        other = marked.setdefault(extension.bit, extension)
        if other is not extension:
            raise HandshakeError(
                f"Server chose both extensions {other.name!r} and {extension.name!r}, which mark "
                "messages by the same reserved bit"
            )
        agreed.append(extension)
    return agreed


def parse(header: str) -> list[tuple[str, Parameters]]:
    """The extensions of a header, each with its parameters.

    Raises:
        HandshakeError: It does not follow the grammar.
    """
    found: list[tuple[str, Parameters]] = []
    blanks, extensions = re.compile(_BLANK), re.compile(_EXTENSION)
    position = 0
    while position < len(header):
        blank = blanks.match(header, position)
        if blank:
            position = blank.end()
            continue
        extension = extensions.match(header, position)
        if extension is None:
            said = printable(header)
            raise HandshakeError(f"Sec-WebSocket-Extensions can't be read: '{said}'")
        parameters: Parameters = []
        for name, value, quoted in (
            m.groups() for m in re.finditer(_PARAMETER, extension.group(2))
        ):
            if quoted is not None:
                value = re.sub(r"\\(.)", r"\1", quoted)
                if not re.fullmatch(_WORD, value):
                    said = printable(value)
                    raise HandshakeError(f"Sec-WebSocket-Extensions has the value '{said}'")
            parameters.append((name, value))
        found.append((extension.group(1), parameters))
        position = extension.end()
    return found
