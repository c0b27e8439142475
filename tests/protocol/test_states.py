"""The table of states."""

from __future__ import annotations

import pytest

from lomond.errors import WebSocketUnavailable
from lomond.options import Limits
from lomond.protocol import frames, states
from lomond.protocol.connection import Connection
from lomond.protocol.output import MaskingKeys
from lomond.protocol.states import TRANSITIONS
from lomond.testing.alone import counting_bytes
from protocol.connections import frame

STATES = (
    states.CONNECTING,
    states.CLOSING_EARLY,
    states.OPEN,
    states.ANSWERING,
    states.CLOSING,
    states.CLOSED,
)


def in_state(state: str) -> Connection:
    connection = Connection(Limits(), MaskingKeys(counting_bytes()))
    if state == states.CLOSING_EARLY:
        connection.close(1000, "")
    if state in (states.CONNECTING, states.CLOSING_EARLY):
        return connection
    connection.opened()
    if state == states.CLOSING:
        connection.close(1000, "")
    if state in (states.ANSWERING, states.CLOSED):
        connection.receive(frame(8), 1.0)
        connection.next_event()
    if state == states.CLOSED:
        connection.next_event()
    return connection


@pytest.mark.parametrize("state", STATES)
def test_the_table_of_states(state: str) -> None:
    connection = in_state(state)
    assert connection.state == state
    after_close = TRANSITIONS.get((state, "close sent"))
    assert connection.close(1000, "") is (after_close is not None)
    assert connection.state == (after_close or state)
    for happening, data in (("close received", frame(8)), ("violation", b"\xc1\x00")):
        connection = in_state(state)
        connection.receive(data, 1.0)
        found = connection.next_event()
        expected = TRANSITIONS.get((state, happening))
        assert (found is not None) is (expected is not None)
        if expected is not None:
            assert connection.state == expected
    connection = in_state(state)
    if state in (states.CONNECTING, states.OPEN, states.ANSWERING):
        connection.send(frames.TEXT, b"x")
    else:
        with pytest.raises(WebSocketUnavailable, match="data not sent"):
            connection.send(frames.TEXT, b"x")


def test_the_table_leads_to_its_end_from_everywhere() -> None:
    assert {state for state, _ in TRANSITIONS} == set(STATES) - {states.CLOSED}
    reached = {states.CLOSED}
    while more := {s for (s, _), to in TRANSITIONS.items() if to in reached} - reached:
        reached |= more
    assert reached == set(STATES)
