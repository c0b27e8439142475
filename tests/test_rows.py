"""An option is declared once: whatever shows options shows the same, and knows what was meant."""

from __future__ import annotations

import inspect
import pydoc
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lomond import (
    AsyncWebSocket,
    Deflate,
    TrioWebSocket,
    WebSocket,
    WebSocketGroup,
    options,
    persisting,
    settable,
)
from lomond.persist import persist
from lomond.rows import MARK, OWNERS, Row, documented, nearest, no_such, rows_of

ORIGINAL = (
    "url", "proxies", "protocols", "agent", "compress", "ssl_verify", "ssl_cafile", "ssl_context",
    "trace",
)  # fmt: skip
ALL_ROWS = [one for rows in OWNERS.values() for one in rows.values()]
CONNECT = rows_of(options.ConnectOptions)
DOORS = [WebSocket, AsyncWebSocket, TrioWebSocket]


def parameters(function: Any, kind: Any) -> list[str]:
    found = inspect.signature(function).parameters.values()
    return [one.name for one in found if one.kind is kind]


# What is shown


@pytest.mark.parametrize("door", DOORS)
def test_the_signature_of_a_door_is_what_it_takes(door: type) -> None:
    shown = inspect.signature(door)
    assert parameters(door, inspect.Parameter.POSITIONAL_OR_KEYWORD) == list(ORIGINAL)
    assert set(shown.parameters) == set(settable.ROWS)
    assert {one.kind for one in shown.parameters.values()} == {
        inspect.Parameter.POSITIONAL_OR_KEYWORD,
        inspect.Parameter.KEYWORD_ONLY,
    }
    for name, one in settable.ROWS.items():
        given = shown.parameters[name]
        assert given.annotation == (one.given or one.annotation)
        assert given.default == (inspect.Parameter.empty if one.is_required else one.default)


def test_what_a_class_of_the_users_takes_is_shown() -> None:
    class Mine(WebSocket):
        def __init__(self, name: str) -> None:
            super().__init__(f"ws://h/{name}")

    assert list(inspect.signature(Mine).parameters) == ["name"]
    assert Mine("x").url == "ws://h/x"


@pytest.mark.parametrize("door", DOORS)
def test_the_signatures_of_methods(door: Any) -> None:
    connect = inspect.signature(door("ws://h/").connect).parameters
    shown = {name: one.default for name, one in connect.items()}
    assert shown == {name: one.default for name, one in CONNECT.items()}
    original = {"poll": 5.0, "ping_rate": 30.0, "ping_timeout": None, "auto_pong": True}
    assert {**shown, **original, "close_timeout": 30.0} == shown
    assert set(inspect.signature(door("ws://h/").persist).parameters) == set(persisting.PERSIST)
    for method in (WebSocketGroup.add, WebSocketGroup.persist):
        assert inspect.signature(method).parameters["poll"].default is None
        assert list(inspect.signature(method).parameters)[:2] == ["self", "websocket"]


def test_the_original_arguments_of_persist_keep_their_places() -> None:
    places = parameters(persist, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    assert places == [
        "websocket", "poll", "min_wait", "max_wait", "ping_rate", "ping_timeout", "exit_event",
        "respect_retry_after",
    ]  # fmt: skip
    shown = inspect.signature(persist).parameters
    written = inspect.signature(persist, follow_wrapped=False).parameters
    for name in places[1:]:
        assert shown[name].default == written[name].default == persisting.PERSIST[name].default
        assert shown[name].annotation == written[name].annotation


@pytest.mark.parametrize(
    ("keywords", "rows"),
    [
        (options.ConnectKeywords, CONNECT),
        (persisting.PersistKeywords, persisting.PERSIST),
        (
            persisting.PersistFurther,
            {n: r for at, (n, r) in enumerate(persisting.PERSIST.items()) if at >= 7},
        ),
    ],
)
def test_keywords_of_type_checkers_are_the_rows(keywords: Any, rows: dict[str, Row]) -> None:
    types = {name: said.__forward_arg__ for name, said in keywords.__annotations__.items()}
    assert types == {name: one.annotation for name, one in rows.items()}
    assert keywords.__total__ is False


def test_the_page_is_what_the_rows_say() -> None:
    tool = Path(__file__).parent.parent / "tools" / "write_pages.py"
    command = [sys.executable, str(tool), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_each_limit_and_time_out_says_what_happens_where_it_is_reached() -> None:
    rows = settable.ROWS | CONNECT
    limits = {n for n in rows if n.startswith("max_") or n.endswith("_timeout")}
    assert {name for name, one in rows.items() if one.then} == limits


@pytest.mark.parametrize(
    ("shows", "rows"),
    [
        (WebSocket, settable.ROWS),
        (AsyncWebSocket, settable.ROWS),
        (Deflate, rows_of(Deflate)),
        (WebSocket.connect, CONNECT),
        (AsyncWebSocket.connect, CONNECT),
        (WebSocket.persist, persisting.PERSIST),
        (AsyncWebSocket.persist, persisting.PERSIST),
        (persist, persisting.PERSIST),
        (WebSocketGroup.add, CONNECT),
        (WebSocketGroup.persist, persisting.PERSIST),
    ],
)
def test_docstrings_tell_of_every_option(shows: Any, rows: dict[str, Row]) -> None:
    text = inspect.getdoc(shows)
    assert text is not None
    assert MARK not in text
    lines = [line.strip() for line in text.splitlines()]
    for name, one in rows.items():
        assert any(line.startswith(f"{name}: {one.doc.split()[0].rstrip('.')}") for line in lines)
    assert max(len(line) for line in text.splitlines()) <= 96


@pytest.mark.parametrize("name", settable.ROWS)
def test_an_attribute_says_what_it_is(name: str) -> None:
    assert f" {name}\n" in (text := pydoc.plain(pydoc.render_doc(WebSocket)))
    said = settable.ROWS[name].described()
    assert f"{name}\n |      {said}" in text


@pytest.mark.parametrize("door", DOORS)
def test_the_first_screen_of_help_tells_what_it_is_for(door: type) -> None:
    text = inspect.getdoc(door)
    assert text is not None
    first = text.splitlines()[:24]
    assert "Example:" in first
    assert "Where to:" in text
    assert text.index("Example:") < text.index("Where to:") < text.index("TLS:")
    assert text.index("TLS:") < text.index("Time:") < text.index("Limits:") < text.index("Raises:")


def test_how_a_default_is_shown() -> None:
    said = {name: one.described() for name, one in settable.ROWS.items()}
    assert "redirects included (30 s; None for no limit). While" in said["open_timeout"]
    assert "inflating (16 MiB; None for no limit)." in said["max_message_size"]
    assert "name and value (4 KiB)." in said["max_cookie_size"]
    assert "0 to 20 (0). None from wss:// to ws://;" in said["max_redirects"]
    assert said["ssl_password"] == "What the key is encrypted with."
    assert "worth compressing (32 bytes)." in rows_of(Deflate)["min_size"].described()


def test_without_docstrings_it_runs() -> None:
    code = """if True:
        import lomond, lomond.persist, lomond.group, lomond.aio
        lomond.WebSocket('ws://h/')
        print(lomond.WebSocket.__doc__, lomond.persist.persist.__doc__)"""
    command = [sys.executable, "-OO", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "None None\n"


def test_a_docstring_that_python_has_shortened() -> None:
    """Python 3.13 takes the margin of docstrings away."""
    rows = {"memory_level": rows_of(Deflate)["memory_level"]}
    assert documented(f"X.\n\nArguments:\n    {MARK}\n", rows) == (
        "X.\n\nArguments:\n    memory_level: 1 (least memory) to 9 (8).\n"
    )


# What a row must have


@pytest.mark.parametrize("one", ALL_ROWS, ids=lambda one: one.name)
def test_a_row_is_complete(one: Row) -> None:
    assert one.doc.endswith(".")
    assert one.doc[0].isupper() or not one.doc[0].isalpha()
    assert one.annotation
    assert one.is_required or not one.none or "None" in one.annotation


@pytest.mark.parametrize("owner", OWNERS)
def test_a_default_is_what_its_check_keeps(owner: str) -> None:
    """For it is not checked."""
    for name, one in OWNERS[owner].items():
        if not one.is_required:
            kept = settable.PLAIN.get(name, one.default)
            assert one.check(one, one.default) in (kept, frozenset())


@pytest.mark.parametrize("owner", OWNERS)
def test_no_two_options_are_known_by_one_name(owner: str) -> None:
    rows = OWNERS[owner]
    names = [*rows, *(name for one in rows.values() for name in one.also)]
    assert len(names) == len(set(names))
    for one in rows.values():
        assert not any(name in every for every in OWNERS.values() for name in one.also)


def test_an_option_of_two_functions_is_none_of_another() -> None:
    names = [name for rows in OWNERS.values() for name in rows]
    assert len(names) == len(set(names))


# What is meant

URL = "ws://h/"


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: WebSocket(), "WebSocket() needs the server's URL, like 'wss://host/path'"),
        (lambda: WebSocket(URL, timeout=3), "WebSocket() has no argument timeout: did you mean "
         "open_timeout?"),
        (lambda: AsyncWebSocket(URL, headrs=3), "AsyncWebSocket() has no argument headrs: did you "
         "mean headers?"),
        (lambda: WebSocket(URL, extra_headers=3), "WebSocket() has no argument extra_headers: did "
         "you mean headers?"),
        (lambda: WebSocket(URL, ping_rate=3), "WebSocket() has no argument ping_rate; it belongs "
         "to connect()"),
        (lambda: WebSocket(URL, max_wait=3), "WebSocket() has no argument max_wait; it belongs to "
         "persist()"),
        (lambda: WebSocket(URL, level=3), "WebSocket() has no argument level; it belongs to "
         "Deflate()"),
        (lambda: WebSocket(URL, xyzzy=3), "WebSocket() has no argument xyzzy"),
        (lambda: WebSocket(URL, *range(9)), "WebSocket() was given 10 positional arguments; "
         f"{', '.join(ORIGINAL)}; all others are given by name"),
        (lambda: WebSocket(URL, url=URL), "WebSocket() was given url twice"),
        (lambda: WebSocket(URL).connect(open_timeout=3), "connect() has no argument open_timeout; "
         "it belongs to WebSocket()"),
        (lambda: AsyncWebSocket(URL).connect(open_timeout=3), "connect() has no argument "
         "open_timeout; it belongs to WebSocket()"),
        (lambda: WebSocket(URL).connect(timeout=3), "connect() has no argument timeout: did you "
         "mean open_timeout? It belongs to WebSocket()"),
        (lambda: WebSocket(URL).connect(opentimeout=3), "connect() has no argument opentimeout: "
         "did you mean open_timeout? It belongs to WebSocket()"),
        (lambda: WebSocket(URL).connect(pol=1, ping_rat=1), "connect() has no argument ping_rat: "
         "did you mean ping_rate?; connect() has no argument pol: did you mean poll?"),
        (lambda: persist(WebSocket(URL), ping_timeot=3), "persist() has no argument ping_timeot: "
         "did you mean ping_timeout?"),
        (lambda: WebSocket(URL).persist(max_retries=3), "persist() has no argument max_retries: "
         "did you mean max_attempts?"),
        (lambda: AsyncWebSocket(URL).persist(headers={}), "persist() has no argument headers; it "
         "belongs to WebSocket()"),
        (lambda: WebSocketGroup().add(WebSocket(URL), pol=3), "WebSocketGroup.add() has no "
         "argument pol: did you mean poll?"),
        (lambda: WebSocketGroup().persist(WebSocket(URL), max_time_=3), "persist() has no argument "
         "max_time_: did you mean max_time?"),
        (lambda: Deflate(levle=3), "Deflate() has no argument levle: did you mean level?"),
        (lambda: Deflate(open_timeout=3), "Deflate() has no argument open_timeout; it belongs to "
         "WebSocket()"),
        (lambda: Deflate(15, server_max_window_bits=15), "Deflate() was given "
         "server_max_window_bits twice"),
    ],
)  # fmt: skip
def test_a_wrong_keyword_is_answered_with_the_right_one(
    call: Callable[[], object], said: str
) -> None:
    with pytest.raises(TypeError) as caught:
        call()
    assert str(caught.value) == said


@pytest.mark.parametrize(
    ("wrong", "owner"),
    [("open_timeout", "WebSocket()"), ("poll", "connect()"), ("max_time", "persist()")],
)
def test_an_owner_is_found_that_nobody_imported(wrong: str, owner: str) -> None:
    program = f"from lomond import Deflate\nDeflate({wrong}=3)"
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    said = f"TypeError: Deflate() has no argument {wrong}; it belongs to {owner}"
    assert done.stderr.splitlines()[-1] == said


@pytest.mark.parametrize("one", ALL_ROWS, ids=lambda one: one.name)
def test_what_others_call_an_option_is_understood(one: Row) -> None:
    rows = next(rows for rows in OWNERS.values() if one.name in rows)
    for name in one.also:
        assert nearest(name, rows) == one.name


@pytest.mark.parametrize("one", ALL_ROWS, ids=lambda one: one.name)
@pytest.mark.parametrize("function", OWNERS)
def test_a_slip_means_the_nearest_option_whosever_it_is(function: str, one: Row) -> None:
    slips = {one.name[1:], one.name[:-1], f"{one.name}s", one.name.replace("_", "", 1)}
    for slip in slips.difference(*OWNERS.values()):
        said = str(no_such(function, [slip], OWNERS[function]))
        is_own = one.name in OWNERS[function]
        owner = next(owner for owner, rows in OWNERS.items() if one.name in rows)
        assert said == f"{function} has no argument {slip}: did you mean {one.name}?" + (
            "" if is_own else f" It belongs to {owner}"
        )


# What users hold


@pytest.mark.parametrize("door", DOORS)
def test_no_plumbing_is_shown(door: Any) -> None:
    shown = {name for name in dir(door("ws://h/")) if not name.startswith("_")}
    assert shown == {
        *settable.ROWS, "scheme", "host", "port", "resource", "is_secure",
        "is_active", "is_closed", "is_closing", "sent_close_time", "session", "latency", "stats",
        "ending", "compression", "supports_compression", "wait_ready", "ask", "post",
        "connect", "persist", "reset", "force_disconnect", "add_header",
        "close", "send_text", "send_binary", "send_json", "send_ping", "send_pong", "send_stream",
        "send_many",
    }  # fmt: skip


def test_a_deflate_shows_its_options_alone() -> None:
    shown = {name for name in dir(Deflate()) if not name.startswith("_")}
    assert shown == set(rows_of(Deflate))


def test_values_do_not_change() -> None:
    protocols = ["chat"]
    address: Any = ["127.0.0.1", 0]
    websocket = WebSocket("ws://h/", protocols=protocols, source_address=address)
    protocols.append("\r\n")
    address[0] = "nonsense"
    assert websocket.protocols == ("chat",)
    assert websocket.source_address == ("127.0.0.1", 0)
