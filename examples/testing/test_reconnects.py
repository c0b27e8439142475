"""A feed that connects again: what it does in an hour, and after a server that is cut."""

from collections.abc import Iterator
from contextlib import suppress

from lomond import WebSocket
from lomond.errors import WebSocketError
from lomond.testing import Server, pretend


def messages(url: str) -> Iterator[str]:
    """The program: the texts of a feed, whatever happens to its connections."""
    websocket = WebSocket(url)
    for event in websocket.persist():
        if event.name == "ready":
            with suppress(WebSocketError):  # it is lost already; the next connection asks again
                websocket.send_text("subscribe")
        elif event.name == "text":
            yield event.text
            if event.text == "bye":
                websocket.close()
                return


def test_it_connects_again_and_subscribes_again() -> None:
    servers = (
        Server().hears("subscribe").says("welcome").after(3600).cuts(),
        Server().resets(),
        Server().hears("subscribe").says("again", "bye"),
    )
    with pretend(*servers) as world:
        assert list(messages("wss://feed.example/")) == ["welcome", "again", "bye"]
    assert world.hours > 1
    assert servers[2].heard == ["subscribe"]
