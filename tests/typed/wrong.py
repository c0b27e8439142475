"""Each line that ends in "wrong" is to be an error for type checkers, and no other; run by none."""

from __future__ import annotations

import lomond
import lomond.persist
from lomond import AsyncWebSocket, Deflate, WebSocket, WebSocketGroup
from lomond.persist import persist
from lomond.testing import Server, pretend, serve

websocket, client, group = WebSocket("ws://h/"), AsyncWebSocket("ws://h/"), WebSocketGroup()

WebSocket()  # wrong
WebSocket("ws://h/", timeout=3)  # wrong
WebSocket("ws://h/", ping_rate=3)  # wrong
WebSocket("ws://h/", max_held="3")  # wrong
WebSocket("ws://h/", headers=[("X", "y")])  # wrong
WebSocket("ws://h/", None, None, None, False, True, None, None, None, None)  # wrong
AsyncWebSocket("ws://h/", opentimeout=3)  # wrong

websocket.connect(open_timeout=3)  # wrong
websocket.connect(pol=3)  # wrong
websocket.connect(poll="3")  # wrong
websocket.connect(object)  # wrong
client.connect(open_timeout=3)  # wrong
websocket.connect(ping_message=7)  # wrong
websocket.connect(ping_message=lambda: None)  # wrong

persist(websocket, open_timeout=3)  # wrong
persist(websocket, max_atempts=3)  # wrong
persist(websocket, on_ready=print)  # wrong
persist("ws://h/")  # wrong
websocket.persist(max_retries=3)  # wrong
websocket.persist(5)  # wrong
client.persist(open_timeout=3)  # wrong
lomond.persist(websocket)  # wrong

group.add(websocket, open_timeout=3)  # wrong
group.add(websocket, pol=3)  # wrong
group.add(client)  # wrong
group.persist(websocket, headers={})  # wrong

Deflate(levle=3)  # wrong
Deflate(level="3")  # wrong
Deflate().level = 3  # wrong

websocket.open_timeout = "3"  # wrong
websocket.protocols = 5  # wrong
websocket.port = "80"  # wrong

print(lomond.WebSockets)  # wrong

Server().says(5)  # wrong
Server().hears(5)  # wrong
Server().refuses("503")  # wrong
serve(lambda: None)  # wrong
pretend("wss://h/")  # wrong
