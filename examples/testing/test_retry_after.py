"""A server that is overloaded says when to come again, and the program obeys."""

from lomond import WebSocket
from lomond.testing import Server, pretend


def first_message(url: str) -> str:
    """The program: the first text of a feed."""
    websocket = WebSocket(url)
    for event in websocket.persist():
        if event.name == "text":
            websocket.close()
            return event.text
    raise ConnectionError(str(websocket.ending))


def test_it_comes_again_when_it_may() -> None:
    with pretend(
        Server().refuses(503, retry_after=600, body="too many clients"),
        Server().refuses(429, retry_after=60),
        Server().says("welcome"),
    ) as world:
        assert first_message("wss://feed.example/") == "welcome"
    assert 660 <= world.seconds < 900
