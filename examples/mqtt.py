"""MQTT over a WebSocket, by a library that wants a socket: it is given one of this machine.

Run it with the broker's URL, and topics.
"""

import socket
import sys
import tempfile
import threading
from contextlib import suppress
from pathlib import Path

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from lomond import WebSocket
from lomond.errors import WebSocketError


def carry(websocket: WebSocket, sock: socket.socket) -> None:
    """Carry bytes both ways, whatever messages they come in, until one is over: then both are."""

    def up() -> None:
        with suppress(OSError, WebSocketError):
            while data := sock.recv(65536):
                websocket.send_binary(data)
        websocket.close()

    with sock, suppress(OSError):  # the library has closed it
        for event in websocket.connect(ping_timeout=30):
            if event.name == "ready":
                threading.Thread(target=up, daemon=True).start()
            elif event.name == "binary":
                sock.sendall(event.data)
        sock.shutdown(socket.SHUT_RDWR)


def connected(client: Client, url: str) -> None:
    """Have the client connect; where it does so again, that is a new WebSocket."""
    address = str(Path(tempfile.mkdtemp()) / "broker")
    listener = socket.create_server(address, family=socket.AF_UNIX)

    def serve() -> None:
        while True:
            websocket = WebSocket(url, protocols=["mqtt"])
            carry(websocket, listener.accept()[0])
            print(websocket.ending, file=sys.stderr)  # the library knows no more than an end

    threading.Thread(target=serve, daemon=True).start()
    client.connect(address)


def heard(client: Client, userdata: object, message: MQTTMessage) -> None:
    print(message.topic, message.payload)


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    paho = Client(CallbackAPIVersion.VERSION2, transport="unix")
    paho.on_message = heard
    connected(paho, sys.argv[1])
    paho.subscribe([(topic, 1) for topic in sys.argv[2:]])
    paho.loop_forever()
