"""A plain 101 that comes whole is read without h11: the same is known of it, or nothing at all."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings, strategies as st

from lomond.errors import ProtocolError
from lomond.options import Limits
from lomond.protocol.http.answer import CONNECT, UPGRADE, AnswerReader, Head, plain
from lomond.protocol.http.upgrade import Acceptance
from protocol.http.upgrades import HEAD, answer, upgrade

LIMITS = Limits()
STATUS = b"HTTP/1.1 101 Switching Protocols\r\n"


def seen(head: Head) -> tuple[object, ...]:
    """All that can be seen of a head."""
    response = head.response
    fields = (response.raw, response.http_ver, response.status_code, response.status)
    return (*head[1:], *fields, response.headers, response.items(), response.body)


def by_h11(data: bytes, limits: Limits = LIMITS) -> tuple[object, ...] | str:
    """What h11 makes of it, which has to read what does not come whole; else what it is instead."""
    reader = AnswerReader(UPGRADE, limits, "no hint")
    try:
        found = reader.receive(data[:1]) or reader.receive(data[1:])
    except ProtocolError as error:
        return str(error)
    return seen(found) if isinstance(found, Head) else repr(found)


def is_plain(data: bytes, limits: Limits = LIMITS) -> bool:
    """Whether it is read without h11, and then the same."""
    found = plain(data, limits)
    if found is None:
        return False
    assert seen(found) == by_h11(data, limits)
    return True


# What may be in a head, the rare things as often as the others.
names = st.sampled_from(
    [
        b"Upgrade", b"connection", b"Sec-WebSocket-Accept", b"X-\xc3\xa4", b"Content-Length",
        b"transfer-encoding", b"TRANSFER-ENCODING", b"Server", b"a!#$%&'*+.^_`|~-9", b"", b" X",
        b"X ", b"\tX", b"X\x00", b"Set-Cookie", b"Content-Length ",
    ]
)  # fmt: skip
values = st.one_of(
    st.sampled_from(
        [
            b" websocket", b"", b" ", b"\t \t", b" a \t b \t", b" caf\xc3\xa9", b" 5", b" chunked",
            b" a\x00b", b" a\x7fb", b" a\rb", b" a\x0bb", b" a\x0cb", b" x\r\n y", b" :", b"a: b",
        ]
    ),
    st.text("aZ09 \t:,;=\"'\\~", max_size=12).map(str.encode),
    st.binary(max_size=6),
)  # fmt: skip
ends = st.sampled_from([b"\r\n"] * 12 + [b"\n", b"\r", b"\r\r\n", b"", b"\n\r\n"])
lines = st.tuples(names, st.sampled_from([b":"] * 6 + [b"", b" :"]), values, ends).map(b"".join)
statuses = st.sampled_from(
    [STATUS] * 6
    + [
        b"HTTP/1.1 101\r\n", b"HTTP/1.1 101 \r\n", b"HTTP/1.1 101  \t x \r\n",
        b"HTTP/1.0 101 x\r\n", b"HTTP/1.1 1010 x\r\n", b"HTTP/1.1 101x\r\n",
        b"HTTP/1.1 101 caf\xc3\xa9\r\n",
        b"HTTP/1.1 101 x\n", b"HTTP/1.1 101 x\ry\r\n", b"HTTP/1.1 100 x\r\n", b"HTTP/1.1 200 x\r\n",
        b"\r\nHTTP/1.1 101 x\r\n", b"http/1.1 101 x\r\n", b"HTTP/1.1  101 x\r\n",
        b"HTTP/1.1 101\t\r\n",
    ]
)  # fmt: skip
heads = st.tuples(
    statuses,
    st.lists(lines, max_size=6).map(b"".join),
    ends,
    st.sampled_from([b"", b"\x81\x00", b"\n\n", b"\r\n\r\n", b"HTTP/1.1 101 x\r\nX: y\r\n\r\n"]),
).map(b"".join)
changes = st.lists(
    st.tuples(
        st.integers(0, 400),
        st.integers(0, 3),
        st.sampled_from([b"", b"\r", b"\n", b"\r\n", b" ", b"\t", b":", b"\x00", b"\xff", b"1"]),
    ),
    max_size=3,
)
limits = st.builds(
    lambda size, line, count: Limits(
        max_header_size=size, max_header_line=line, max_header_lines=count
    ),
    st.sampled_from([65_536, 200, 129, 128, 60]),
    st.sampled_from([16_384, 60, 34, 33, 32, 10]),
    st.sampled_from([256, 4, 3, 2, 1]),
)


def changed(data: bytes, edits: list[tuple[int, int, bytes]]) -> bytes:
    for at, gone, come in edits:
        at %= len(data) + 1
        data = data[:at] + come + data[at + gone :]
    return data


@given(st.one_of(heads, st.just(answer() + b"\x81\x00")), changes, limits)
@settings(max_examples=600)
@example(answer(), [], LIMITS)
def test_what_is_read_without_h11_is_what_h11_reads(
    data: bytes, edits: list[tuple[int, int, bytes]], within: Limits
) -> None:
    is_plain(changed(data, edits), within)


@pytest.mark.parametrize(
    "data",
    [
        answer(),
        answer() + b"\x81\x02hi",
        b"HTTP/1.1 101\r\nX: y\r\n\r\n",
        b"HTTP/1.1 101 \r\nX: y\r\n\r\n",
        b"HTTP/1.1 101 a\tb \r\nX:\r\nx:\t y z \t\r\n\r\n\r\n",
    ],
)
def test_what_is_plain(data: bytes) -> None:
    assert is_plain(data)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        HEAD,
        STATUS + b"\r\n",
        HEAD.replace(b"\r\n", b"\n") + b"\n",
        HEAD + b"X: a\rb\r\n\r\n",
        HEAD + b"X: a\r\n b\r\n\r\n",
        HEAD + b"X : a\r\n\r\n",
        HEAD + b"X: caf\xc3\xa9\r\n\r\n",
        HEAD + b"X: a\x00\r\n\r\n",
        HEAD + b"Content-Length: 0\r\n\r\n",
        HEAD + b"TRANSFER-encoding: chunked\r\n\r\n",
        answer().replace(b" 101 ", b" 200 "),
        answer().replace(b"/1.1", b"/1.0"),
        b"HTTP/1.1 100 Continue\r\nX: y\r\n\r\n" + answer(),
    ],
)
def test_what_h11_has_to_read(data: bytes) -> None:
    assert not is_plain(data)


def test_the_limits_are_the_same_to_the_byte_and_line() -> None:
    data = HEAD + b"X: " + b"x" * 100 + b"\r\n\r\n"
    for size in range(len(data) - 2, len(data) + 3):
        assert is_plain(data, Limits(max_header_size=size)) is (size >= len(data))
    for line in range(100, 110):
        within = Limits(max_header_line=line)
        is_kept = not isinstance(by_h11(data, within), str)
        assert is_plain(data, within) is is_kept is (line >= 104)
    for count in range(1, 8):
        within = Limits(max_header_lines=count)
        is_kept = not isinstance(by_h11(data, within), str)
        assert is_plain(data, within) is is_kept is (count >= 4)


def test_only_what_comes_first_and_whole_is_read_so() -> None:
    for data in (b"HTTP/1.1 103 Hints\r\nX: y\r\n\r\n" + answer(), answer()):
        machine = upgrade()
        assert machine.receive(data[:20]) is None
        assert isinstance(machine.receive(data[20:]), Acceptance)


def test_a_proxy_that_says_101_agrees_to_nothing() -> None:
    with pytest.raises(ProtocolError):
        AnswerReader(CONNECT, LIMITS, "no hint").receive(answer())


def test_a_long_line_without_an_end_takes_linear_time() -> None:
    for data in (STATUS + b"X: " + b"x" * 60_000, STATUS + b"X: y\r\n" * 12_000 + b"\x00"):
        assert plain(data, LIMITS) is None
