"""What is offered and agreed on: RFC 7692 sections 5 and 7.1."""

from __future__ import annotations

import pytest

from lomond.compression import Compression, chosen_backend
from lomond.errors import CompressionParameterError
from lomond.options import Deflate
from lomond.protocol.extensions.negotiation import offered, offers
from protocol.compressed import accepted


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (Deflate(), "permessage-deflate; client_max_window_bits"),
        (
            Deflate(server_max_window_bits=10, client_max_window_bits=9),
            "permessage-deflate; server_max_window_bits=10; client_max_window_bits=9",
        ),
        (
            Deflate(server_no_context_takeover=True, client_no_context_takeover=True),
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover; "
            "client_max_window_bits",
        ),
    ],
)
def test_the_offer(options: Deflate, said: str) -> None:
    assert offered(offers(options)) == said


@pytest.mark.parametrize(
    ("answer", "options", "agreed"),
    [
        ("permessage-deflate", Deflate(), Compression()),
        ("Permessage-Deflate", Deflate(), Compression()),
        (" , permessage-deflate ,", Deflate(), Compression()),
        (
            "permessage-deflate; server_no_context_takeover ;\tclient_no_context_takeover",
            Deflate(),
            Compression(server_no_context_takeover=True, client_no_context_takeover=True),
        ),
        (
            "permessage-deflate;server_max_window_bits=8;client_max_window_bits = 9",
            Deflate(),
            Compression(server_max_window_bits=8, client_max_window_bits=9),
        ),
        (
            'permessage-deflate; server_max_window_bits="1\\0"; client_max_window_bits="8"',
            Deflate(server_max_window_bits=12),
            Compression(server_max_window_bits=10, client_max_window_bits=8),
        ),
        (
            "permessage-deflate; server_max_window_bits=12; client_max_window_bits=11",
            Deflate(server_max_window_bits=12, client_max_window_bits=11),
            Compression(server_max_window_bits=12, client_max_window_bits=11),
        ),
        (
            "permessage-deflate",
            Deflate(client_max_window_bits=11),
            Compression(False, False, 15, 11),
        ),
        (
            "permessage-deflate",
            Deflate(client_no_context_takeover=True),
            Compression(client_no_context_takeover=True),
        ),
        (
            "permessage-deflate; server_no_context_takeover",
            Deflate(server_no_context_takeover=True),
            Compression(server_no_context_takeover=True),
        ),
        ("", Deflate(), None),
        (" ,, ", Deflate(), None),
        ("", None, None),
    ],
)
def test_an_answer_that_may_be(
    answer: str, options: Deflate | None, agreed: Compression | None
) -> None:
    if agreed is not None:
        agreed.backend = chosen_backend().name
    assert accepted(answer, options) == agreed


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ("permessage-deflate; x", "has no parameter x"),
        (
            "permessage-deflate; server_no_context_takeover=1",
            "server_no_context_takeover=1 is invalid; it has no value",
        ),
        (
            'permessage-deflate; client_no_context_takeover="a"',
            "client_no_context_takeover=a is invalid; it has no value",
        ),
        ("permessage-deflate; client_max_window_bits", "client_max_window_bits has no value"),
        ("permessage-deflate; server_max_window_bits", "server_max_window_bits has no value"),
        ("permessage-deflate; server_max_window_bits=7", "=7 is invalid"),
        ("permessage-deflate; server_max_window_bits=16", "=16 is invalid"),
        ("permessage-deflate; server_max_window_bits=08", "=08 is invalid"),
        ("permessage-deflate; server_max_window_bits=+9", r"=\+9 is invalid"),
        ("permessage-deflate; client_max_window_bits=ten", "=ten is invalid"),
        (
            "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
            "^server_no_context_takeover stands twice",
        ),
        ("permessage-deflate; server_max_window_bits=9; server_max_window_bits=9", "twice"),
    ],
)
def test_a_parameter_that_may_not_be(answer: str, why: str) -> None:
    with pytest.raises(CompressionParameterError, match=why):
        accepted(answer, Deflate())


@pytest.mark.parametrize(
    ("answer", "options", "why"),
    [
        ("permessage-deflate; server_max_window_bits=11", {"server_max_window_bits": 10}, "more"),
        ("permessage-deflate; client_max_window_bits=11", {"client_max_window_bits": 10}, "more"),
        ("permessage-deflate", {"server_max_window_bits": 10}, "is missing"),
        ("permessage-deflate", {"server_no_context_takeover": True}, "is missing"),
    ],
)
def test_what_was_asked_for_binds_the_server(
    answer: str, options: dict[str, int], why: str
) -> None:
    with pytest.raises(CompressionParameterError, match=why):
        accepted(answer, Deflate(**options))  # type: ignore[arg-type]  a dict of both kinds


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"server_max_window_bits": 8}, ValueError),
        ({"client_max_window_bits": 16}, ValueError),
        ({"client_max_window_bits": True}, TypeError),
        ({"level": 10}, ValueError),
        ({"level": "9"}, TypeError),
        ({"memory_level": 0}, ValueError),
        ({"min_size": -1}, ValueError),
        ({"server_no_context_takeover": 1}, TypeError),
        ({"client_no_context_takeover": None}, TypeError),
    ],
)
def test_options_that_can_not_be(arguments: dict[str, int], error: type[Exception]) -> None:
    (name,) = arguments
    with pytest.raises(error, match=name):
        Deflate(**arguments)  # type: ignore[arg-type]  that is the point
