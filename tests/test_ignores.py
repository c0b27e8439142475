"""Every line that a checker is told to ignore has the reason beside it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ASIDE = {"build", "__pycache__"}  # and folders whose names begin with a dot
CODES = r"(?:type: ignore\[[^]]+\]|pyright: ignore\[[^]]+\]|noqa: [A-Z]+\d+(?:, ?[A-Z]+\d+)*)"
IGNORES = re.compile(rf"# (?P<what>{CODES}|type: ignore|pyright: ignore|noqa)(?P<reason>.*)")


def without_reason(source: str) -> list[str]:
    """Such lines of a source, or those that name no code."""
    return [
        line.strip()
        for line in source.splitlines()
        if (found := IGNORES.search(line)) is not None
        and not (re.fullmatch(CODES, found["what"]) and re.search(r"\w{2}", found["reason"]))
    ]


@pytest.mark.parametrize(
    ("line", "is_one"),
    [
        ("x = 1  # type: ignore[misc]", True),
        ("x = 1  # type: ignore[misc, arg-type]  # frozen, on purpose", False),
        ("x = 1  # type: ignore[misc]  frozen, on purpose", False),
        ("x = 1  # type: ignore  # whatever", True),
        ("x = 1  # noqa: SIM105", True),
        ("x = 1  # noqa: SIM105, E501  # on the way of every send", False),
        ("x = 1  # noqa", True),
        ("x = 1  # pyright: ignore[reportPrivateUsage]", True),
        ("x = 1  # of a kind", False),
    ],
)
def test_which_have_none(line: str, is_one: bool) -> None:
    assert bool(without_reason(line)) is is_one


def test_every_one_has_its_reason() -> None:
    found = {}
    for path in ROOT.rglob("*.py"):
        place = path.relative_to(ROOT)
        if any(part in ASIDE or part.startswith(".") for part in place.parts):
            continue
        if path.name != Path(__file__).name:
            lines = without_reason(path.read_text(encoding="utf-8"))
            found.update({f"{place}: {line}": "no reason" for line in lines})
    assert found == {}
