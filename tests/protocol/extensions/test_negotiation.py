"""Extensions in the answer, RFC 6455 section 9.1: what can be read, and may be chosen."""

from __future__ import annotations

import pytest

from lomond.errors import HandshakeError
from lomond.options import Deflate
from lomond.protocol.extensions.negotiation import parse
from protocol.compressed import accepted


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ("permessage-deflate, permessage-deflate", "twice"),
        ("x-webkit-deflate-frame", "'x-webkit-deflate-frame', which was not offered"),
        ("permessage-deflate, x", "'x', which was not offered"),
        ("permessage-deflate x", "can't be read"),
        ("permessage-deflate;", "can't be read"),
        ("permessage-deflate; a=", "can't be read"),
        ('permessage-deflate; a="', "can't be read"),
        ('permessage-deflate; a=""', "has the value ''"),
        ('permessage-deflate; a="a b"', "has the value 'a b'"),
        ("permessage-deflate; ä", "can't be read"),
        ("(x)", "can't be read"),
    ],
)
def test_an_answer_that_may_not_be(answer: str, why: str) -> None:
    with pytest.raises(HandshakeError, match=why):
        accepted(answer, Deflate())


def test_nothing_was_offered() -> None:
    with pytest.raises(HandshakeError, match="'permessage-deflate', which was not offered"):
        accepted("permessage-deflate", None)


def test_a_long_header_is_read_in_no_time() -> None:
    with pytest.raises(HandshakeError):
        parse("a" + " \t" * 8000 + "x")
    with pytest.raises(HandshakeError):
        parse("a" + "; b" * 5000 + '; c="' + "\\a" * 3000)
    assert len(parse("a; b=c," * 2000)) == 2000


@pytest.mark.parametrize("header", ["a\n", "\n", "a,\n", "a; b=c\n"])
def test_a_line_end_is_no_end_of_the_header(header: str) -> None:
    with pytest.raises(HandshakeError, match="can't be read"):
        parse(header)
