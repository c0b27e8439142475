"""A login, as a conversation: the test says the server's side, in a generator."""

import json

import pytest

from lomond import WebSocket
from lomond.testing import Conversation, Turns
from pytest_lomond import LomondWorld


def log_in(url: str, token: str) -> str:
    """The program: logs in, and gives the name that it has there."""
    websocket = WebSocket(url)
    for event in websocket:
        if event.name == "ready":
            websocket.send_json({"op": "auth", "token": token})
        elif event.name == "text":
            answer = json.loads(event.text)
            websocket.close()
            if not answer["success"]:
                raise PermissionError(answer["why"])
            return str(answer["name"])
    raise ConnectionError(str(websocket.ending))


def talk(peer: Conversation) -> Turns:
    request = yield from peer.hear({"op": "auth"})
    yield peer.wait(0.5)
    if request.json["token"] == "right":
        yield peer.say({"success": True, "name": "me"})
    else:
        yield peer.say({"success": False, "why": "no such token"})
    assert (yield from peer.hear_close()) == 1000


def test_a_login(lomond_world: LomondWorld) -> None:
    lomond_world(talk)
    assert log_in("wss://api.example/", "right") == "me"


def test_a_login_that_is_refused(lomond_world: LomondWorld) -> None:
    lomond_world(talk)
    with pytest.raises(PermissionError, match="no such token"):
        log_in("wss://api.example/", "wrong")
