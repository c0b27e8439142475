"""What Linux tells of a connection's TCP: how far the peer's system has come."""

from __future__ import annotations

import socket
import sys
import time

import pytest

from lomond.system.sockets import asked_of
from patience import PATIENCE

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="only Linux tells how far TCP is"
)


def test_what_a_peer_does_not_read_waits_to_be_confirmed() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 20_000)
        ours = socket.create_connection(listener.getsockname())
        theirs, _ = listener.accept()
    with ours, theirs:
        ours.setblocking(False)
        sent = ours.send(bytes(10_000_000))
        before = asked_of(ours)
        assert before is not None
        assert before.waiting > 0
        assert 0 <= before.quiet < 60
        theirs.settimeout(PATIENCE)
        left = sent
        while left:
            left -= len(theirs.recv(65536))
        end = time.monotonic() + PATIENCE
        while (after := asked_of(ours)) is not None and after.waiting:
            assert time.monotonic() < end
        assert after is not None
        assert after.confirmed - before.confirmed >= before.waiting - 1
        assert sent <= after.confirmed <= sent + 1  # the SYN counts as one


def test_where_there_is_no_tcp_nothing_is_told() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert asked_of(ours) is None
    assert asked_of(ours) is None
