"""A record as the server: what a session has been, a later version of the program has to do too."""

from pathlib import Path

import pytest

from lomond import WebSocket
from lomond.testing import Server, pretend, replay


def buy(url: str, limit: int, record: Path | None = None) -> str:
    """The program: an order, and what became of it."""
    websocket = WebSocket(url, record=record)
    for event in websocket:
        if event.name == "ready":
            websocket.send_json({"op": "buy", "limit": limit})
        elif event.name == "text":
            websocket.close()
            return event.text
    raise ConnectionError(str(websocket.ending))


@pytest.fixture
def session(tmp_path: Path) -> Path:
    """What was recorded once; of a server that there is, if you have one."""
    path = tmp_path / "session.jsonl"
    with pretend(Server().hears().says("bought")):
        buy("wss://exchange.example/", 100, path)
    return path


def test_the_same_again(session: Path) -> None:
    with pretend(*replay(session)):
        assert buy("wss://exchange.example/", 100) == "bought"


def test_an_order_that_differs(session: Path) -> None:
    differs = pytest.raises(AssertionError, match=r"session\.jsonl:\d+ .*'limit'\] is 10, not 100")
    with differs, pretend(*replay(session)):
        buy("wss://exchange.example/", 10)
