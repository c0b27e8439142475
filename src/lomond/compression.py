"""What was negotiated about compression, what it saved, and the library that does it."""

from __future__ import annotations

import importlib
import os
from typing import Any, NamedTuple


class Compression:
    """permessage-deflate on one connection (RFC 7692): its parameters, and bytes counted.

    Attributes:
        server_no_context_takeover: Whether the server compresses each message for itself.
        client_no_context_takeover: Whether we do.
        server_max_window_bits: The server's window, as a power of two (8 to 15).
        client_max_window_bits: Ours; with 8 nothing is sent compressed, because no library can.
        backend: The library in use: ``"zlib"`` or ``"zlib-ng"``.
        sent_raw: Bytes of messages that were sent compressed, before compression.
        sent_compressed: The same, after it.
        received_compressed: Bytes of compressed messages that came.
        received_raw: The same, inflated.

    Example:
        >>> server = Server(headers={"Sec-WebSocket-Extensions": "permessage-deflate"}).closes()
        >>> with pretend(server):
        ...     events = list(WebSocket("wss://example.org", compress=True))
        >>> events[2].compression.server_max_window_bits
        15
    """

    __slots__ = (
        "backend", "client_max_window_bits", "client_no_context_takeover", "received_compressed",
        "received_raw", "sent_compressed", "sent_raw", "server_max_window_bits",
        "server_no_context_takeover",
    )  # fmt: skip

    def __init__(
        self,
        server_no_context_takeover: bool = False,
        client_no_context_takeover: bool = False,
        server_max_window_bits: int = 15,
        client_max_window_bits: int = 15,
        backend: str = "",
    ) -> None:
        self.server_no_context_takeover = server_no_context_takeover
        self.client_no_context_takeover = client_no_context_takeover
        self.server_max_window_bits = server_max_window_bits
        self.client_max_window_bits = client_max_window_bits
        self.backend = backend
        self.sent_raw = self.sent_compressed = 0
        self.received_compressed = self.received_raw = 0

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.__slots__)
        return f"Compression({fields})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Compression):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in self.__slots__)

    __hash__ = None  # type: ignore[assignment]  # it changes

    def __reduce__(self) -> tuple[Any, ...]:
        return rebuild, tuple([getattr(self, name) for name in self.__slots__])


def rebuild(*values: Any) -> Compression:
    """What was pickled: the values of its attributes, in their order."""
    again = Compression()
    for name, value in zip(Compression.__slots__, values, strict=True):
        setattr(again, name, value)
    return again


class Backend(NamedTuple):
    """A library with the interface of the standard library's ``zlib``."""

    name: str
    compressobj: Any
    decompressobj: Any
    error: type[Exception]  #: what it raises for broken data


_MODULES = {"zlib-ng": "zlib_ng.zlib_ng", "zlib": "zlib"}  # the preferred first
_VARIABLE = "LOMOND_DEFLATE"
chosen: Backend | None = None  #: by `chosen_backend`; None where nobody has asked yet


def chosen_backend() -> Backend:
    """The library of this process.

    It is chosen, and imported, when compression is first asked for: the one that the environment
    variable LOMOND_DEFLATE names, or else the first that can be imported.

    Raises:
        ValueError: The variable names none that is known.
        ImportError: What it names can't be imported, or nothing can.
    """
    global chosen
    if chosen is None:
        chosen = _choose()
    return chosen


def load_backend(name: str) -> Backend:
    """The library ``"zlib"`` or ``"zlib-ng"``. Raises whatever importing it raises."""
    module = importlib.import_module(_MODULES[name])
    return Backend(name, module.compressobj, module.decompressobj, module.error)


def _choose() -> Backend:
    named = os.environ.get(_VARIABLE)
    known = " or ".join(_MODULES)
    if named and named not in _MODULES:
        raise ValueError(f"{_VARIABLE} is {named!r}; set it to {known}, or not at all")
    cause = None
    for name in [named] if named else _MODULES:
        try:
            return load_backend(name)
        except Exception as error:  # a broken one, too, is no reason to go without the next
            cause = error
    what = f"{_VARIABLE} is {named!r}, which" if named else f"to compress, {known} is needed; none"
    otherwise = ", or unset the variable" if named else ""
    raise ImportError(
        f"{what} can't be imported ({cause}): pip install 'lomond[speed]'{otherwise}"
    ) from cause
