"""Short messages as an iterator; the compiled twin has its own short.pyx."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .connection import Connection
    from .events import Binary, Text


def short_messages(connection: Connection) -> Callable[[], Iterator[Text | Binary]]:
    """What gives, again and again, what `Connection.short_message` gives until it gives None."""
    given: Any = iter  # the stubs of one checker know no union of what a callable returns
    return partial(given, connection.short_message, None)
