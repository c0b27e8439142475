"""The events that a loop over a WebSocket gets.

The classes themselves are made where the protocol is. A name that is said twice is given on, for
type checkers too.
"""

from .protocol.events import (
    AnyEvent as AnyEvent,
    BackOff as BackOff,
    Binary as Binary,
    Closed as Closed,
    Closing as Closing,
    Connected as Connected,
    ConnectFail as ConnectFail,
    Connecting as Connecting,
    Disconnected as Disconnected,
    Event as Event,
    FailureEvent as FailureEvent,
    Ping as Ping,
    Poll as Poll,
    Pong as Pong,
    ProtocolError as ProtocolError,
    Ready as Ready,
    Rejected as Rejected,
    Text as Text,
    UnknownMessage as UnknownMessage,
    Unresponsive as Unresponsive,
)
