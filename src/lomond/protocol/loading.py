"""A connection whose texts are decoded by the program's `loads`.

One of its own, so that the way of a message costs nothing more where there is none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .connection import Connection
from .events import Text

if TYPE_CHECKING:
    from ..options import Limits
    from ..payloads import Loads
    from .events import AnyEvent, Binary
    from .output import MaskingKeys


class Loading(Connection):
    """A connection, and in each of its texts how `Text.json` decodes it.

    Arguments:
        limits, keys, auto_pong: As for every connection.
        loads: Decodes a text; None for json's.
    """

    __slots__ = ("_loads",)

    def __init__(
        self, limits: Limits, keys: MaskingKeys, auto_pong: bool, loads: Loads | None
    ) -> None:
        super().__init__(limits, keys, auto_pong)
        self._loads = loads

    def short_message(self) -> Text | Binary | None:
        """The next event if that is a short message, as every connection gives it."""
        event = Connection.short_message(self)
        if isinstance(event, Text):
            text: Any = event
            text._json = self._loads
        return event

    def next_event(self) -> AnyEvent | None:
        """The next event, or None, as every connection gives it."""
        event = Connection.next_event(self)
        if isinstance(event, Text):
            text: Any = event
            text._json = self._loads
        return event
