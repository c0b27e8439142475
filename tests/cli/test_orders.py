"""What is typed in a terminal, as it is understood."""

from __future__ import annotations

import pytest

from lomond.cli import orders


@pytest.mark.parametrize(
    ("typed", "name", "rest"),
    [
        ("hello", "", "hello"),
        (" /ping", "", " /ping"),
        ("//ping", "", "/ping"),
        ("///", "", "//"),
        ("/ping", "ping", ""),
        ("/ping  two words ", "ping", "two words"),
        ("/close 1000 why", "close", "1000 why"),
        ("/binary a b", "binary", "a b"),
        ("/help", "help", ""),
    ],
)
def test_orders(typed: str, name: str, rest: str) -> None:
    assert orders.read(typed) == (name, rest)


@pytest.mark.parametrize("typed", ["/", "/pong", "/Ping", "/clos 1000", "/pingx", "/a\n/b"])
def test_no_orders(typed: str) -> None:
    with pytest.raises(ValueError, match="is no order, and was not sent; /help lists them") as info:
        orders.read(typed)
    assert "\n" not in str(info.value)


@pytest.mark.parametrize(
    ("rest", "code", "reason"),
    [("", 1000, ""), ("4000", 4000, ""), ("1000  all is said ", 1000, "all is said")],
)
def test_codes_and_reasons(rest: str, code: int, reason: str) -> None:
    assert orders.code_and_reason(rest) == (code, reason)


@pytest.mark.parametrize("rest", ["why", "-1", "10.5", "\u0661"])
def test_no_codes(rest: str) -> None:
    with pytest.raises(ValueError, match="a code before the reason"):
        orders.code_and_reason(rest)


@pytest.mark.parametrize("has_keys", [True, False])
def test_the_page_fits(has_keys: bool) -> None:
    lines = orders.page(has_keys).split("\n")
    assert max(map(len, lines)) < 78
    assert ("Alt-Enter" in orders.page(has_keys)) is has_keys
    for name in orders.ORDERS:
        assert any(line.startswith(f"/{name}") for line in lines)
