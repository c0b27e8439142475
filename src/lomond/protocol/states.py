"""The states of one connection, and the table of what moves it: RFC 6455 sections 4.1 and 7.

Everything that affects the state is in this table; connection.py goes by it.
"""

from __future__ import annotations

CONNECTING = "connecting"  # no upgrade yet; frames to send are held
CLOSING_EARLY = "closing early"  # as before, and the last frame held is a close frame
OPEN = "open"
ANSWERING = "answering"  # a close frame or a violation came; our close frame follows the handler
CLOSING = "closing"  # our close frame is sent; the peer's is awaited
CLOSED = "closed"  # both are sent, or nothing more may be

TRANSITIONS = {
    (CONNECTING, "opened"): OPEN,
    (CONNECTING, "close sent"): CLOSING_EARLY,
    (CLOSING_EARLY, "opened"): CLOSING,
    (OPEN, "close sent"): CLOSING,
    (OPEN, "close received"): ANSWERING,
    (OPEN, "violation"): ANSWERING,
    (ANSWERING, "close sent"): CLOSED,
    (CLOSING, "close received"): CLOSED,
    (CLOSING, "violation"): CLOSED,
}
