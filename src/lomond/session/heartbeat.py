"""What the keepalive says instead of a ping: a message, or what the user's code gives each time.

Asked by whoever iterates, with no lock held; when it is due, timers.py says.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from ..payloads import Dumps
from ..protocol.frames import of_message
from ..protocol.states import OPEN
from .asking import raised
from .finish import Why

if TYPE_CHECKING:
    from ..protocol.connection import Connection
    from .pings import Pings

#: Gives an opcode and a payload.
Heartbeat = Callable[[], tuple[int, bytes]]


def heartbeat(message: Any, dumps: Dumps | None) -> Heartbeat:
    """What gives the next one.

    Arguments:
        message: The option, which was checked.
        dumps: Writes JSON; None for json's.

    Raises:
        TypeError, ValueError: It can't be written as JSON.
    """
    if callable(message):
        return partial(_called, message, dumps)
    made = of_message(message, dumps)
    return lambda: made


def _called(call: Callable[[], Any], dumps: Dumps | None) -> tuple[int, bytes]:
    value = call()
    if hasattr(value, "__await__"):
        if hasattr(value, "close"):
            value.close()  # or Python would complain of it too
        raise TypeError("ping_message must give it at once; it is not awaited here")
    return of_message(value, dumps)


def say(connection: Connection, pings: Pings, message: tuple[int, bytes], now: float) -> None:
    """Queue what is said instead of a ping, unless somebody closes by now."""
    output = connection.output
    # While a long message is sent, nothing can stand in it, and its bytes are life enough.
    if connection.has_ended or connection.state != OPEN or output.is_streaming:
        return
    sent = output.sent
    connection.send(*message, compress=True)
    output.sent = sent  # the user did not send it, and need not know whether it arrives
    pings.said(connection.received_at)
    pings.date(now)


def failed(error: Exception) -> Why:
    """Why a connection ends whose heartbeat could not be had: the user's code raised."""
    said = raised("ping_message=", error)
    return Why(f"disconnected; {said}", False, "credentials", "client", error, "credentials")
