"""A server that dies in the middle of a frame: nothing of it is taken for a message."""

from lomond import WebSocket
from lomond.testing import Server, pretend


def prices(url: str) -> list[float]:
    """The program: all prices that were told, until the feed ends."""
    websocket = WebSocket(url, frame_timeout=20)
    return [float(event.text) for event in websocket if event.name == "text"]


def test_half_a_frame_is_no_price() -> None:
    with pretend(Server().says("1.5", "1.25").half_a_frame().cuts()):
        assert prices("wss://feed.example/") == [1.5, 1.25]


def test_a_frame_that_never_ends_ends_the_connection() -> None:
    with pretend(Server().says("1.5").half_a_frame()) as world:
        assert prices("wss://feed.example/") == [1.5]
    assert 20 <= world.seconds < 60


def test_prices_that_come_byte_by_byte() -> None:
    with pretend(Server().byte_by_byte().says("1.5", "1.25").closes()):
        assert prices("wss://feed.example/") == [1.5, 1.25]
