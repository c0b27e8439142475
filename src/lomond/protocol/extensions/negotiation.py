"""Extensions in the opening handshake: RFC 6455 section 9.1 and RFC 7692 sections 5 and 7.1."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ...compression import Compression
from ...errors import CompressionParameterError, HandshakeError
from ...response import printable

if TYPE_CHECKING:
    from ...options import Deflate

NAME = "permessage-deflate"

_WORD = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
# A value in quotes must be a token too, once quotes and backslashes are gone (9.1).
_PARAMETER = re.compile(
    rf'[ \t]*;[ \t]*({_WORD})(?:[ \t]*=[ \t]*(?:({_WORD})|"((?:[^"\\]|\\.)*)"))?'
)
_EXTENSION = re.compile(rf"[ \t]*({_WORD})((?:{_PARAMETER.pattern})*)[ \t]*(?:,|\Z)")
_BLANK = re.compile(r"[ \t]*(?:,|\Z)")
_BITS = re.compile(r"[89]|1[0-5]")  # 7.1.2: no leading zeros

Parameters = list[tuple[str, str | None]]


def offer(options: Deflate) -> str:
    """What the request says."""
    said = [NAME]
    if options.server_no_context_takeover:
        said.append("server_no_context_takeover")
    if options.client_no_context_takeover:
        said.append("client_no_context_takeover")
    if options.server_max_window_bits < 15:
        said.append(f"server_max_window_bits={options.server_max_window_bits}")
    bits = options.client_max_window_bits
    said.append("client_max_window_bits" if bits == 15 else f"client_max_window_bits={bits}")
    return "; ".join(said)


def accepted(header: str, options: Deflate | None) -> Compression | None:
    """What the server's answer means; None if it chose no extension.

    Arguments:
        header: All its Sec-WebSocket-Extensions headers, joined.
        options: What was offered; None for nothing.

    Raises:
        HandshakeError: It answers what was not offered, or with parameters that may not be.
    """
    found = parse(header)
    if not found:
        return None
    for name, _ in found:
        if options is None or name.lower() != NAME:
            # RFC 6455 4.1, item 5: an extension that was not requested: MUST fail the connection.
            said = printable(name)
            raise HandshakeError(f"Server chose extension '{said}', which was not offered")
    if len(found) > 1:
        raise HandshakeError(f"Server chose extension {NAME!r} twice")
    assert options is not None
    return _agreed(found[0][1], options)


def parse(header: str) -> list[tuple[str, Parameters]]:
    """The extensions of a header, each with its parameters.

    Raises:
        HandshakeError: It does not follow the grammar.
    """
    found: list[tuple[str, Parameters]] = []
    position = 0
    while position < len(header):
        blank = _BLANK.match(header, position)
        if blank:
            position = blank.end()
            continue
        extension = _EXTENSION.match(header, position)
        if extension is None:
            said = printable(header)
            raise HandshakeError(f"Sec-WebSocket-Extensions can't be read: '{said}'")
        parameters: Parameters = []
        for name, value, quoted in (m.groups() for m in _PARAMETER.finditer(extension.group(2))):
            if quoted is not None:
                value = re.sub(r"\\(.)", r"\1", quoted)
                if not re.fullmatch(_WORD, value):
                    said = printable(value)
                    raise HandshakeError(f"Sec-WebSocket-Extensions has the value '{said}'")
            parameters.append((name, value))
        found.append((extension.group(1), parameters))
        position = extension.end()
    return found


def _agreed(parameters: Parameters, options: Deflate) -> Compression:
    """RFC 7692 section 7.1: what the server may say, given our offer."""
    agreed = Compression(client_max_window_bits=options.client_max_window_bits)
    seen: set[str] = set()
    for name, value in parameters:
        # Section 7: a client MUST fail the connection for a name, a value or a repetition
        # that is not defined.
        if name in seen:
            raise CompressionParameterError(f"{printable(name)} stands twice")
        seen.add(name)
        if name == "server_no_context_takeover" or name == "client_no_context_takeover":
            if value is not None:
                said = printable(value)
                raise CompressionParameterError(f"{name}={said} is invalid; it has no value")
            setattr(agreed, name, True)
        elif name == "server_max_window_bits" or name == "client_max_window_bits":
            setattr(agreed, name, _bits(name, value, getattr(options, name)))
        else:
            raise CompressionParameterError(f"{NAME} has no parameter {printable(name)}")
    # 7.1.1.1 and 7.1.2.1: to accept the offer of one of these is to repeat it.
    if options.server_no_context_takeover and "server_no_context_takeover" not in seen:
        raise CompressionParameterError("server_no_context_takeover was asked for, and is missing")
    if options.server_max_window_bits < 15 and "server_max_window_bits" not in seen:
        raise CompressionParameterError("server_max_window_bits was asked for, and is missing")
    if options.client_no_context_takeover:
        agreed.client_no_context_takeover = True
    return agreed


def _bits(name: str, value: str | None, offered: int) -> int:
    if value is None:
        raise CompressionParameterError(f"{name} has no value")
    if not _BITS.fullmatch(value):
        said = printable(value)
        raise CompressionParameterError(f"{name}={said} is invalid; it can be 8 to 15")
    if int(value) > offered:
        raise CompressionParameterError(f"{name}={value} is more than was offered ({offered})")
    return int(value)
