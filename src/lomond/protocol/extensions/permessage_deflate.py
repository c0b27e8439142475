"""permessage-deflate: what is offered and agreed on, RFC 7692 sections 5 and 7.1."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ...compression import Compression, chosen_backend
from ...errors import CompressionParameterError
from ...response import printable
from ..frames import RSV1
from .deflate import MIN_WINDOW_BITS, Deflater, Inflater

if TYPE_CHECKING:
    from ...compression import Backend
    from ...options import Deflate
    from .extension import Parameters

NAME = "permessage-deflate"

_BITS = re.compile(r"[89]|1[0-5]")  # 7.1.2: no leading zeros


class DeflateOffer:
    """The extension as the user would have it.

    Arguments:
        options: How.
    """

    def __init__(self, options: Deflate) -> None:
        self.name = NAME
        self._options = options

    def offer(self) -> str:
        """What the request says."""
        options = self._options
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

    def accept(self, parameters: Parameters) -> PerMessageDeflate:
        """The extension as the server's answer has it. Raises CompressionParameterError."""
        return PerMessageDeflate(_agreed(parameters, self._options), self._options)


class PerMessageDeflate:
    """The extension on one connection.

    Arguments:
        compression: What was negotiated; bytes are counted there.
        options: The user's.
        backend: The library that does the work; None for that of the process.
    """

    def __init__(
        self, compression: Compression, options: Deflate, backend: Backend | None = None
    ) -> None:
        self.name = NAME
        self.bit = RSV1  # 6.1: says of a message's first frame that the message is compressed
        self.compression = compression
        self.options = options
        self.backend = backend or chosen_backend()
        compression.backend = self.backend.name

    def incoming(self) -> Inflater:
        """What inflates the messages that come."""
        return Inflater(self.compression, self.backend)

    def outgoing(self) -> Deflater | None:
        """What compresses the messages that are sent; None if they can't be."""
        if self.compression.client_max_window_bits < MIN_WINDOW_BITS:
            return None
        return Deflater(self.compression, self.backend, self.options)


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
