"""A failure's cause keeps its name and arguments however often it travels."""

from __future__ import annotations

import pickle
import socket

from lomond.events import ConnectFail


def test_a_cause_that_was_restored_is_restored_again() -> None:
    event = ConnectFail("r", cause=socket.gaierror(-2, "no"), phase="resolve")
    for _ in range(3):
        event = pickle.loads(pickle.dumps(event))
        assert repr(event.cause) == "gaierror(-2, 'no')"
        assert event.phase == "resolve"
