"""A server that says more than anybody wants: the program keeps the last of each, and leaves."""

from lomond import WebSocket
from lomond.testing import Server, pretend


def latest(url: str, most: int) -> dict[str, int]:
    """The program: how often each text came, until there were too many."""
    websocket = WebSocket(url)
    found: dict[str, int] = {}
    for event in websocket:
        if event.name == "text":
            found[event.text] = found.get(event.text, 0) + 1
            if sum(found.values()) > most:
                websocket.close(1008, "too much")
                return found
    return found


def test_it_leaves_a_flood() -> None:
    server = Server().says("calm").floods(50_000, "water")
    with pretend(server):
        assert latest("wss://feed.example/", most=1000) == {"calm": 1, "water": 1000}
    assert server.close_code == 1008
