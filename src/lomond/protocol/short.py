"""Short messages as an iterator; the compiled twin has its own short.pyx."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .connection import Connection
    from .events import Binary, Text


def short_messages(connection: Connection) -> Iterator[Text | Binary]:
    """What `Connection.short_message` gives, until it gives None."""
    given: Any = iter  # the stubs of one checker know no union of what a callable returns
    messages: Iterator[Text | Binary] = given(connection.short_message, None)
    return messages
