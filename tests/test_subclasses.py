"""A subclass of WebSocket may have attributes that are named like options: they count."""

from __future__ import annotations

from typing import Any

import pytest

from doors.raw_server import echo, raw_server, until
from lomond import WebSocket
from lomond.base import options_now


class OnItsClass(WebSocket):
    proxies = None
    agent = None


class InSlots(WebSocket):
    __slots__ = ("agent", "proxies")


class ByProperty(WebSocket):
    @property
    def agent(self) -> Any:
        return vars(self)["_mine"]

    @agent.setter
    def agent(self, value: Any) -> None:
        vars(self)["_mine"] = value


SUBCLASSES: Any = [OnItsClass, InSlots, ByProperty]


@pytest.mark.parametrize("kind", SUBCLASSES)
def test_what_is_set_counts(kind: Any) -> None:
    assert options_now(kind("ws://h/")).agent == WebSocket("ws://h/").agent
    for websocket in (kind("ws://h/", agent="mine"), kind("ws://h/")):
        websocket.agent = "mine"
        assert (websocket.agent, options_now(websocket).agent) == ("mine", "mine")
        with pytest.raises(TypeError, match="agent must be a str"):
            websocket.agent = 5


@pytest.mark.parametrize("kind", [OnItsClass, InSlots])
def test_no_connection_goes_past_its_proxy(kind: Any) -> None:
    with raw_server(echo) as server:
        websocket = kind(server.url)
        websocket.proxies = {"ws": "http://127.0.0.1:1"}
        failed = list(websocket)[-1]
        assert "unable to connect to proxy http://127.0.0.1:1" in failed.reason
        websocket.proxies = {}
        until(websocket.connect(), "ready")


def test_one_that_can_not_be_set_is_refused_when_it_is_made() -> None:
    class Fixed(WebSocket):
        @property
        def agent(self) -> Any:
            return "mine"

    with pytest.raises(AttributeError, match="agent"):
        Fixed("ws://h/")
