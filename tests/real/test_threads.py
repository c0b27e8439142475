"""Many threads send while one iterates."""

from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor

from lomond import WebSocket
from lomond.events import Text
from real.endpoints import Endpoint, on_servers

THREADS = 4
MESSAGES = 200


def send_texts(websocket: WebSocket, thread: int) -> None:
    for number in range(MESSAGES):
        websocket.send_text(f"{thread}:{number}:" + "é" * number)


@on_servers()
def test_each_thread_keeps_its_order(endpoint: Endpoint) -> None:
    received = defaultdict(list)
    with endpoint.conversation() as conversation, ThreadPoolExecutor(THREADS) as threads:
        sending = [threads.submit(send_texts, conversation.websocket, n) for n in range(THREADS)]
        for _ in range(THREADS * MESSAGES):
            text = conversation.expect(Text).text
            received[text.partition(":")[0]].append(text)
        for future in sending:
            future.result()
        conversation.close()
    for thread in range(THREADS):
        expected = [f"{thread}:{number}:" + "é" * number for number in range(MESSAGES)]
        assert received[str(thread)] == expected
