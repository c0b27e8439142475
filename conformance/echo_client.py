"""The client under test: lomond, told to echo. Each case has a wall-clock limit."""

from __future__ import annotations

import asyncio
import sys
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from verdicts import COMPRESSED_GROUPS

import lomond
from lomond.aio import AsyncWebSocket
from lomond.errors import TransportFail, WebSocketUnavailable
from lomond.group import WebSocketGroup

if TYPE_CHECKING:
    from lomond.events import AnyEvent

AGENT = "lomond"
LIMIT_SECONDS = 60.0
# Where the server itself waits longer: at most 100, 1,000 and 480 s.
LONG_LIMITS_SECONDS = {
    "9.": 160.0,
    "9.5.": 1060.0,
    "9.6.": 1060.0,
    "9.7.": 540.0,
    "9.8.": 540.0,
    "12.": 540.0,
    "13.": 540.0,
}


class ConversationError(Exception):
    """The server could not be asked."""


def ask_case_count(url: str) -> int:
    """Return how many cases the server holds."""
    texts = [event.text for event in _ask(f"{url}/getCaseCount") if event.name == "text"]
    if not texts:
        raise ConversationError("the fuzzing server did not say how many cases it has")
    return int(texts[0])


def ask_for_reports(url: str) -> None:
    """Have the server write its reports; they are there when this returns."""
    names = [event.name for event in _ask(f"{url}/updateReports?agent={AGENT}")]
    if "closing" not in names:
        raise ConversationError(f"the fuzzing server wrote no reports; events were {names}")


def run_case(url: str, number: int, case: str, door: str, parts: int | None = None) -> str | None:
    """Run one case; return None, or HUNG or RAISED if there was no orderly end.

    Arguments:
        url: Of the fuzzing server.
        number: Of the case, as the server counts.
        case: Its id.
        door: Which one echoes.
        parts: As the option of that name; what comes in parts is sent back whole.
    """
    case_url = f"{url}/runCase?case={number}&agent={AGENT}"
    options = {"proxies": {}, "compress": case.startswith(COMPRESSED_GROUPS), "parts": parts}
    echo = DOORS[door]
    return guard(lambda: echo(case_url, options), limit_of(case), f"case {case}")


def limit_of(case: str) -> float:
    """Seconds until a case counts as hung: longer than the server waits for an answer."""
    matching = [prefix for prefix in LONG_LIMITS_SECONDS if case.startswith(prefix)]
    return LONG_LIMITS_SECONDS[max(matching, key=len)] if matching else LIMIT_SECONDS


class Together:
    """Puts messages together again that come in parts."""

    def __init__(self) -> None:
        self._pieces: list[Any] = []
        self._size = 0  # bytes of them

    def whole(self, event: AnyEvent) -> str | bytes | None:
        """The message that the event is, or ends; None where it is neither. Raises AssertionError
        where a part is none of those that may come now.
        """
        if event.name == "text" or event.name == "binary":
            assert not self._pieces
            return event.text if event.name == "text" else event.data
        if event.name != "text_part" and event.name != "binary_part":
            return None
        piece = event.text if event.name == "text_part" else event.data
        assert (event.offset, event.is_first) == (self._size, not self._pieces)
        self._pieces.append(piece)
        self._size += len(piece.encode() if isinstance(piece, str) else piece)
        if not event.is_last:
            return None
        message: str | bytes = ("" if event.name == "text_part" else b"").join(self._pieces)
        self._pieces, self._size = [], 0
        return message


def echo(url: str, options: dict[str, Any]) -> None:
    """Send every message back as it came, until the connection is over."""
    ws = lomond.WebSocket(url, **options)
    together = Together()
    for event in ws.connect(ping_rate=0):
        _answer(ws, together.whole(event))


def echo_in_group(url: str, options: dict[str, Any]) -> None:
    """As `echo`, as the one member of a group."""
    group = WebSocketGroup()
    group.add(lomond.WebSocket(url, **options), ping_rate=0)
    together = Together()
    for ws, event in group:
        _answer(ws, together.whole(event))


def _answer(ws: lomond.WebSocket, message: str | bytes | None) -> None:
    # The server may close, or be gone, before it has read all answers.
    with suppress(WebSocketUnavailable, TransportFail):
        if isinstance(message, str):
            ws.send_text(message)
        elif message is not None:
            ws.send_binary(message)


async def _talk(ws: Any) -> None:
    """As `echo`, in a task of either kind."""
    together = Together()
    async with ws:
        async for event in ws.connect(ping_rate=0):
            message = together.whole(event)
            with suppress(WebSocketUnavailable, TransportFail):
                if isinstance(message, str):
                    await ws.send_text(message)
                elif message is not None:
                    await ws.send_binary(message)


def echo_on_asyncio(url: str, options: dict[str, Any]) -> None:
    """As `echo`, as a task."""
    asyncio.run(_talk(AsyncWebSocket(url, **options)))


def echo_on_trio(url: str, options: dict[str, Any]) -> None:
    """As `echo`, as a task of trio's."""
    import trio

    trio.run(_talk, lomond.TrioWebSocket(url, **options))


def echo_on_anyio(url: str, options: dict[str, Any]) -> None:
    """As `echo`, as a task of anyio's on trio."""
    import anyio

    anyio.run(_talk, lomond.TrioWebSocket(url, **options), backend="trio")


DOORS = {
    "sync": echo,
    "asyncio": echo_on_asyncio,
    "group": echo_in_group,
    "trio": echo_on_trio,
    "anyio": echo_on_anyio,
}


def guard(work: Callable[[], None], limit: float, title: str) -> str | None:
    """Do the work in a thread; say on stderr where it stands if it takes longer, or raises."""
    raised: list[BaseException] = []

    def watched() -> None:
        try:
            work()
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=watched, daemon=True)
    thread.start()
    thread.join(limit)
    if thread.is_alive():
        print(f"{title} hung: not over after {limit:g} s. It stands here:", file=sys.stderr)
        traceback.print_stack(sys._current_frames().get(thread.ident or 0))
        return "HUNG"
    if raised:
        print(f"{title} raised:", file=sys.stderr)
        traceback.print_exception(raised[0])
        return "RAISED"
    return None


def _ask(url: str) -> list[AnyEvent]:
    events: list[AnyEvent] = []
    ws = lomond.WebSocket(url, proxies={})
    if guard(lambda: events.extend(ws.connect(ping_rate=0)), LIMIT_SECONDS, url):
        raise ConversationError(f"no orderly end of {url}; events were {events}")
    return events
