"""Whose certificate is expected, by the forms of a URL's host."""

from __future__ import annotations

from typing import NoReturn

import pytest

from lomond import WebSocket
from lomond.plan import Plan
from lomond.url import tls_name


def contexts(is_proxy: bool, is_ours: bool) -> NoReturn:
    raise AssertionError("none is needed before there is a connection")


@pytest.mark.parametrize(
    ("url", "name", "host"),
    [
        ("wss://example.org/", "example.org", "example.org:443"),
        ("wss://EXAMPLE.org./", "example.org", "example.org.:443"),
        ("wss://[fe80::1%25eth0]:8443/", "fe80::1", "[fe80::1]:8443"),
        ("wss://[::1]/", "::1", "[::1]:443"),
        ("wss://192.0.2.1/", "192.0.2.1", "192.0.2.1:443"),
    ],
)
def test_no_zone_and_no_dot_at_the_end(url: str, name: str, host: str) -> None:
    websocket = WebSocket(url, proxies={})
    route = Plan(websocket, contexts).first()
    assert route.target.server_name == name
    assert f"\r\nHost: {host}\r\n" in route.upgrade.request_bytes().decode()


def test_what_the_user_expects_is_expected_as_it_is() -> None:
    websocket = WebSocket("wss://[::1]/", proxies={}, server_name="inside.example.")
    assert Plan(websocket, contexts).first().target.server_name == "inside.example."
    assert tls_name("example.org.") == "example.org"
