"""The stream manager of an exchange: it logs in, keeps its subscriptions, tells of gaps.

Run it with the feed's URL, and topics; the environment variables API_KEY and API_SECRET have your
key and your secret, which nobody then sees in a list of processes.
"""

import hmac
import logging
import os
import sys
import time
from collections.abc import Generator, Iterable, Iterator
from contextlib import suppress
from typing import Any, cast

from lomond import WebSocket
from lomond.ending import Gap
from lomond.errors import Refused, WebSocketError


class Feed:
    """All messages of some topics, over as many connections as that takes; and each Gap in them.

    Iterating raises PermissionError where the exchange refuses something for good.
    """

    def __init__(self, url: str, key: str, secret: str, topics: Iterable[str] = ()) -> None:
        self.websocket = WebSocket(url)
        self.topics = set(topics)
        self._key, self._secret = key, secret

    def subscribe(self, topic: str) -> None:
        """Want one more topic, on all connections; from any thread."""
        self.websocket.post(topic)

    def _enter(self, ready: object) -> Generator[Any, Any, None]:  # for each connection anew
        expires = int(time.time() * 1000) + 10_000
        signed = hmac.new(self._secret.encode(), b"GET/realtime%d" % expires, "sha256")
        yield from accepted("auth", [self._key, expires, signed.hexdigest()])
        asked: set[str] = set()
        while wanted := self.topics - asked:  # it may grow meanwhile
            asked.add(topic := min(wanted))
            yield from accepted("subscribe", [topic])

    def __iter__(self) -> Iterator[dict[str, Any] | Gap]:
        is_in = False
        for event in self.websocket.persist(
            enter=self._enter, ping_message={"op": "ping"}, ping_rate=20, ping_timeout=10
        ):
            if event.name == "connecting" or event.name == "entered":
                is_in = event.name == "entered"  # what is posted before, enter asks for
            if event.name == "entered" and event.gap:
                yield event.gap  # ask for its trades elsewhere, by time
            elif event.name == "posted":
                self.topics.add(event.value)
                if is_in:
                    with suppress(WebSocketError):  # it is lost; the next connection asks
                        request = {"op": "subscribe", "args": [event.value], "req_id": event.value}
                        self.websocket.send_json(request, reply=("req_id", event.value), within=10)
            elif event.name == "reply" and not cast(Any, event.message).json["success"]:
                self.topics.discard(event.request["args"][0])
            elif event.name == "no_reply" and event.ending is None:
                self.websocket.close()  # it does not listen; begin again
            elif event.name == "text" and "topic" in event.json:
                yield event.json
        raise PermissionError(str(self.websocket.ending))


def accepted(op: str, args: list[Any]) -> Generator[Any, Any, None]:
    """Ask for something that each connection needs, and wait until it is granted."""
    yield {"op": op, "args": args, "req_id": args[0]}
    answer = yield lambda event: event.name == "text" and event.json.get("req_id") == args[0]
    if not answer.json["success"]:
        raise Refused(f"{op}: {answer.json['ret_msg']}", final=True)


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    logging.basicConfig(level=logging.INFO)  # says how each connection begins and ends
    for message in Feed(sys.argv[1], os.environ["API_KEY"], os.environ["API_SECRET"], sys.argv[2:]):
        print(message)
