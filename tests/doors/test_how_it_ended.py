"""How a connection ended: what programs and people are told, for each way; how_it_ended.txt has it.

`python tests/doors/test_how_it_ended.py` writes that file anew: read it aloud before it is kept.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pytest

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from doors.ways_to_end import QUIET, WAYS, Way
from lomond import WebSocket

pytestmark = pytest.mark.every_door

GOLDEN = Path(__file__).parent / "how_it_ended.txt"
_VARIES = [
    (re.compile(r"after [\d.e-]+ s(?! \()"), "after N s"),
    (re.compile(r"#[\w-]+"), "#N"),  # of a certificate's names
]


def told(way: Way) -> str:
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
    facts = {
        "code": ending.code,
        "text": ending.reason,
        "status": ending.status,
        "phase": ending.phase,
        "deadline": ending.deadline,
        "cause": type(ending.cause).__name__ if ending.cause else None,
        "unconfirmed": bool(ending.unconfirmed),
    }
    said = "".join(f", {name} {value!r}" for name, value in facts.items() if value)
    failed = "" if ending.is_failure else ", no failure"
    text = f"{ending}\n    ({ending.kind} by {ending.by}{failed}{said})"
    for pattern, shown in _VARIES:
        text = pattern.sub(shown, text)
    return text.replace(f":{port}", ":PORT")


def _golden() -> dict[str, str]:
    parts = GOLDEN.read_text().strip().split("\n\n")
    return {name: text for name, _, text in (part.partition(":\n") for part in parts)}


@pytest.mark.parametrize("name", WAYS)
def test_what_is_told(name: str) -> None:
    assert told(WAYS[name]) == _golden()[name]


def test_the_file_has_no_other() -> None:
    assert list(_golden()) == list(WAYS)


if __name__ == "__main__":
    GOLDEN.write_text("\n\n".join(f"{name}:\n{told(way)}" for name, way in WAYS.items()) + "\n")
