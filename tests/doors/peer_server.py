"""Runs a scripted peer on a real listening socket of 127.0.0.1, in a thread."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from lomond.testing.peer import Peer, Talk
from lomond.testing.server import PeerServer
from patience import PATIENCE
from refcounts import end_what_was_dropped


@contextmanager
def served(talk: Callable[[Peer], Talk], patience: float = PATIENCE) -> Iterator[PeerServer]:
    """A server whose every connection runs the script."""
    with PeerServer(talk, patience) as server:
        try:
            yield server
        finally:
            end_what_was_dropped()
