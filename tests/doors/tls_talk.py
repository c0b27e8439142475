"""TLS in memory: our layer against Python's server, so that no socket loses an alert."""

from __future__ import annotations

import contextlib
import ssl

from lomond.session.causes import tls_words
from lomond.system.layers import TLSLayer

HOST = "127.0.0.1"
_ROUNDS = 10


def talk(client: ssl.SSLContext, server: ssl.SSLContext, name: str = HOST) -> dict[str, object]:
    """Shake hands, and read once; the client's certificate as the server sees it.

    Raises:
        ssl.SSLError: What the client meets.
    """
    layer = TLSLayer(client, name)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    other = server.wrap_bio(incoming, outgoing, server_side=True)
    is_done = is_broken = False
    for _ in range(_ROUNDS):
        is_done = is_done or layer.shake_hands()
        incoming.write(layer.take())
        with contextlib.suppress(ssl.SSLWantReadError):
            try:
                if not is_broken:
                    other.do_handshake()
            except ssl.SSLWantReadError:
                raise
            except ssl.SSLError:
                is_broken = True  # its alert is in what it says last
        if records := outgoing.read():
            layer.feed(records)
        if is_done:
            layer.read()  # with TLS 1.3 a server speaks of our certificate after the handshake
    assert is_done
    assert not is_broken
    return other.getpeercert() or {}


def failure(client: ssl.SSLContext, server: ssl.SSLContext, name: str = HOST) -> str:
    """What a client is told of a handshake that fails."""
    try:
        talk(client, server, name)
    except ssl.SSLError as error:
        return tls_words(error)
    raise AssertionError("the handshake was done")
