"""What a page of the documentation shows as Python, for tests that run it in their own way."""

from __future__ import annotations

import re
from pathlib import Path

DOCS = Path(__file__).parents[1] / "docs"


def shown(page: str, part: str) -> str:
    """The one block of Python on a page of docs/ that has this part in it."""
    text = (DOCS / page).read_text("utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    (block,) = (one for one in blocks if part in one)
    return str(block)
