"""A program over TLS, on a socket: with the authority that vouches for the server, and without."""

from lomond import WebSocket
from lomond.testing import Server
from pytest_lomond import LomondServer


def greeting(url: str, cafile: str | None = None) -> str:
    """The program: what the server says first, or why it could not be reached."""
    websocket = WebSocket(url, ssl_cafile=cafile)
    for event in websocket:
        if event.name == "text":
            websocket.close()
            return event.text
    return str(websocket.ending)


def test_a_server_that_is_trusted(lomond_server: LomondServer) -> None:
    server = lomond_server(Server().says("welcome"), tls=True)
    assert greeting(server.url, server.ca) == "welcome"


def test_a_server_that_is_not(lomond_server: LomondServer) -> None:
    server = lomond_server(Server().says("welcome"), tls=True)
    assert "certificate" in greeting(server.url)
    assert server.heard == []
