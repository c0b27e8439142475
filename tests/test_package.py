"""What the package gives, and when."""

from __future__ import annotations

import pydoc
import re
import subprocess
import sys
from importlib.metadata import metadata
from pathlib import Path
from typing import get_args

import pytest

import lomond
from protocol.http.upgrades import HEAD, answer


def test_the_package_gives_what_is_asked_for_and_no_more() -> None:
    code = """if True:
        import sys
        from lomond import WebSocket
        assert "asyncio" not in sys.modules and "lomond.persist" not in sys.modules
        from lomond import AsyncWebSocket, WebSocketGroup, Deflate, events, errors
        import lomond, lomond.aio, lomond.group
        assert lomond.AsyncWebSocket is lomond.aio.AsyncWebSocket is AsyncWebSocket
        assert lomond.WebSocketGroup is lomond.group.WebSocketGroup
        assert lomond.websocket.WebSocket is WebSocket
        assert set(lomond.__all__) <= set(dir(lomond))
        assert events.Text and errors.WebSocketError and lomond.status.Status"""
    subprocess.run([sys.executable, "-c", code], check=True)
    code = "import sys, lomond; print([name for name in sys.modules if 'lomond.' in name])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "['lomond.twin', 'lomond.constants']\n"


def test_a_websocket_for_a_plain_url_imports_nothing_that_is_slow_and_not_needed() -> None:
    code = """if True:
        import sys
        before = set(sys.modules)
        from lomond import WebSocket
        WebSocket("ws://example.org:8080/feed?x=1&y=%20", proxies={})
        print(*{"_hashlib", "email", "h11", "idna", "ipaddress", "ssl", "urllib.parse", "zlib"}
              & (set(sys.modules) - before))"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "\n"


def test_h11_is_loaded_where_it_is_needed() -> None:
    code = (
        "import sys\n"
        "from lomond.options import Limits\n"
        "from lomond.protocol.http.request import Request\n"
        "from lomond.protocol.http.upgrade import Upgrade\n"
        "def outcome(data):\n"
        "    request = Request('/', 'server:80', 'test')\n"
        "    return Upgrade(request, lambda size: b'the sample nonce', Limits()).receive(data)\n"
        f"assert outcome({answer()!r}).upgrades\n"
        "assert 'h11' not in sys.modules\n"
        f"assert outcome({HEAD.replace(b' ', b'  ')!r}) is None\n"
        "assert not outcome(b'HTTP/1.1 404 No\\r\\nContent-Length: 0\\r\\n\\r\\n').upgrades\n"
        "assert 'h11' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_help_shows_every_event_and_names_every_door() -> None:
    shown = pydoc.plain(pydoc.render_doc("lomond.events"))
    for event in get_args(lomond.events.AnyEvent):
        assert f"class {event.__name__}(" in shown
    assert "TrioWebSocket" in pydoc.plain(pydoc.render_doc("lomond"))
    for name in ("WebSocket", "AsyncWebSocket"):
        assert " at 0x" not in pydoc.render_doc(f"lomond.{name}")  # of a default


def test_no_name_that_is_none_is_given() -> None:
    with pytest.raises(AttributeError, match="module 'lomond' has no attribute 'WebSockets'"):
        getattr(lomond, "WebSockets")  # noqa: B009  # a type checker knows that there is none


def test_the_module_persist_says_what_to_write() -> None:
    code = "from lomond import persist, WebSocket; persist(WebSocket('ws://h/'))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "write websocket.persist(...)" in done.stderr.splitlines()[-1]
    assert "from lomond.persist import persist" in done.stderr.splitlines()[-1]


def test_what_readme_links_to_is_there() -> None:
    root = Path(__file__).parents[1]
    text = (root / "README.md").read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)#]*)[^)]*\)|\b(?:src|href)=\"([^\"]*)\"", text)
    near = [link for link in map("".join, links) if not link.startswith("https://")]
    assert [link for link in near if not (root / link).is_file()] == []
    # A picture has words that stand for it where it is not shown.
    assert re.findall(r"!\[.{40,}\]\(([^)]*)\)", text) == ["docs/pictures/events.svg"]


def test_an_index_shows_readme_without_links_to_files() -> None:
    """They would lead nowhere there."""
    told = metadata("lomond")
    text = told["Description"] or str(told.get_payload())
    assert "# lomond" in text
    assert "one line that says who, why, and what to do" in text
    near = re.findall(r"\]\((?!https://|#)([^)]*)\)|<!--", text)
    assert near == []


def test_readme_is_short() -> None:
    text = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    assert text.count("\n") < 120
