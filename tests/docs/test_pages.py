"""Every block of the README and of docs/ runs, and prints what the page says."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("sybil")

from docs.running import run

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_a_page_says(path: Path, tmp_path: Path) -> None:
    run(path, tmp_path)
