"""How a connection ended: what programs and people are told, for each way; how_it_ended.txt has it.

`python tests/doors/test_how_it_ended.py` writes that file anew: read it aloud before it is kept.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from doors.ways_to_end import QUIET, WAYS, Way
from lomond import WebSocket
from told import by_name, golden, told

pytestmark = pytest.mark.every_door

GOLDEN = Path(__file__).parent / "how_it_ended.txt"


def shown(way: Way) -> str:
    """What is told of it, without what varies."""
    with way.running() as (url, port):
        options = {"proxies": {}, **way.options}
        for key, proxy in options["proxies"].items():
            options["proxies"] = {key: proxy.replace("PORT", str(port))}
        websocket: Any = WebSocket(url, **options)
        last: Any = None
        for last in websocket.connect(**{**QUIET, **way.timing}):
            if way.user(websocket, last):
                break
        ending = websocket.ending
    assert last.name == "ready" or last.ending is ending
    return told(ending, port)


def _golden() -> dict[str, str]:
    return by_name(GOLDEN.read_text())


@pytest.mark.parametrize("name", WAYS)
def test_what_is_told(name: str) -> None:
    assert shown(WAYS[name]) == _golden()[name]


def test_the_file_has_no_other() -> None:
    assert list(_golden()) == list(WAYS)


if __name__ == "__main__":
    GOLDEN.write_text(golden({name: shown(way) for name, way in WAYS.items()}))
