"""Ten connections in one thread, of which one is refused and one is cut."""

from lomond import WebSocket, WebSocketGroup
from lomond.testing import Server, pretend


def names_of(urls: list[str]) -> dict[str, str]:
    """The program: asks ten servers for their names."""
    group = WebSocketGroup()
    names: dict[str, str] = {}
    for url in urls:
        group.add(WebSocket(url))
    for websocket, event in group:
        if event.name == "ready":
            websocket.send_text("who are you?")
        elif event.name == "text":
            names[websocket.url] = event.text
            websocket.close()
        elif event.name in ("connect_fail", "disconnected"):
            names.setdefault(websocket.url, str(websocket.ending))
    return names


def test_ten_at_a_time() -> None:
    urls = [f"wss://host{number}.example/" for number in range(10)]
    servers = [
        Server(f"host{number}.example").hears("who are you?").after(60).says(f"I am {number}")
        for number in range(8)
    ]
    servers += [Server("host8.example").refuses(403), Server("host9.example").hears().cuts()]
    with pretend(*servers) as world:
        names = names_of(urls)
    assert [names[url] for url in urls[:8]] == [f"I am {number}" for number in range(8)]
    assert "403" in names[urls[8]]
    assert "lost" in names[urls[9]]
    assert 60 <= world.seconds < 120  # all of them at the same time
