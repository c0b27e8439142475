"""Whatever a peer says: what people read of it is short, and has nothing that a terminal obeys."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from lomond.cli.printing import details
from lomond.events import Closing, Connected, Connecting
from lomond.io.journal import Journal
from lomond.logs import Log
from lomond.options import Deflate
from lomond.protocol import frames
from lomond.proxies import Proxy, parse_proxy
from lomond.response import LONGEST, Response, printable
from lomond.testing.alone import PretendDoor
from lomond.testing.peer import End, Peer, Say, Talk, key_of, say
from lomond.tracing import Tracer

MOST = 1000  # characters of a reason, with all that we say in it
EVIL = "\x1b[31mred\x1b]0;title\x07 \u202eback \x7f\x9b2J \u2028'\"\\ é\U0001f600 \ud800"
#: What is text for people, and not the peer's data as it came.
WORDS = ("reason", "error", "section", "address", "phase")

pieces = st.one_of(
    st.binary(max_size=40),
    st.sampled_from([b"\x1b[2J", b"\r\n", b"\n", b" ", b",", b'"', b";", b"=", b"\x9b", b"\x07"]),
    st.sampled_from([b"x", b"\xe2\x80\xae", b"1", b"-"]).map(lambda piece: piece * 5000),
    st.sampled_from(["websocket", "chat", "permessage-deflate", "server_max_window_bits", "ws://"])
    .map(str.encode),
)  # fmt: skip
values = st.lists(pieces, max_size=4).map(b"".join)
lines = st.tuples(
    st.sampled_from(
        [
            b"Upgrade", b"Connection", b"Sec-WebSocket-Protocol", b"Sec-WebSocket-Extensions",
            b"Sec-WebSocket-Accept", b"Location", b"Proxy-Authenticate", b"Content-Length",
            b"Transfer-Encoding", b"X",
        ]
    ),
    values,
).map(b": ".join)  # fmt: skip
heads = st.one_of(
    st.binary(max_size=200),
    st.tuples(
        st.sampled_from(
            [b"HTTP/1.1 101 ", b"HTTP/1.1 302 ", b"HTTP/1.1 407 ", b"HTTP/1.1 ", b"HTTP/9"]
        ),
        values,
        st.lists(lines, max_size=5),
    ).map(lambda t: b"\r\n".join([t[0] + t[1], *t[2], b"", b""])),
)
WAYS: dict[str, dict[str, Any]] = {
    "plain": {},
    "compressed": {"compress": Deflate()},
    "redirected": {"max_redirects": 3},
    "http": {"proxy": parse_proxy("http://me:secret@proxy:3128")},
    "socks4": {"proxy": parse_proxy("socks4://proxy")},
    "socks5": {"proxy": parse_proxy("socks5h://proxy")},
}  # fmt: skip


def answers(head: bytes, upgrades: bool) -> Callable[[Peer], Talk]:
    def talk(peer: Peer) -> Talk:
        yield from peer.read_request() if upgrades else ()
        if upgrades:
            from lomond.protocol.http.upgrade import accept_value

            good = accept_value(key_of(peer.request))
            lines = b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " + good
            yield Say(head.replace(b"\r\n", b"\r\n" + lines + b"\r\n", 1))
        else:
            yield Say(head)
        yield End()

    return talk


def check(event: Any) -> None:
    for name in WORDS:
        said = getattr(event, name, None)
        if isinstance(said, str) and not isinstance(event, Closing):
            assert said.isprintable(), (name, said)
            assert len(said) <= MOST, (name, len(said))
    for said in (repr(event), repr(getattr(event, "cause", "")), details(event)):
        assert said.isprintable(), said
        assert len(said) <= 2 * MOST, len(said)


class Lines(logging.Handler):
    """Keeps what is logged."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(record.getMessage())


@pytest.mark.parametrize("way", WAYS)
@given(head=heads, upgrades=st.booleans())
@settings(max_examples=150)
def test_whatever_is_answered(way: str, head: bytes, upgrades: bool) -> None:
    log, kept = logging.getLogger("lomond"), Lines()
    level = log.level
    log.addHandler(kept)
    log.setLevel(logging.DEBUG)
    journal = Journal([Tracer(True), Log(True)], "ws://peer/", True, True)
    later = tuple([answers(head, upgrades)] * 5)
    try:
        door = PretendDoor(answers(head, upgrades), later_talks=later, **WAYS[way])
        for event in door.events():
            check(event)
            journal.event(event)
    finally:
        log.removeHandler(kept)
        log.setLevel(level)
    for said in kept.said:
        assert said.isprintable(), said
        assert len(said) <= 2 * MOST


@given(st.text(), st.integers(min_value=4, max_value=300))
def test_to_cut_and_escape_again_changes_nothing(text: str, longest: int) -> None:
    once = printable(text, longest)
    assert once.isprintable()
    assert len(once) <= longest
    assert printable(once, longest) == once


@pytest.mark.parametrize("text", ["", "x", "Bad Gateway", "'quoted' \\ é", "x" * LONGEST])
def test_what_is_short_and_plain_stays(text: str) -> None:
    assert printable(text) == text


def test_what_is_long_or_odd_is_cut_and_escaped() -> None:
    assert printable("x" * 201) == "x" * 197 + "..."
    assert printable("\x1b[31m\n\u202e\ud800") == r"\x1b[31m\n\u202e\ud800"
    assert len(printable("\U0001f600\x1b" * 300)) == LONGEST


def test_reprs_of_what_a_peer_says_are_cut() -> None:
    for event in (Closing(1000, EVIL * 40), Connecting("ws://h/" + "x" * 9000)):
        assert repr(event).isprintable()
        assert len(repr(event)) < 300
    assert len(repr(Connected("ws://h/" + "x" * 9000, "http://p:1"))) < 300
    assert repr(Closing(1000, "bye")) == "Closing(code=1000, reason='bye')"
    shown = repr(Response(f"HTTP/1.1 400 {EVIL * 40}\r\n\r\n".encode("utf-8", "replace")))
    assert shown.isprintable()
    assert len(shown) < 200


def test_the_reason_of_a_close_is_the_peers_own() -> None:
    def talk(peer: Peer) -> Talk:
        yield from peer.upgrade()
        yield say(frames.CLOSE, b"\x1b[31m\x07", 1008)
        yield from peer.hear_end()
        yield End()

    seen = list(PretendDoor(talk).events())
    closing = next(event for event in seen if event.name == "closing")
    assert closing.reason == "\x1b[31m\x07"
    assert repr(closing).isprintable()
    assert details(closing) == r"1008 \x1b[31m\x07"
    assert seen[-1].reason.isprintable()


@pytest.mark.parametrize(
    "proxy", [Proxy("socks5h", "p", 1), Proxy("socks4a", "p", 1), Proxy("http", "p", 1)]
)
def test_a_proxy_that_speaks_nonsense(proxy: Proxy) -> None:
    for event in PretendDoor(answers(b"\x1b[31m" * 900, False), proxy=proxy).events():
        check(event)
