"""ARCHITECTURE.md says of every field that threads share how it is guarded."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from lomond.io.channel import Channel
from lomond.io.link import Link
from lomond.io.reading import Reader
from lomond.io.transport import Transport
from lomond.io.waiting import Wakeup
from lomond.io.writing import Writer

PAGE = Path(__file__).parent.parent / "ARCHITECTURE.md"


@pytest.mark.parametrize("kind", [Channel, Link, Reader, Transport, Wakeup, Writer])
def test_every_shared_field_is_in_the_table(kind: Any) -> None:
    page = PAGE.read_text()
    table = page[page.index("| field | guard |") : page.index("Nothing relies on the GIL")]
    known: set[str] = set()
    owner = ""
    for name in re.findall(r"`([A-Za-z_.]+)`", table):  # a name without a class is the last one's
        owner, field = name.split(".") if "." in name else (owner, name)
        known.add(f"{owner}.{field}")
    fields = {f"{kind.__name__}.{name}" for name in kind.__slots__} - {"Link.__weakref__"}
    assert fields - {"Wakeup._guard"} <= known
