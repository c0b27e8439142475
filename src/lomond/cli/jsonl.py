"""The lines of records, as the command writes and reads them with ``--jsonl``."""

from __future__ import annotations

import base64
import json
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from ..recording import Recorder

if TYPE_CHECKING:
    from ..io.journal import Entry
    from ..websocket import WebSocket

_MESSAGES = ("text", "binary")


class Recorded(Recorder):
    """Keeps the line of each message that came, until somebody asks for it.

    Arguments:
        other: Records all of it too; None for nobody.
    """

    def __init__(self, other: Recorder | None) -> None:
        super().__init__(self._keep)
        self._other = other
        self._lines: deque[dict[str, Any]] = deque()

    def __call__(self, entry: Entry) -> None:
        """Record what a connection has told."""
        if self._other is not None:
            self._other(entry)
        super().__call__(entry)

    def _keep(self, line: dict[str, Any]) -> None:
        if line["dir"] == "in" and line["op"] in _MESSAGES:
            self._lines.append(line)

    def next(self) -> dict[str, Any]:
        """The line of the message that is handed out."""
        return self._lines.popleft()


def sender(line: bytes) -> Callable[[WebSocket], object] | None:
    """What sends the message that a line stands for; None for what this side did not say.

    Raises:
        ValueError: It is no such line.
    """
    try:
        said: object = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"it is no JSON ({error})") from None
    if not isinstance(said, dict):
        raise ValueError('it is no object, as {"op": "text", "text": "..."}')
    fields = cast("dict[str, Any]", said)
    if fields.get("dir", "out") != "out" or fields.get("op") == "request":
        return None
    op = fields.get("op")
    if not isinstance(op, str) or op not in _OPS:
        raise ValueError(f"its op {op!r} is none of {', '.join(_OPS)}")
    try:
        return _OPS[op](fields)
    except KeyError as error:
        raise ValueError(f"a {op} needs {error.args[0]!r}") from None


def _text(fields: dict[str, Any]) -> Callable[[WebSocket], object]:
    text = fields["text"]
    if not isinstance(text, str):
        raise ValueError("its text is no string")
    return lambda websocket: websocket.send_text(text)


def _payload(fields: dict[str, Any]) -> bytes:
    try:
        return base64.b64decode(fields["b64"], validate=True)
    except (TypeError, ValueError):
        raise ValueError("its b64 is no base64") from None


def _binary(fields: dict[str, Any]) -> Callable[[WebSocket], object]:
    data = _payload(fields)
    return lambda websocket: websocket.send_binary(data)


def _ping(fields: dict[str, Any]) -> Callable[[WebSocket], object]:
    data = _payload(fields) if "b64" in fields else b""
    return lambda websocket: websocket.send_ping(data)


def _pong(fields: dict[str, Any]) -> Callable[[WebSocket], object]:
    data = _payload(fields) if "b64" in fields else b""
    return lambda websocket: websocket.send_pong(data)


def _close(fields: dict[str, Any]) -> Callable[[WebSocket], object]:
    code, reason = fields.get("code", 1000), fields.get("reason", "")
    if type(code) is not int and code is not None:  # nor a bool
        raise ValueError("its code is no whole number")
    if not isinstance(reason, str):
        raise ValueError("its reason is no string")
    return lambda websocket: websocket.close(code, reason)


_OPS = {"text": _text, "binary": _binary, "ping": _ping, "pong": _pong, "close": _close}
